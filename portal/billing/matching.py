"""Reconciliation, the pure part: the gateway's statement of one day against our own captured sub-orders.

Classes: MATCHED, LONG 长款 (theirs only), SHORT 短款 (ours only), AMOUNT, FEE, STATUS, DUPLICATE, CUTOFF (same money,
booked on another day). LONG and SHORT first roll over one day before they count (存疑), which the caller keeps.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from portal.billing.port import Theirs

MATCHED, LONG, SHORT, AMOUNT = "MATCHED", "LONG", "SHORT", "AMOUNT"
FEE, STATUS, DUPLICATE, CUTOFF = "FEE", "STATUS", "DUPLICATE", "CUTOFF"
CLASSES = (MATCHED, LONG, SHORT, AMOUNT, FEE, STATUS, DUPLICATE, CUTOFF)
AGREED = (MATCHED, CUTOFF)


@dataclass(frozen=True, slots=True)
class Ours:
    """One sub-order of ours. `booked_on` is its accounting day, None while it is not captured."""

    id: str
    merchant_id: str
    out_trade_no: str
    transaction_id: str | None
    amount_fen: int
    fee_fen: int
    booked_on: dt.date | None


@dataclass(frozen=True, slots=True)
class Finding:
    """One compared item; `diff_fen` is theirs minus ours (amounts, or fees for FEE)."""

    class_: str
    theirs: Theirs | None
    ours: Ours | None
    diff_fen: int = 0


def match_day(
    day: dt.date, theirs: Sequence[Theirs], ours: Iterable[Ours], *, settled_before: frozenset[str] = frozenset()
) -> tuple[Finding, ...]:
    """Compare one day. `ours`: what we booked on `day`, and every sub-order the statement names.

    `settled_before` holds ids of ours that an earlier statement already matched (booked after midnight).
    """
    own = {order.out_trade_no: order for order in ours}
    findings: list[Finding] = []
    seen_transactions: set[str] = set()
    seen_orders: set[str] = set()
    for line in sorted(theirs, key=lambda t: t.line_no):
        mine = own.get(line.out_trade_no)
        if line.transaction_id in seen_transactions or line.out_trade_no in seen_orders:
            findings.append(Finding(DUPLICATE, line, mine, line.amount_fen))
            continue
        seen_transactions.add(line.transaction_id)
        seen_orders.add(line.out_trade_no)
        findings.append(classify(line, mine, day, is_matched_before=mine is not None and mine.id in settled_before))
    for order in sorted(own.values(), key=lambda o: o.id):
        if order.booked_on == day and order.out_trade_no not in seen_orders and order.id not in settled_before:
            findings.append(Finding(SHORT, None, order, -order.amount_fen))
    return tuple(findings)


def classify(line: Theirs, mine: Ours | None, day: dt.date, *, is_matched_before: bool = False) -> Finding:
    """The class of one statement line against our sub-order of the same number, if there is one."""
    if mine is None or mine.booked_on is None:
        return Finding(LONG, line, mine, line.amount_fen)
    if is_matched_before or mine.transaction_id != line.transaction_id:
        return Finding(DUPLICATE, line, mine, line.amount_fen)
    if line.trade_state != "SUCCESS" or line.merchant_id != mine.merchant_id:
        return Finding(STATUS, line, mine)
    if line.amount_fen != mine.amount_fen:
        return Finding(AMOUNT, line, mine, line.amount_fen - mine.amount_fen)
    if line.fee_fen != mine.fee_fen:
        return Finding(FEE, line, mine, line.fee_fen - mine.fee_fen)
    return Finding(MATCHED if mine.booked_on == day else CUTOFF, line, mine)
