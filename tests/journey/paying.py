"""A gateway inside the test's own process: takes every order, and says it is paid once somebody has paid it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

from flask import current_app

from portal.billing.gateway import use_gateway
from portal.billing.port import (
    Answer,
    Closed,
    Created,
    Notice,
    Order,
    OrderState,
    Rejected,
    Request,
    Statement,
    SubState,
    Theirs,
)
from portal.journey import payment
from portal.kernel.database import db
from portal.kernel.errors import NotSignedIn
from tests.journey.players import CaseWalk


@dataclass
class TillGateway:
    """The gateway port without a network; `paid`: numbers of the orders whose money has come in."""

    at: dt.datetime
    channel: str = "till"
    paid: set[str] = field(default_factory=set)

    def render_order(self, order: Order) -> Request:
        return Request(path=f"/orders/{order.out_trade_no}", body=order.out_trade_no.encode())

    def send(self, request: Request) -> Answer:
        return Answer(200, request.body)

    def read_order_answer(self, answer: Answer) -> Created:
        return Created(f"http://127.0.0.1/{answer.body.decode()}")

    def query_order(self, order: Order) -> OrderState:
        state = "SUCCESS" if order.out_trade_no in self.paid else "NOTPAY"
        subs = tuple(
            SubState(s.out_trade_no, s.merchant_id, state, f"T{s.out_trade_no}", s.amount_fen, "CNY", self.at)
            for s in order.subs
        )
        return OrderState(order.out_trade_no, "app", "merchant", subs)

    def close_order(self, order: Order) -> Closed | Rejected:
        return Rejected("ORDERPAID") if order.out_trade_no in self.paid else Closed()

    def verify_notice(self, headers: Mapping[str, str], raw: bytes, wire_at: dt.datetime) -> Notice:
        raise NotSignedIn("")

    def read_order(self, content: bytes) -> OrderState:
        raise NotImplementedError

    def is_our_account(self, state: OrderState) -> bool:
        return state.app_id == "app"

    def statement(self, day: dt.date) -> Statement | Rejected:
        return Rejected("NO_STATEMENT_EXIST")

    def read_statement(self, content: bytes) -> tuple[Theirs, ...]:
        return ()


def pay(walk: CaseWalk) -> int:
    """The applicant pays all that is owed; answers how much, in fen."""
    walk.pass_time()
    gateway = TillGateway(walk.at)
    use_gateway(current_app._get_current_object(), gateway, retry_scale=1.0)  # type: ignore[attr-defined]
    case_id = walk.case.id
    db.session.remove()
    started = payment.start_payment(
        walk.applicant, case_id=case_id, line_ids=None, idempotency_key=str(walk.at), at=walk.at, wire_at=walk.at
    )
    for order in started.orders:
        gateway.paid.add(order.out_trade_no)
        assert payment.query_order(order.order_id, at=walk.at, wire_at=walk.at) == "SUCCESS"
    return started.amount_fen
