"""Rows of a bill and its orders, made straight in the tables, and the gateway's word that an order is paid."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from sqlalchemy.orm import Session

from portal.billing.capture import Captured, capture_order
from portal.billing.port import OrderState, SubState
from portal.billing.tables import Bill, BillLine, Payment, PaymentLine, PaymentOrder, PaymentSubOrder
from portal.kernel.database import transaction
from portal.kernel.ids import new_id
from tests.conftest import AT


def make_bill(session: Session, amounts: dict[str, int], *, case_id: str | None = None) -> Bill:
    """A bill with one line per provider."""
    bill = Bill(
        id=new_id(),
        number=f"ZD-{new_id()[:12]}",
        case_id=case_id or new_id(),
        case_no="LB1",
        version=1,
        subject_id="org-1",
        payer_name="河套番茄制品有限公司",
        state="issued",
        total_fen=sum(amounts.values()),
        issued_at=AT,
    )
    session.add(bill)
    session.flush()
    for position, (provider, amount) in enumerate(sorted(amounts.items()), start=1):
        session.add(
            BillLine(
                id=new_id(),
                bill_id=bill.id,
                position=position,
                provider=provider,
                payee_name=provider,
                merchant_id=f"m-{provider}",
                item_code="A",
                title="A",
                quantity="1",
                unit="户",
                unit_price_fen=amount,
                due_fen=amount,
                paid_fen=0,
                vat_rate="9",
                basis="",
                merged=True,
                pay_before="connection",
            )
        )
    session.flush()
    return bill


def make_order(session: Session, bill: Bill, *, state: str = "SUBMITTED") -> PaymentOrder:
    """A combined order over all lines of the bill."""
    payment = Payment(
        id=new_id(),
        number=f"JF-{new_id()[:12]}",
        case_id=bill.case_id,
        subject_id=bill.subject_id,
        actor_id="person-1",
        idempotency_key=new_id(),
        fingerprint="f" * 64,
        amount_fen=bill.total_fen,
        allocation_profile="2026-1",
        started_at=AT,
    )
    session.add(payment)
    session.flush()
    order = PaymentOrder(
        id=new_id(),
        payment_id=payment.id,
        out_trade_no=new_id()[:27],
        rail="COMBINE",
        state=state,
        amount_fen=bill.total_fen,
        description="账单",
        created_at=AT,
        expires_at=AT + dt.timedelta(hours=24),
        next_query_at=AT,
    )
    session.add(order)
    session.flush()
    for line in session.query(BillLine).filter_by(bill_id=bill.id).order_by(BillLine.provider):
        _pay_line(session, order, line)
    session.flush()
    return order


def _pay_line(session: Session, order: PaymentOrder, line: BillLine) -> None:
    sub = PaymentSubOrder(
        id=new_id(),
        order_id=order.id,
        provider=line.provider,
        merchant_id=line.merchant_id,
        sub_out_trade_no=new_id()[:27],
        amount_fen=line.due_fen,
    )
    session.add(sub)
    session.flush()
    session.add(
        PaymentLine(
            id=new_id(), payment_id=order.payment_id, sub_order_id=sub.id, line_id=line.id, amount_fen=line.due_fen
        )
    )


def paid_state(session: Session, order: PaymentOrder, *, at: dt.datetime = AT) -> OrderState:
    """What the gateway says once the order is paid."""
    subs = session.query(PaymentSubOrder).filter_by(order_id=order.id).order_by(PaymentSubOrder.provider)
    return OrderState(
        order.out_trade_no,
        "wx0000000000000001",
        "1900000001",
        tuple(
            SubState(s.sub_out_trade_no, s.merchant_id, "SUCCESS", f"42-{s.id}", s.amount_fen, "CNY", at) for s in subs
        ),
    )


def with_sub(state: OrderState, **changes: object) -> OrderState:
    """The same word with its first part changed."""
    return replace(state, subs=(replace(state.subs[0], **changes), *state.subs[1:]))


def capture(order_id: str, state: OrderState, *, at: dt.datetime = AT) -> Captured | None:
    """One capture in a transaction of its own."""
    with transaction() as session:
        order = session.get_one(PaymentOrder, order_id)
        return capture_order(session, order, state, channel="wechat", at=at)
