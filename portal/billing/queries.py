"""Reading the money of a case: what is owed, and the figures of its record."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session
from sqlalchemy.sql import Select

from portal.billing.ledger_check import balances, verify_ledger
from portal.billing.tables import (
    Allocation,
    Bill,
    BillLine,
    Entry,
    Payment,
    PaymentOrder,
    ReconItem,
    Settlement,
    SettlementItem,
    Split,
    StatementLine,
)


def is_paid_for(session: Session, case_id: str, provider: str, *, before: str | None = None) -> bool:
    """Whether nothing is owed to this provider on the case's bills; `before` (works, connection) narrows the lines."""
    owed = _owed_lines(case_id).where(BillLine.provider == provider)
    if before is not None:
        owed = owed.where(BillLine.pay_before == before)
    return session.scalars(owed.limit(1)).first() is None


def is_bill_paid(session: Session, case_id: str) -> bool:
    """Whether the case has a bill and nothing is owed on any of its bills."""
    has_bill = session.scalars(select(Bill.id).where(Bill.case_id == case_id).limit(1)).first() is not None
    return has_bill and session.scalars(_owed_lines(case_id).limit(1)).first() is None


def unpaid_cases(session: Session, case_ids: Collection[str]) -> set[str]:
    """Which of these cases owe something on a bill."""
    query = select(Bill.case_id).join(BillLine, BillLine.bill_id == Bill.id)
    return set(session.scalars(query.where(Bill.case_id.in_(case_ids), *_OWED)))


_OWED = (BillLine.paid_fen < BillLine.due_fen, BillLine.void_at.is_(None))


def _owed_lines(case_id: str) -> Select[str]:
    return select(BillLine.id).join(Bill).where(Bill.case_id == case_id, *_OWED)


def case_money(session: Session, case_id: str) -> dict[str, Any]:
    """`bill`, `payment`, `splits` and `settlements` of a case, as its record shows them; all amounts in fen.

    A settlement joins all cases of a provider and day: `net_fen` is this case's part of it.
    """
    return {
        "bill": _bill(session, case_id),
        "payment": _payment(session, case_id),
        "splits": [
            {"provider": provider, "amount_fen": int(fen)}
            for provider, fen in session.execute(
                select(Split.provider, func.sum(Split.amount_fen))
                .join(Payment, Payment.id == Split.payment_id)
                .where(Payment.case_id == case_id)
                .group_by(Split.provider)
                .order_by(Split.provider)
            )
        ],
        "settlements": _settlements(session, case_id),
    }


def _bill(session: Session, case_id: str) -> dict[str, Any] | None:
    bills = session.scalars(select(Bill).where(Bill.case_id == case_id).order_by(Bill.version)).all()
    if not bills:
        return None
    lines = session.scalars(
        select(BillLine).join(Bill).where(Bill.case_id == case_id).order_by(Bill.version, BillLine.position)
    ).all()
    return {
        "number": bills[0].number,
        "numbers": [bill.number for bill in bills],
        "state": "paid" if all(bill.state == "paid" for bill in bills) else "issued",
        "total_fen": sum(bill.total_fen for bill in bills),
        "lines": [
            {"provider": row.provider, "item": row.item_code, "due_fen": row.due_fen, "paid_fen": row.paid_fen}
            for row in lines
            if row.void_at is None or row.paid_fen
        ],
        "owed_back_fen": sum(row.refund_fen for row in lines),
        "pdf": bills[0].document_id,
    }


def _payment(session: Session, case_id: str) -> dict[str, Any]:
    paid = session.scalar(
        select(func.coalesce(func.sum(Allocation.amount_fen), 0))
        .join(Payment, Payment.id == Allocation.payment_id)
        .where(Payment.case_id == case_id)
    )
    orders = session.scalars(
        select(PaymentOrder)
        .join(Payment, Payment.id == PaymentOrder.payment_id)
        .where(Payment.case_id == case_id)
        .order_by(PaymentOrder.created_at, PaymentOrder.out_trade_no)
    )
    return {
        "paid_fen": int(paid or 0),
        "orders": [
            {"out_trade_no": o.out_trade_no, "rail": o.rail, "state": o.state, "amount_fen": o.amount_fen}
            for o in orders
        ],
    }


def _settlements(session: Session, case_id: str) -> list[dict[str, Any]]:
    rows = session.execute(
        select(Settlement, SettlementItem.amount_fen, Allocation.sub_order_id)
        .join(SettlementItem, SettlementItem.settlement_id == Settlement.id)
        .join(Allocation, Allocation.id == SettlementItem.allocation_id)
        .join(Payment, Payment.id == Allocation.payment_id)
        .where(Payment.case_id == case_id)
        .order_by(Settlement.provider, Settlement.day, Settlement.rail)
    ).all()
    shares: dict[str, dict[str, Any]] = {}
    subs: dict[str, set[str]] = {}
    for settlement, amount_fen, sub_order_id in rows:
        share = shares.setdefault(
            settlement.id,
            {
                "provider": settlement.provider,
                "number": settlement.number,
                "rail": settlement.rail,
                "day": settlement.day.isoformat(),
                "gross_fen": 0,
                "state": settlement.state,
            },
        )
        share["gross_fen"] += amount_fen
        subs.setdefault(settlement.id, set()).add(sub_order_id)
    for settlement_id, share in shares.items():
        share["fee_fen"] = _fees(session, subs[settlement_id]) if share["state"] == "RECONCILED" else 0
        share["net_fen"] = share["gross_fen"] - share["fee_fen"]
    return list(shares.values())


def _fees(session: Session, sub_order_ids: set[str]) -> int:
    fee = session.scalar(
        select(func.coalesce(func.sum(StatementLine.fee_fen), 0))
        .join(ReconItem, ReconItem.statement_line_id == StatementLine.id)
        .where(ReconItem.sub_order_id.in_(sub_order_ids), ReconItem.class_.in_(("MATCHED", "CUTOFF")))
    )
    return int(fee or 0)


def ledger_facts(session: Session) -> dict[str, Any]:
    """`entries`: how many; `balanced`: whether every invariant holds; `broken`: the first that does not, by name."""
    broken = verify_ledger(session)
    return {
        "entries": session.scalar(select(func.count()).select_from(Entry)) or 0,
        "balanced": broken is None,
        "broken": None if broken is None else f"{broken.invariant}: {broken.where}",
    }


def ledger_balances(session: Session) -> dict[str, int]:
    """Every account's balance in fen on its natural side."""
    return balances(session)
