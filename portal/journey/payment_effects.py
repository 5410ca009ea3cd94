"""What a captured payment sets off in the same transaction: receipt, word to the payees, timeline, the next step."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.billing.capture import Captured
from portal.billing.tables import Allocation, Bill, BillLine, Payment, PaymentOrder, PaymentSubOrder
from portal.cases.tables import Case
from portal.journey import progress
from portal.journey.case_files import load_case
from portal.journey.events import note_event, send_case_event
from portal.journey.notices import common_values
from portal.journey.papers import order_document
from portal.kernel import audit
from portal.kernel.clock import format_instant
from portal.kernel.policy import SYSTEM

SHOWN = 5  # transaction numbers that fit on the receipt's line


def announce_capture(session: Session, captured: Captured, *, at: dt.datetime, wire_at: dt.datetime) -> None:
    """Step: everything that follows from money that has just been booked."""
    # The case is locked before anything points at it: two writers that each hold a share of it would block each other.
    session.scalars(select(Case.id).where(Case.id == captured.case_id).with_for_update()).one()
    facts = {"number": captured.payment_number, "amount_fen": captured.amount_fen, "is_late": captured.is_late}
    kind = "payment_unallocated" if captured.is_late else "payment_captured"
    note_event(session, case_id=captured.case_id, kind=kind, actor=SYSTEM, at=at, facts=facts)
    audit.record(session, actor=SYSTEM, action="payment.captured", subject=captured.order_id, detail=facts, at=at)
    if captured.is_late:
        return
    _order_receipt(session, captured, at=at, wire_at=wire_at)
    _tell_payees(session, captured, at=at, wire_at=wire_at)
    progress.advance(session, case_id=captured.case_id, at=at, wire_at=wire_at)


def raise_alarm(session: Session, order: PaymentOrder, *, kind: str, reason: str, at: dt.datetime) -> None:
    """Step: something about an order needs a person; it stands in the case's timeline and the audit chain."""
    payment = session.get_one(Payment, order.payment_id)
    facts = {"out_trade_no": order.out_trade_no, "reason": reason[:400]}
    note_event(session, case_id=payment.case_id, kind=kind, actor=SYSTEM, at=at, facts=facts)
    audit.record(session, actor=SYSTEM, action=kind.replace("_", ".", 1), subject=order.id, detail=facts, at=at)


def _order_receipt(session: Session, captured: Captured, *, at: dt.datetime, wire_at: dt.datetime) -> None:
    bill = session.scalars(select(Bill).where(Bill.case_id == captured.case_id).order_by(Bill.version)).first()
    order = session.get_one(PaymentOrder, captured.order_id)
    assert bill is not None
    number = _receipt_number(session, captured)
    paid = {
        "order_no": order.out_trade_no,
        "transaction_no": _transactions(session, order.id),
        "channel": "微信支付",
        "paid_at": captured.success_at,
        "amount_fen": captured.amount_fen,
        "shares": _shares(session, order.id),
    }
    order_document(
        session,
        kind="payment_receipt",
        case_id=captured.case_id,
        subject_id=captured.subject_id,
        number=number,
        values={
            **common_values(load_case(session, case_id=captured.case_id, lock=False), number=number, at=at),
            "payer": bill.payer_name,
            "bill_no": bill.number,
            "total_fen": captured.amount_fen,
            "orders": [paid],
        },
        at=at,
        wire_at=wire_at,
    )


def _shares(session: Session, order_id: str) -> list[dict[str, Any]]:
    rows = session.execute(
        select(BillLine.payee_name, func.sum(Allocation.amount_fen))
        .join(Allocation, Allocation.line_id == BillLine.id)
        .where(Allocation.order_id == order_id)
        .group_by(BillLine.provider, BillLine.payee_name)
        .order_by(BillLine.provider)
    )
    return [{"payee": name, "amount_fen": int(fen)} for name, fen in rows]


def _receipt_number(session: Session, captured: Captured) -> str:
    # Orders of one payment are captured one by one; each has its own receipt.
    paid = session.scalar(
        select(func.count())
        .select_from(PaymentOrder)
        .where(PaymentOrder.payment_id == captured.payment_id, PaymentOrder.state == "SUCCESS")
    )
    return captured.payment_number if paid == 1 else f"{captured.payment_number}-{paid}"


def _transactions(session: Session, order_id: str) -> str:
    query = select(PaymentSubOrder.transaction_id).where(PaymentSubOrder.order_id == order_id)
    numbers = [number for number in session.scalars(query.order_by(PaymentSubOrder.provider)) if number]
    return "、".join(numbers) if len(numbers) <= SHOWN else f"{numbers[0]} 等 {len(numbers)} 笔"


def _tell_payees(session: Session, captured: Captured, *, at: dt.datetime, wire_at: dt.datetime) -> None:
    lines = session.execute(
        select(Allocation.provider, BillLine.item_code, Allocation.amount_fen)
        .join(BillLine, Allocation.line_id == BillLine.id)
        .where(Allocation.order_id == captured.order_id)
        .order_by(BillLine.position)
    ).all()
    for provider, amount_fen in captured.by_provider:
        own = [{"fee_item": item, "amount_fen": fen} for code, item, fen in lines if code == provider]
        data = {
            "payment_no": captured.payment_number,
            "case_no": session.scalars(select(Bill.case_no).where(Bill.case_id == captured.case_id).limit(1)).one(),
            "provider": provider,
            "amount_fen": amount_fen,
            "currency": "CNY",
            "paid_at": format_instant(captured.success_at),
            "lines": own,
        }
        send_case_event(
            session,
            case_id=captured.case_id,
            providers=[provider],
            type_="payment.received",
            data=data,
            at=at,
            wire_at=wire_at,
        )
