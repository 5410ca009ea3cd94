"""What a payment gateway must do for the portal, and the values that pass between them. Amounts in fen, CNY only.

A timeout is neither success nor failure: every call may answer `Unknown`, and the caller then asks again with the
same number and the same bytes, never with a new number.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

CURRENCY = "CNY"
TradeState = Literal["NOTPAY", "USERPAYING", "SUCCESS", "CLOSED", "PAYERROR", "REFUND", "REVOKED", "ACCEPT"]


@dataclass(frozen=True, slots=True)
class SubOrder:
    """One payee's part: our number for it, the payee's own merchant number, fen."""

    out_trade_no: str
    merchant_id: str
    amount_fen: int


@dataclass(frozen=True, slots=True)
class Order:
    """An order as we ask for it. PLAIN has exactly one sub-order, whose number is the order's own."""

    out_trade_no: str
    rail: Literal["COMBINE", "PLAIN"]
    description: str
    subs: tuple[SubOrder, ...]
    expires_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Request:
    """The exact bytes of a call, fixed when it is written to the outbox; only the signature is made when it is sent."""

    path: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """A verified answer of the gateway; status 0 where there was none, or none that could be trusted."""

    status: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Created:
    """The gateway holds the order; the payer pays at `pay_url`."""

    pay_url: str


@dataclass(frozen=True, slots=True)
class Closed:
    """The order can no longer be paid."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """The gateway said no, with its own code."""

    code: str
    message: str = ""


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nobody knows: ask again, with the same number."""

    cause: str


@dataclass(frozen=True, slots=True)
class SubState:
    """What the gateway says of one payee's part."""

    out_trade_no: str
    merchant_id: str
    trade_state: str
    transaction_id: str | None
    amount_fen: int
    currency: str
    success_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class OrderState:
    """What the gateway says of an order, by query or notice."""

    out_trade_no: str
    app_id: str
    merchant_id: str
    subs: tuple[SubState, ...]

    @property
    def trade_state(self) -> str:
        """SUCCESS or CLOSED if all parts say so, else the first part's other state (all parts move together)."""
        states = {sub.trade_state for sub in self.subs}
        return states.pop() if len(states) == 1 else "MIXED"


@dataclass(frozen=True, slots=True)
class Notice:
    """A verified and opened notification. `content` is what `read_order` understands."""

    notice_id: str
    event_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Statement:
    """The gateway's statement of one day: unpacked bytes whose hash the signed answer named."""

    day: dt.date
    content: bytes
    sha1: str


@dataclass(frozen=True, slots=True)
class Theirs:
    """One line of the gateway's statement; amounts in fen, `success_on` the gateway's own day."""

    line_no: int
    merchant_id: str
    transaction_id: str
    out_trade_no: str
    trade_state: str
    amount_fen: int
    fee_fen: int
    success_on: dt.date


class Gateway(Protocol):
    """A payment gateway. Nothing here raises for what the outside does, except where it says so."""

    channel: str

    def render_order(self, order: Order) -> Request:
        """The request that creates `order`; pure. Raises ValueError for an order the gateway cannot take."""
        ...

    def send(self, request: Request) -> Answer:
        """Sign and POST these bytes; one try."""
        ...

    def read_order_answer(self, answer: Answer) -> Created | Rejected | Unknown:
        """What the answer to a create call means; pure."""
        ...

    def query_order(self, order: Order) -> OrderState | Rejected | Unknown:
        """Ask for the state of an order; `Rejected('ORDER_NOT_EXIST')` where it never arrived."""
        ...

    def close_order(self, order: Order) -> Closed | Rejected | Unknown:
        """Close an unpaid order; `Rejected('ORDERPAID')` where the payer was faster."""
        ...

    def verify_notice(self, headers: Mapping[str, str], raw: bytes, wire_at: dt.datetime) -> Notice:
        """Verify, check the freshness of and open a notification. Raises NotSignedIn for everything hostile."""
        ...

    def read_order(self, content: bytes) -> OrderState:
        """Parse a notice's content. Raises Invalid."""
        ...

    def is_our_account(self, state: OrderState) -> bool:
        """Whether the app and merchant numbers in it are those of our contract."""
        ...

    def statement(self, day: dt.date) -> Statement | Rejected | Unknown:
        """Fetch the statement of `day`; `Rejected('NO_STATEMENT_EXIST')` where there is none (yet)."""
        ...

    def read_statement(self, content: bytes) -> tuple[Theirs, ...]:
        """Parse a statement. Raises Invalid naming the line."""
        ...
