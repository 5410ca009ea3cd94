"""What the gateway says about an order (answer, notice, query) and what follows from it, exactly once.

Nothing the gateway sends is acted on before its number, payees, amounts and currency have been compared with ours.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Literal, cast

from sqlalchemy import select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from portal.billing.capture import OPEN_STATES, capture_order, release_lines
from portal.billing.capture_check import find_difference
from portal.billing.gateway import gateway_in_use, retry_scale_in_use
from portal.billing.port import Answer, Closed, Created, Order, OrderState, Rejected, SubOrder, Unknown
from portal.billing.tables import GatewayNotice, PaymentOrder, PaymentSubOrder
from portal.exchange.dialects import insert_unless_there
from portal.journey.delivery import Answered
from portal.journey.jobs import queue_job
from portal.journey.payment_effects import announce_capture, raise_alarm
from portal.kernel.database import db, transaction
from portal.kernel.errors import Invalid, NotFound, NotSignedIn
from portal.kernel.guard import try_change
from portal.kernel.ids import new_id

MAX_NOTICE = 65_536
FIRST_QUERY_S = 15.0  # wire seconds until the first question; each next one waits twice as long
QUICK_QUESTIONS = 4  # after these the calendar asks (payment_watch)
ALREADY_PAID = "ORDERPAID"
GONE_STATES = ("CLOSED", "REVOKED")
KEPT_HEADERS = (
    "wechatpay-timestamp",
    "wechatpay-nonce",
    "wechatpay-signature",
    "wechatpay-serial",
    "wechatpay-signature-type",
)


def apply_order_answer(order_id: str, status: int, body: bytes, *, at: dt.datetime, wire_at: dt.datetime) -> None:
    """Use case: the gateway answered the request that creates an order; status 0 means that nobody knows.

    A late answer to an order that has moved on changes nothing.
    """
    outcome = gateway_in_use().read_order_answer(Answer(status, body))
    with transaction() as session:
        order = session.get(PaymentOrder, order_id)
        if order is None:
            raise NotFound
        if isinstance(outcome, Created):
            _move(session, order_id, OPEN_STATES, state="SUBMITTED", pay_url=outcome.pay_url)
        elif isinstance(outcome, Unknown):
            _move(session, order_id, ("CREATED",), state="UNKNOWN")
        elif outcome.code == ALREADY_PAID:
            pass  # a second try of the same bytes met a payer who was faster; the notice or a query brings the rest
        elif _move(session, order_id, ("CREATED", "UNKNOWN"), state="CLOSED", failure=outcome.code[:200]):
            release_lines(session, order)
            raise_alarm(session, order, kind="payment_refused", reason=outcome.code, at=at)
    del wire_at


def apply_delivered(answered: Answered, at: dt.datetime, wire_at: dt.datetime) -> None:
    """Use case: as `apply_order_answer`, from a delivered outbox message, whose id is the order's."""
    apply_order_answer(answered.message_id, answered.status, answered.response, at=at, wire_at=wire_at)


def receive_notice(headers: Mapping[str, str], raw: bytes, *, wire_at: dt.datetime) -> int:
    """Use case: store a notice of the gateway before it is answered; answers the HTTP status to give.

    200 stored (or stored before), 401 not signed by the gateway or stale, 413 too large. Work follows as a job.
    """
    if len(raw) > MAX_NOTICE:
        return 413
    gateway = gateway_in_use()
    try:
        notice = gateway.verify_notice(headers, raw, wire_at)
    except NotSignedIn:
        return 401
    lower = {name.lower(): value for name, value in headers.items()}
    with transaction() as session:
        notice_id = new_id()
        is_new = insert_unless_there(
            session,
            GatewayNotice,
            {
                "id": notice_id,
                "channel": gateway.channel,
                "notice_id": notice.notice_id,
                "event_type": notice.event_type,
                "state": "stored",
                "headers": {name: lower[name] for name in KEPT_HEADERS if name in lower},
                "raw": raw,
                "content": notice.content,
                "received_at": wire_at,
            },
            unique=("channel", "notice_id"),
        )
        if is_new:
            payload = {"notice_id": notice_id}
            queue_job(session, kind="apply_notice", key=notice_id, payload=payload, wire_at=wire_at)
    return 200


def apply_notice(notice_id: str, *, at: dt.datetime, wire_at: dt.datetime) -> str:
    """Use case: act on a stored notice; answers its state: applied, ignored (nothing to do) or refused (alarm)."""
    gateway = gateway_in_use()
    with transaction() as session:
        notice = session.get(GatewayNotice, notice_id)
        if notice is None:
            raise NotFound
        if notice.state != "stored":
            return notice.state
        try:
            outcome: OrderState | None = gateway.read_order(notice.content)
        except Invalid:
            outcome = None
        state, reason = ("refused", "unreadable") if outcome is None else _apply(session, outcome, at, wire_at)
        try_change(session, GatewayNotice, notice_id, {"state": "stored"}, {"state": state, "reason": reason})
        return state


def query_order(order_id: str, *, at: dt.datetime, wire_at: dt.datetime, attempt: int = 1) -> str:
    """Use case (job `query_payment`): ask the gateway about an order that is not final; answers its state after.

    The question is asked outside the transaction. An order past its time that nobody paid is closed there first.
    """
    session = db.session()
    order = session.get(PaymentOrder, order_id, populate_existing=True)
    if order is None:
        raise NotFound
    state, wanted, is_over = order.state, order_value(session, order), at > order.expires_at
    db.session.remove()
    if state == "SUCCESS":
        return state
    gateway = gateway_in_use()
    outcome = gateway.query_order(wanted)
    if is_over and state in OPEN_STATES and _is_unpaid(outcome):
        closed = gateway.close_order(wanted)
        outcome = gateway.query_order(wanted) if isinstance(closed, Rejected) else outcome
        is_over = isinstance(closed, Closed) or _never_arrived(outcome)
    else:
        is_over = False
    with transaction() as write:
        if isinstance(outcome, OrderState):
            _apply(write, outcome, at, wire_at)
        if is_over and _move(write, order_id, OPEN_STATES, state="EXPIRED"):
            release_lines(write, write.get_one(PaymentOrder, order_id))
        state = write.scalars(select(PaymentOrder.state).where(PaymentOrder.id == order_id)).one()
        if state in OPEN_STATES and 0 < attempt < QUICK_QUESTIONS:
            queue_query(write, order_id, attempt=attempt + 1, wire_at=wire_at)
    return state


def queue_query(session: Session, order_id: str, *, attempt: int, wire_at: dt.datetime, reason: str = "") -> None:
    """Step: have the gateway asked about an order by and by, in case its notice is lost; each time later."""
    wait = FIRST_QUERY_S * 2 ** (attempt - 1) * retry_scale_in_use()
    queue_job(
        session,
        kind="query_payment",
        key=f"{order_id}:{reason}{attempt}",
        payload={"order_id": order_id, "attempt": attempt},
        wire_at=wire_at,
        due_at=wire_at + dt.timedelta(seconds=wait),
    )


def order_value(session: Session, order: PaymentOrder) -> Order:
    """The order as the gateway port knows it."""
    subs = session.scalars(
        select(PaymentSubOrder).where(PaymentSubOrder.order_id == order.id).order_by(PaymentSubOrder.sub_out_trade_no)
    )
    return Order(
        out_trade_no=order.out_trade_no,
        rail=cast(Literal["COMBINE", "PLAIN"], order.rail),
        description=order.description,
        subs=tuple(SubOrder(sub.sub_out_trade_no, sub.merchant_id, sub.amount_fen) for sub in subs),
        expires_at=order.expires_at,
    )


def _apply(session: Session, outcome: OrderState, at: dt.datetime, wire_at: dt.datetime) -> tuple[str, str | None]:
    order = session.scalars(select(PaymentOrder).where(PaymentOrder.out_trade_no == outcome.out_trade_no)).one_or_none()
    if order is None:
        return "refused", "order_unknown"
    if outcome.trade_state in GONE_STATES:
        return _close(session, order, outcome.trade_state)
    if outcome.trade_state != "SUCCESS":
        return "ignored", outcome.trade_state[:400]
    subs = session.scalars(select(PaymentSubOrder).where(PaymentSubOrder.order_id == order.id)).all()
    difference = find_difference(order, subs, outcome)
    if difference is None and not gateway_in_use().is_our_account(outcome):
        difference = "app or merchant number is not ours"
    if difference is not None:
        raise_alarm(session, order, kind="payment_mismatch", reason=difference, at=at)
        return "refused", difference[:400]
    captured = capture_order(session, order, outcome, channel=gateway_in_use().channel, at=at)
    if captured is None:
        return "ignored", "captured before"
    announce_capture(session, captured, at=at, wire_at=wire_at)
    return "applied", None


def _close(session: Session, order: PaymentOrder, trade_state: str) -> tuple[str, str | None]:
    if not _move(session, order.id, OPEN_STATES, state="CLOSED", failure=trade_state):
        return "ignored", "not open"
    release_lines(session, order)
    return "applied", None


def _move(session: Session, order_id: str, states: tuple[str, ...], **values: str) -> bool:
    result = session.execute(
        update(PaymentOrder)
        .where(PaymentOrder.id == order_id, PaymentOrder.state.in_(states))
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    assert isinstance(result, CursorResult)
    return result.rowcount == 1


def _is_unpaid(outcome: OrderState | Rejected | Unknown) -> bool:
    return _never_arrived(outcome) or (isinstance(outcome, OrderState) and outcome.trade_state == "NOTPAY")


def _never_arrived(outcome: OrderState | Rejected | Unknown) -> bool:
    return isinstance(outcome, Rejected) and outcome.code in ("ORDER_NOT_EXIST", "RESOURCE_NOT_EXISTS")
