"""Verification of the whole ledger: every invariant that applies on the rails in use, the first broken one by name.

Numbers as in the money model: I1 shape of transfers, I2 an entry's own count, sum and digest, I3 allocation and
capture, I4 bill lines, I6 payables, I7 settlements, I8 stored against derived balances, I9 the clearing account,
I10 suspense against open items. Cheap enough to run over everything at each day's close.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.billing.ledger import digest
from portal.billing.postings import ACCOUNTS, Transfer, signed
from portal.billing.tables import (
    Account,
    AccountGuard,
    Allocation,
    Bill,
    BillLine,
    Entry,
    PaymentOrder,
    PaymentSubOrder,
    ReconItem,
    Settlement,
    SettlementItem,
    Split,
    TransferRow,
)


@dataclass(frozen=True, slots=True)
class Broken:
    """An invariant that does not hold, and where."""

    invariant: str
    where: str


Check = Callable[[Session], str | None]


def verify_ledger(session: Session) -> Broken | None:
    """Check all invariants in order; the first broken one, or None when the books are right."""
    for name, check in CHECKS:
        if where := check(session):
            return Broken(name, where)
    return None


def balances(session: Session) -> dict[str, int]:
    """Every account's balance in fen on its natural side, derived from the transfers alone."""
    debits: dict[str, int] = defaultdict(int)
    credits_: dict[str, int] = defaultdict(int)
    for side, sums in ((TransferRow.dr, debits), (TransferRow.cr, credits_)):
        for code, fen in session.execute(select(side, func.sum(TransferRow.amount_fen)).group_by(side)):
            sums[code] = int(fen)
    return {code: signed(code, debits[code], credits_[code]) for code in sorted(debits.keys() | credits_.keys())}


def _transfers(session: Session) -> str | None:
    row = session.scalars(
        select(TransferRow).where((TransferRow.amount_fen <= 0) | (TransferRow.dr == TransferRow.cr)).limit(1)
    ).first()
    if row is not None:
        return f"transfer {row.entry_id}/{row.seq}"
    unknown = [c for c in session.scalars(select(Account.code)) if c.partition(":")[0] not in ACCOUNTS]
    return f"account {unknown[0]}" if unknown else None


def _entries(session: Session) -> str | None:
    rows: dict[str, list[Transfer]] = defaultdict(list)
    for row in session.scalars(select(TransferRow).order_by(TransferRow.entry_id, TransferRow.seq)):
        rows[row.entry_id].append(Transfer(row.dr, row.cr, row.amount_fen))
    for entry in session.scalars(select(Entry)):
        own = rows.pop(entry.id, [])
        if len(own) != entry.n or sum(t.amount_fen for t in own) != entry.total_fen:
            return f"entry {entry.id}: n or total differs from its transfers"
        if digest((entry.source_type, entry.source_id), entry.kind, entry.accounting_day, own) != entry.digest:
            return f"entry {entry.id}: digest differs"
    return f"transfers without entry {next(iter(rows))}" if rows else None


def _sums(session: Session, key: Any, value: Any, *where: Any) -> dict[str, int]:
    return {k: int(v) for k, v in session.execute(select(key, func.sum(value)).where(*where).group_by(key))}


def _captures(session: Session) -> str | None:
    posted: dict[tuple[str, str], int] = {}
    for entry in session.scalars(select(Entry).where(Entry.source_type == "order")):
        posted[entry.source_id, entry.kind] = entry.total_fen
    allocated = _sums(session, Allocation.order_id, Allocation.amount_fen)
    split = _sums(session, Split.order_id, Split.amount_fen)
    asked = _sums(session, PaymentSubOrder.order_id, PaymentSubOrder.amount_fen)
    for order in session.scalars(select(PaymentOrder)):
        is_paid = order.state == "SUCCESS"
        figures = {
            "captured": (posted.get((order.id, "captured"), 0), order.amount_fen if is_paid else 0),
            "sub-orders": (asked.get(order.id, 0), order.amount_fen),
            "allocated": (posted.get((order.id, "allocated"), 0), allocated.get(order.id, 0)),
            "paid_direct": (posted.get((order.id, "paid_direct"), 0), allocated.get(order.id, 0)),
            "split": (split.get(order.id, 0), allocated.get(order.id, 0)),
        }
        for name, (is_, should_be) in figures.items():
            if is_ != should_be:
                return f"order {order.out_trade_no}: {name} is {is_}, should be {should_be}"
        if allocated.get(order.id, 0) > order.amount_fen:
            return f"order {order.out_trade_no}: more allocated than captured"
    return None


def _bill_lines(session: Session) -> str | None:
    allocated = _sums(session, Allocation.line_id, Allocation.amount_fen)
    owed: dict[str, int] = defaultdict(int)
    for line in session.scalars(select(BillLine)):
        if not 0 <= line.paid_fen <= line.due_fen or line.paid_fen != allocated.get(line.id, 0):
            return f"bill line {line.id}: paid is {line.paid_fen}, allocated {allocated.get(line.id, 0)}"
        owed[line.bill_id] += line.owed_fen
    for bill in session.scalars(select(Bill)):
        if (bill.state == "paid") != (owed[bill.id] == 0):
            return f"bill {bill.number}: state {bill.state} with {owed[bill.id]} owed"
    return None


def _payables(session: Session) -> str | None:
    for code, fen in balances(session).items():
        if fen < 0 and code.partition(":")[0] in ("PAYABLE", "UNALLOCATED", "SUSPENSE_LONG", "SUSPENSE_SHORT"):
            return f"account {code}: {fen}"
    return None


def _settlements(session: Session) -> str | None:
    items = _sums(session, SettlementItem.settlement_id, SettlementItem.amount_fen)
    for settlement in session.scalars(select(Settlement)):
        if settlement.gross_fen != items.get(settlement.id, 0):
            return (
                f"settlement {settlement.number}: gross is {settlement.gross_fen}, items {items.get(settlement.id, 0)}"
            )
        if settlement.net_fen != settlement.gross_fen - settlement.fee_fen:
            return f"settlement {settlement.number}: net"
    wrong = session.execute(
        select(SettlementItem.allocation_id)
        .join(Allocation, Allocation.id == SettlementItem.allocation_id)
        .join(Settlement, Settlement.id == SettlementItem.settlement_id)
        .where((Allocation.amount_fen != SettlementItem.amount_fen) | (Allocation.provider != Settlement.provider))
    ).first()
    return f"settlement item {wrong[0]}" if wrong else None


def _guards(session: Session) -> str | None:
    derived = balances(session)
    stored = {row.account: row.balance_fen for row in session.scalars(select(AccountGuard))}
    for code in sorted(stored.keys() | {c for c in derived if ACCOUNTS[c.partition(":")[0]][1]}):
        if stored.get(code, 0) != derived.get(code, 0):
            return f"account {code}: stored {stored.get(code, 0)}, derived {derived.get(code, 0)}"
    return None


def _clearing(session: Session) -> str | None:
    # Debits equal credits by the shape of a transfer; what is left to check is that nothing stays unexplained.
    sums: dict[str, int] = defaultdict(int)
    for code, fen in balances(session).items():
        sums[code.partition(":")[0]] += fen
    should_be = sums["UNALLOCATED"] + sums["PAYABLE"] + sums["SUSPENSE_LONG"] - sums["SUSPENSE_SHORT"]
    return None if sums["GW_CLEARING"] == should_be else f"clearing is {sums['GW_CLEARING']}, should be {should_be}"


def _suspense(session: Session) -> str | None:
    sums: dict[str, int] = defaultdict(int)
    for code, fen in balances(session).items():
        sums[code.partition(":")[0]] += fen
    for class_, prefix in (("LONG", "SUSPENSE_LONG"), ("SHORT", "SUSPENSE_SHORT")):
        open_fen = session.scalar(
            select(func.coalesce(func.sum(ReconItem.amount_fen), 0)).where(
                ReconItem.class_ == class_, ReconItem.state == "open"
            )
        )
        if sums[prefix] != open_fen:
            return f"{prefix} is {sums[prefix]}, open items {open_fen}"
    return None


CHECKS: tuple[tuple[str, Check], ...] = (
    ("I1", _transfers),
    ("I2", _entries),
    ("I3", _captures),
    ("I4", _bill_lines),
    ("I6", _payables),
    ("I7", _settlements),
    ("I8", _guards),
    ("I9", _clearing),
    ("I10", _suspense),
)
