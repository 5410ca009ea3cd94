"""Capture: the gateway says an order is paid. Guarded, so that a notice and a query racing each other book it once.

captured → allocated to lines → split per provider → ledger, in the caller's one transaction. Nothing commits here.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from portal.billing import allocation as rule
from portal.billing.ledger import post_entry, stamp_day
from portal.billing.port import CURRENCY, OrderState, SubState
from portal.billing.postings import Movement, build
from portal.billing.tables import (
    Allocation,
    Bill,
    BillLine,
    Payment,
    PaymentLine,
    PaymentOrder,
    PaymentSubOrder,
    Split,
)
from portal.kernel.ids import new_id

OPEN_STATES = ("CREATED", "SUBMITTED", "UNKNOWN")
LATE_STATES = ("CLOSED", "EXPIRED")


@dataclass(frozen=True, slots=True)
class Captured:
    """What one captured order brought: fen per provider, what stayed unallocated, and the bills now fully paid."""

    order_id: str
    payment_id: str
    payment_number: str
    case_id: str
    subject_id: str
    amount_fen: int
    unallocated_fen: int
    is_late: bool
    booked_on: dt.date
    success_at: dt.datetime
    by_provider: tuple[tuple[str, int], ...]
    paid_bills: tuple[str, ...]


def find_difference(order: PaymentOrder, subs: Sequence[PaymentSubOrder], state: OrderState) -> str | None:
    """Why this SUCCESS is not the order we asked for, or None: number, payees, amounts and currency are compared."""
    if state.out_trade_no != order.out_trade_no:
        return "out_trade_no"
    theirs = {sub.out_trade_no: sub for sub in state.subs}
    if len(theirs) != len(state.subs) or theirs.keys() != {sub.sub_out_trade_no for sub in subs}:
        return "sub_orders"
    for sub in subs:
        if reason := _difference(sub, theirs[sub.sub_out_trade_no]):
            return f"{sub.sub_out_trade_no}: {reason}"
    return None


def _difference(ours: PaymentSubOrder, theirs: SubState) -> str | None:
    if theirs.merchant_id != ours.merchant_id:
        return f"merchant {theirs.merchant_id} for {ours.merchant_id}"
    if theirs.currency != CURRENCY:
        return f"currency {theirs.currency}"
    if theirs.amount_fen != ours.amount_fen:
        return f"amount {theirs.amount_fen} for {ours.amount_fen}"
    if not theirs.transaction_id or theirs.success_at is None:
        return "transaction_id or success_time is missing"
    return None


def capture_order(
    session: Session, order: PaymentOrder, state: OrderState, *, channel: str, at: dt.datetime
) -> Captured | None:
    """Book a SUCCESS that `find_difference` has passed; None if somebody booked it before.

    An order we had closed already is legal (the payer was faster): its money is booked and stays unallocated.
    """
    success_at = max(sub.success_at for sub in state.subs if sub.success_at is not None)
    is_late = not _claim(session, order.id, OPEN_STATES, success_at, is_late=False)
    if is_late and not _claim(session, order.id, LATE_STATES, success_at, is_late=True):
        return None
    payment = session.get_one(Payment, order.payment_id)
    day = stamp_day(session, at)
    subs = _mark_subs(session, order.id, state, day)
    allocations = [] if is_late else _allocate(session, payment, order, subs, day)
    paid_bills = [] if is_late else _settle_bills(session, payment.case_id, at)
    by_provider = _split(session, order, allocations, at)
    _post(session, order, payment, by_provider, channel=channel, day=day, value_time=success_at, at=at)
    return Captured(
        order_id=order.id,
        payment_id=payment.id,
        payment_number=payment.number,
        case_id=payment.case_id,
        subject_id=payment.subject_id,
        amount_fen=order.amount_fen,
        unallocated_fen=order.amount_fen - sum(by_provider.values()),
        is_late=is_late,
        booked_on=day,
        success_at=success_at,
        by_provider=tuple(sorted(by_provider.items())),
        paid_bills=tuple(paid_bills),
    )


def release_lines(session: Session, order: PaymentOrder) -> None:
    """Let go of the lines an order held, so that they can be paid again."""
    held = select(PaymentLine.line_id).join(PaymentSubOrder).where(PaymentSubOrder.order_id == order.id)
    session.execute(
        update(BillLine)
        .where(BillLine.id.in_(held), BillLine.held_by == order.payment_id)
        .values(held_by=None)
        .execution_options(synchronize_session=False)
    )


def _claim(session: Session, order_id: str, states: Sequence[str], success_at: dt.datetime, *, is_late: bool) -> bool:
    result = session.execute(
        update(PaymentOrder)
        .where(PaymentOrder.id == order_id, PaymentOrder.state.in_(states))
        .values(state="SUCCESS", success_at=success_at, is_late=is_late)
        .execution_options(synchronize_session=False)
    )
    assert isinstance(result, CursorResult)
    return result.rowcount == 1


def _mark_subs(session: Session, order_id: str, state: OrderState, day: dt.date) -> list[PaymentSubOrder]:
    theirs = {sub.out_trade_no: sub for sub in state.subs}
    query = select(PaymentSubOrder).where(PaymentSubOrder.order_id == order_id).order_by(PaymentSubOrder.provider)
    subs = list(session.scalars(query))
    for sub in subs:
        sub.transaction_id = theirs[sub.sub_out_trade_no].transaction_id
        sub.booked_on = day
    session.flush()
    return subs


def _allocate(
    session: Session, payment: Payment, order: PaymentOrder, subs: Sequence[PaymentSubOrder], day: dt.date
) -> list[Allocation]:
    # The bills are locked first: two orders of one bill must see each other's lines when they decide "all paid".
    session.scalars(select(Bill.id).where(Bill.case_id == payment.case_id).order_by(Bill.id).with_for_update()).all()
    rows = []
    for sub in subs:
        chosen = select(PaymentLine.line_id).where(PaymentLine.sub_order_id == sub.id)
        lines = session.scalars(
            select(BillLine)
            .where(BillLine.id.in_(chosen))
            .order_by(BillLine.id)
            .execution_options(populate_existing=True)
        )
        open_lines = [rule.OpenLine(line.id, line.provider, line.due_fen - line.paid_fen) for line in lines]
        for share in rule.allocate_payment(sub.amount_fen, open_lines).shares:
            _pay_line(session, share)
            rows.append(
                Allocation(
                    id=new_id(),
                    payment_id=payment.id,
                    order_id=order.id,
                    sub_order_id=sub.id,
                    line_id=share.line_id,
                    provider=share.provider,
                    rail=order.rail,
                    amount_fen=share.amount_fen,
                    booked_on=day,
                )
            )
    session.add_all(rows)
    release_lines(session, order)
    session.flush()
    return rows


def _pay_line(session: Session, share: rule.Share) -> None:
    # The CHECK 0 <= paid <= due decides under any isolation level; the bill's lock makes it never bite here.
    session.execute(
        update(BillLine)
        .where(BillLine.id == share.line_id)
        .values(paid_fen=BillLine.paid_fen + share.amount_fen)
        .execution_options(synchronize_session=False)
    )


def _settle_bills(session: Session, case_id: str, at: dt.datetime) -> list[str]:
    owed = select(BillLine.bill_id).where(BillLine.paid_fen < BillLine.due_fen)
    paid = session.scalars(
        select(Bill.id).where(Bill.case_id == case_id, Bill.state == "issued", Bill.id.not_in(owed))
    ).all()
    for bill_id in paid:
        session.execute(
            update(Bill)
            .where(Bill.id == bill_id, Bill.state == "issued")
            .values(state="paid", paid_at=at)
            .execution_options(synchronize_session=False)
        )
    return list(paid)


def _split(session: Session, order: PaymentOrder, allocations: Sequence[Allocation], at: dt.datetime) -> dict[str, int]:
    by_provider: dict[str, int] = {}
    for row in allocations:
        by_provider[row.provider] = by_provider.get(row.provider, 0) + row.amount_fen
    session.add_all(
        Split(
            id=new_id(),
            payment_id=order.payment_id,
            order_id=order.id,
            provider=provider,
            amount_fen=fen,
            split_at=at,
        )
        for provider, fen in sorted(by_provider.items())
    )
    session.flush()
    return by_provider


def _post(
    session: Session,
    order: PaymentOrder,
    payment: Payment,
    by_provider: dict[str, int],
    *,
    channel: str,
    day: dt.date,
    value_time: dt.datetime,
    at: dt.datetime,
) -> None:
    customer = payment.subject_id
    parts = [Movement(fen, customer=customer, provider=provider) for provider, fen in sorted(by_provider.items())]
    for kind, movements in (
        ("captured", [Movement(order.amount_fen, customer=customer)]),
        ("allocated", parts),
        ("paid_direct", parts),
    ):
        post_entry(
            session,
            source=("order", order.id),
            kind=kind,
            transfers=build(kind, movements, channel=channel),
            day=day,
            value_time=value_time,
            at=at,
        )
