"""Bill and payments for the case page, loaded in sets: lines by payee, what can be paid now, and its orders."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.billing.capture import OPEN_STATES
from portal.billing.tables import Bill, BillLine, Payment, PaymentOrder, PaymentSubOrder

ORDER_WORDS = {
    "CREATED": "正在生成缴费链接",
    "SUBMITTED": "等待缴费",
    "UNKNOWN": "正在核对结果",
    "SUCCESS": "已缴费",
    "CLOSED": "已关闭",
    "EXPIRED": "已过期",
}


@dataclass(frozen=True, slots=True)
class BillRow:
    """One line of a bill; amounts in fen."""

    title: str
    quantity: str
    unit: str
    unit_price_fen: int
    due_fen: int
    paid_fen: int
    basis: str
    is_void: bool = False
    refund_fen: int = 0


@dataclass(frozen=True, slots=True)
class PayeeRows:
    """The lines of one payee. `free_ids`: those that can be paid now; `merged` False: an order of its own."""

    provider: str
    name: str
    merged: bool
    lines: tuple[BillRow, ...]
    free_ids: tuple[str, ...]
    free_fen: int
    due_fen: int
    paid_fen: int


@dataclass(frozen=True, slots=True)
class BillPart:
    """One bill of the case; a supplement of the reply brings a further one."""

    number: str
    state: str
    issued_at: dt.datetime
    document_id: str | None
    payees: tuple[PayeeRows, ...]
    total_fen: int
    paid_fen: int


@dataclass(frozen=True, slots=True)
class OrderRow:
    """One order at the gateway. `pay_url` only while it can still be paid there."""

    number: str
    names: tuple[str, ...]
    amount_fen: int
    state: str
    words: str
    pay_url: str | None


@dataclass(frozen=True, slots=True)
class MoneyView:
    """All bills and orders. `free_fen`: what is owed and not under way in any order; `key`: see `_key`.

    `refund_fen`: paid and owed back to the customer, because a provider left or its quote became lower.
    """

    bills: tuple[BillPart, ...]
    orders: tuple[OrderRow, ...]
    free_fen: int
    owed_fen: int
    key: str
    refund_fen: int = 0

    @property
    def payees(self) -> tuple[PayeeRows, ...]:
        """Payees with something to pay now."""
        return tuple(payee for bill in self.bills for payee in bill.payees if payee.free_fen)

    @property
    def waiting(self) -> tuple[OrderRow, ...]:
        """Orders with a cashier page."""
        return tuple(order for order in self.orders if order.pay_url)

    @property
    def is_preparing(self) -> bool:
        """Whether an order still waits for the gateway's answer."""
        return any(order.state == "CREATED" for order in self.orders)


def money_view(session: Session, case_id: str, *, at: dt.datetime) -> MoneyView:
    """The money of one case in five queries at most. The caller has checked that the reader may see the case."""
    bills = list(session.scalars(select(Bill).where(Bill.case_id == case_id).order_by(Bill.version)))
    if not bills:
        return MoneyView((), (), 0, 0, "")
    query = select(BillLine).join(Bill).where(Bill.case_id == case_id)
    lines = list(session.scalars(query.order_by(BillLine.provider, BillLine.position)))
    free = [line for line in lines if _free_fen(line)]
    payments = list(session.scalars(select(Payment.id).where(Payment.case_id == case_id)))
    return MoneyView(
        bills=tuple(_part(bill, [line for line in lines if line.bill_id == bill.id]) for bill in bills),
        orders=_orders(session, payments, {line.provider: line.payee_name for line in lines}, at=at),
        free_fen=sum(_free_fen(line) for line in free),
        owed_fen=sum(line.owed_fen for line in lines),
        refund_fen=sum(line.refund_fen for line in lines),
        key=_key(case_id, free, len(payments)),
    )


def _free_fen(line: BillLine) -> int:
    return line.owed_fen if line.held_by is None else 0


def _key(case_id: str, free: Sequence[BillLine], payments: int) -> str:
    """Made when the form is shown, of what it asks for: two windows with the same form start one payment, not two."""
    facts = [case_id, str(payments), *(f"{x.id}:{x.due_fen}:{x.paid_fen}" for x in sorted(free, key=lambda x: x.id))]
    return hashlib.sha256("|".join(facts).encode()).hexdigest()[:32]


def _part(bill: Bill, lines: Sequence[BillLine]) -> BillPart:
    payees = tuple(_payee(list(group)) for _, group in groupby(lines, key=lambda line: line.provider))
    return BillPart(
        number=bill.number,
        state=bill.state,
        issued_at=bill.issued_at,
        document_id=bill.document_id,
        payees=payees,
        total_fen=bill.total_fen,
        paid_fen=sum(payee.paid_fen for payee in payees),
    )


def _payee(lines: Sequence[BillLine]) -> PayeeRows:
    return PayeeRows(
        provider=lines[0].provider,
        name=lines[0].payee_name,
        merged=lines[0].merged,
        lines=tuple(
            BillRow(
                title=x.title,
                quantity=x.quantity,
                unit=x.unit,
                unit_price_fen=x.unit_price_fen,
                due_fen=x.due_fen,
                paid_fen=x.paid_fen,
                basis=x.basis,
                is_void=x.void_at is not None,
                refund_fen=x.refund_fen,
            )
            for x in lines
        ),
        free_ids=tuple(line.id for line in lines if _free_fen(line)),
        free_fen=sum(_free_fen(line) for line in lines),
        due_fen=sum(line.due_fen for line in lines if line.void_at is None),
        paid_fen=sum(line.paid_fen for line in lines),
    )


def _orders(
    session: Session, payment_ids: Sequence[str], names: dict[str, str], *, at: dt.datetime
) -> tuple[OrderRow, ...]:
    if not payment_ids:
        return ()
    query = select(PaymentOrder).where(PaymentOrder.payment_id.in_(payment_ids))
    orders = session.scalars(
        query.order_by(PaymentOrder.created_at, PaymentOrder.rail, PaymentOrder.out_trade_no)
    ).all()
    payees: dict[str, list[str]] = {}
    subs = select(PaymentSubOrder.order_id, PaymentSubOrder.provider).order_by(PaymentSubOrder.provider)
    for order_id, provider in session.execute(subs.where(PaymentSubOrder.order_id.in_([o.id for o in orders]))):
        payees.setdefault(order_id, []).append(names.get(provider, provider))
    return tuple(
        OrderRow(
            number=order.out_trade_no,
            names=tuple(payees.get(order.id, ())),
            amount_fen=order.amount_fen,
            state=order.state,
            words=ORDER_WORDS[order.state],
            pay_url=order.pay_url if order.state in OPEN_STATES and order.expires_at > at else None,
        )
        for order in orders
    )
