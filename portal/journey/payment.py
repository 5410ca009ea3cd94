"""缴费: the applicant starts a payment; its orders go to the gateway through the outbox. Answers: `payment_answers`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.billing.allocation import PROFILE
from portal.billing.gateway import use_gateway
from portal.billing.rails import Payable, plan_orders
from portal.billing.tables import Bill, BillLine, Payment, PaymentOrder, PaymentSubOrder
from portal.journey.payment_answers import (
    apply_delivered,
    apply_notice,
    apply_order_answer,
    order_value,
    query_order,
    receive_notice,
)
from portal.journey.payment_orders import create_order
from portal.kernel import audit
from portal.kernel.clock import local_date
from portal.kernel.database import transaction
from portal.kernel.errors import Conflict, NotFound
from portal.kernel.guard import change
from portal.kernel.idempotency import fingerprint_of, recall, remember
from portal.kernel.ids import new_id, new_number
from portal.kernel.policy import Actor, require

__all__ = [
    "Started",
    "StartedOrder",
    "apply_delivered",
    "apply_notice",
    "apply_order_answer",
    "case_payments",
    "order_value",
    "payment_view",
    "query_order",
    "receive_notice",
    "start_payment",
    "use_gateway",
]


@dataclass(frozen=True, slots=True)
class StartedOrder:
    """One order of a payment; `pay_url` is there once the gateway has answered."""

    order_id: str
    out_trade_no: str
    rail: str
    state: str
    amount_fen: int
    providers: tuple[str, ...]
    pay_url: str | None


@dataclass(frozen=True, slots=True)
class Started:
    """A payment with its orders; everything is paid when every order's state is SUCCESS."""

    payment_id: str
    number: str
    amount_fen: int
    orders: tuple[StartedOrder, ...]


def start_payment(
    actor: Actor,
    *,
    case_id: str,
    line_ids: Collection[str] | None,
    idempotency_key: str,
    at: dt.datetime,
    wire_at: dt.datetime,
) -> Started:
    """Start paying these bill lines of a case (None: all that is owed). Amounts come from the bill alone.

    The same key gives the same payment; lines already being paid give the payment under way. Raises NotFound,
    Invalid (`idempotency_mismatch`), Conflict (`nothing_to_pay`, `payment_in_progress`, `over_gateway_limit`,
    `too_many_payees`).
    """
    wanted = None if line_ids is None else sorted(set(line_ids))
    fingerprint = fingerprint_of({"case_id": case_id, "line_ids": wanted})
    scope = f"payment.start:{actor.id}"
    with transaction() as session:
        bill = session.scalars(select(Bill).where(Bill.case_id == case_id).limit(1)).first()
        if bill is None:
            raise NotFound
        require(actor, "case.pay", {"applicant_ids": frozenset({bill.subject_id})})
        if kept := recall(session, scope, idempotency_key, fingerprint, at=wire_at):
            return _started(session, kept["payment_id"])
        lines = _lines_to_pay(session, case_id, wanted)
        free = [line for line in lines if line.held_by is None]
        if not free or (wanted is not None and len(free) < len(lines)):
            payment_id = _payment_under_way(lines)
        else:
            payment_id = _create(session, actor, bill, free, fingerprint, idempotency_key, at, wire_at)
        remember(session, scope, idempotency_key, {"payment_id": payment_id})
        return _started(session, payment_id)


def _lines_to_pay(session: Session, case_id: str, wanted: Sequence[str] | None) -> list[BillLine]:
    query = select(BillLine).join(Bill).where(Bill.case_id == case_id).order_by(BillLine.id)
    if wanted is not None:
        query = query.where(BillLine.id.in_(wanted))
    lines = list(session.scalars(query.with_for_update(of=BillLine)))
    if wanted is not None and len(lines) != len(wanted):
        raise NotFound
    owed = [line for line in lines if line.owed_fen]
    if not owed:
        raise Conflict("没有需要缴纳的费用。", code="nothing_to_pay")
    return owed


def _payment_under_way(lines: Sequence[BillLine]) -> str:
    holders = {line.held_by for line in lines}
    if len(holders) == 1 and (holder := holders.pop()) is not None:
        return holder
    payments = sorted(holder for holder in {line.held_by for line in lines} if holder)
    message = "所选费用中有正在缴纳的，请先完成该笔缴费，或稍后再试。"
    raise Conflict(message, code="payment_in_progress", facts={"payments": payments})


def _create(
    session: Session,
    actor: Actor,
    bill: Bill,
    lines: Sequence[BillLine],
    fingerprint: str,
    key: str,
    at: dt.datetime,
    wire_at: dt.datetime,
) -> str:
    owed = [Payable(x.id, x.provider, x.merchant_id, x.due_fen - x.paid_fen, x.merged) for x in lines]
    plans = plan_orders(owed)
    payment = Payment(
        id=new_id(),
        number=new_number("JF", local_date(at).strftime("%y%m%d")),
        case_id=bill.case_id,
        subject_id=bill.subject_id,
        actor_id=actor.id,
        idempotency_key=key,
        fingerprint=fingerprint,
        amount_fen=sum(plan.amount_fen for plan in plans),
        allocation_profile=PROFILE,
        started_at=at,
    )
    session.add(payment)
    session.flush()
    for line in lines:
        change(session, BillLine, line.id, {"held_by": None, "paid_fen": line.paid_fen}, {"held_by": payment.id})
    amounts = {line.line_id: line.amount_fen for line in owed}
    for plan in plans:
        create_order(session, payment, bill, plan, amounts, at=at, wire_at=wire_at)
    detail = {"number": payment.number, "case_no": bill.case_no, "amount_fen": payment.amount_fen}
    audit.record(session, actor=actor, action="payment.started", subject=payment.id, detail=detail, at=at)
    return payment.id


def payment_view(session: Session, actor: Actor, *, payment_id: str) -> Started:
    """A payment as its payer and staff see it. Raises NotFound."""
    payment = session.get(Payment, payment_id)
    if payment is None:
        raise NotFound
    require(actor, "case.view", {"applicant_ids": frozenset({payment.subject_id})})
    return _started(session, payment_id)


def case_payments(session: Session, actor: Actor, *, case_id: str) -> tuple[Started, ...]:
    """All payments of a case, oldest first. Raises NotFound where they are not this actor's to see."""
    payments = session.scalars(select(Payment).where(Payment.case_id == case_id).order_by(Payment.started_at)).all()
    return tuple(payment_view(session, actor, payment_id=payment.id) for payment in payments)


def _started(session: Session, payment_id: str) -> Started:
    payment = session.get_one(Payment, payment_id)
    orders = session.scalars(
        select(PaymentOrder)
        .where(PaymentOrder.payment_id == payment_id)
        .order_by(PaymentOrder.rail, PaymentOrder.out_trade_no)
        .execution_options(populate_existing=True)
    ).all()
    return Started(payment.id, payment.number, payment.amount_fen, tuple(_started_order(session, o) for o in orders))


def _started_order(session: Session, order: PaymentOrder) -> StartedOrder:
    query = select(PaymentSubOrder.provider).where(PaymentSubOrder.order_id == order.id)
    values: dict[str, Any] = {"providers": tuple(sorted(session.scalars(query)))}
    return StartedOrder(
        order_id=order.id,
        out_trade_no=order.out_trade_no,
        rail=order.rail,
        state=order.state,
        amount_fen=order.amount_fen,
        pay_url=order.pay_url,
        **values,
    )
