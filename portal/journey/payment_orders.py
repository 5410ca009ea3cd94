"""The orders of a payment: each with its shares, told to the gateway through the outbox, and asked after."""

from __future__ import annotations

import base64
import datetime as dt
from collections.abc import Sequence
from typing import Literal, cast

from sqlalchemy.orm import Session

from portal.billing.gateway import gateway_in_use
from portal.billing.port import Order, SubOrder
from portal.billing.rails import PLAIN, OrderPlan, SubPlan
from portal.billing.tables import Bill, Payment, PaymentLine, PaymentOrder, PaymentSubOrder
from portal.exchange import outbox
from portal.journey.payment_answers import queue_query
from portal.journey.payment_watch import FIRST_STEP
from portal.kernel.ids import new_id

ORDER_LIFE = dt.timedelta(hours=24)  # business time in which the payer can use the cashier page


def create_order(
    session: Session,
    payment: Payment,
    bill: Bill,
    plan: OrderPlan,
    amounts: dict[str, int],
    *,
    at: dt.datetime,
    wire_at: dt.datetime,
) -> None:
    """Step: one order of a payment with its shares, its message to the gateway and its first query.

    `amounts` gives fen by bill line. `at` is business time (the payer's limit), `wire_at` when the message goes.
    """
    order_id = new_id()
    order = PaymentOrder(
        id=order_id,
        payment_id=payment.id,
        out_trade_no=trade_number(order_id, "O"),
        rail=plan.rail,
        state="CREATED",
        amount_fen=plan.amount_fen,
        description=f"一口办联合账单 {bill.case_no}",
        created_at=at,
        expires_at=at + ORDER_LIFE,
        next_query_at=at + FIRST_STEP,
    )
    session.add(order)
    session.flush()
    subs = [_create_sub(session, order, sub, amounts) for sub in plan.subs]
    _send_order(session, order, subs, bill.case_id, at=at, wire_at=wire_at)
    queue_query(session, order.id, attempt=1, wire_at=wire_at)


def _send_order(
    session: Session,
    order: PaymentOrder,
    subs: Sequence[SubOrder],
    case_id: str,
    *,
    at: dt.datetime,
    wire_at: dt.datetime,
) -> None:
    request = gateway_in_use().render_order(
        Order(
            out_trade_no=order.out_trade_no,
            rail=cast(Literal["COMBINE", "PLAIN"], order.rail),
            description=order.description,
            subs=tuple(subs),
            expires_at=order.expires_at,
        )
    )
    outbox.enqueue(
        session,
        destination="gateway",
        kind="order",
        path=request.path,
        body=request.body,
        case_id=case_id,
        message_id=order.id,
        at=at,
        wire_at=wire_at,
    )


def _create_sub(session: Session, order: PaymentOrder, plan: SubPlan, amounts: dict[str, int]) -> SubOrder:
    sub_id = new_id()
    number = order.out_trade_no if order.rail == PLAIN else trade_number(sub_id, "S")
    session.add(
        PaymentSubOrder(
            id=sub_id,
            order_id=order.id,
            provider=plan.provider,
            merchant_id=plan.merchant_id,
            sub_out_trade_no=number,
            amount_fen=plan.amount_fen,
            expected_fee_fen=0,
        )
    )
    session.flush()
    session.add_all(
        PaymentLine(
            id=new_id(), payment_id=order.payment_id, sub_order_id=sub_id, line_id=line_id, amount_fen=amounts[line_id]
        )
        for line_id in plan.line_ids
    )
    session.flush()
    return SubOrder(number, plan.merchant_id, plan.amount_fen)


def trade_number(row_id: str, letter: str) -> str:
    """The number a row has at the gateway: its id in base32 and a letter for its kind (27 characters, at most 32)."""
    return base64.b32encode(bytes.fromhex(row_id)).decode().rstrip("=") + letter
