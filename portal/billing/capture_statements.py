"""The statements of a capture, each written down once. All of them take any number of orders."""

from __future__ import annotations

from typing import Any

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.sql.expression import ClauseElement

from portal.billing.tables import Allocation, Bill, BillLine, Payment, PaymentLine, PaymentOrder, PaymentSubOrder, Split
from portal.kernel.database import Base
from portal.kernel.statements import Prepared, is_among, table_of

_bill, _line, _order = table_of(Bill), table_of(BillLine), table_of(PaymentOrder)
_payment, _sub, _paid_line = table_of(Payment), table_of(PaymentSubOrder), table_of(PaymentLine)


def _claim(dialect: str) -> ClauseElement:
    is_claimable = is_among(_order.c.id, "ids", dialect) & is_among(_order.c.state, "states", dialect)
    return update(_order).where(is_claimable).values(state="SUCCESS", is_late=bindparam("late")).returning(_order.c.id)


def _payments(dialect: str) -> ClauseElement:
    columns = (_payment.c.id, _payment.c.number, _payment.c.case_id, _payment.c.subject_id)
    return select(*columns).where(is_among(_payment.c.id, "ids", dialect))


def _subs(dialect: str) -> ClauseElement:
    columns = (_sub.c.id, _sub.c.order_id, _sub.c.sub_out_trade_no, _sub.c.amount_fen)
    return select(*columns).where(is_among(_sub.c.order_id, "ids", dialect)).order_by(_sub.c.provider, _sub.c.id)


def _lock_bills(dialect: str) -> ClauseElement:
    return select(_bill.c.id).where(is_among(_bill.c.case_id, "ids", dialect)).order_by(_bill.c.id).with_for_update()


def _lines(dialect: str) -> ClauseElement:
    columns = (_paid_line.c.sub_order_id, _line.c.id, _line.c.provider, _line.c.due_fen, _line.c.paid_fen)
    chosen = is_among(_paid_line.c.sub_order_id, "ids", dialect)
    return select(*columns).join(_line, _line.c.id == _paid_line.c.line_id).where(chosen).order_by(_line.c.id)


def _settle_bills(dialect: str) -> ClauseElement:
    is_owed = (_line.c.paid_fen < _line.c.due_fen) & _line.c.void_at.is_(None)
    owed = select(_line.c.id).where(_line.c.bill_id == _bill.c.id, is_owed).exists()
    return (
        update(_bill)
        .where(is_among(_bill.c.case_id, "ids", dialect), _bill.c.state == "issued", ~owed)
        .values(state="paid", paid_at=bindparam("at"))
        .returning(_bill.c.id, _bill.c.case_id)
    )


def _change(model: type[Base], **columns: Any) -> Prepared:
    """UPDATE of these columns in the row whose id is `key`."""
    table = table_of(model)
    key = table.c.id == bindparam("key", type_=table.c.id.type)
    return Prepared(lambda _: update(table).where(key).values(**columns))


CLAIM = Prepared(_claim)
PAYMENTS = Prepared(_payments)
SUBS = Prepared(_subs)
LOCK_BILLS = Prepared(_lock_bills)
LINES = Prepared(_lines)
SETTLE_BILLS = Prepared(_settle_bills)
NOTE_SUCCESS = _change(PaymentOrder, success_at=bindparam("at"))
MARK_SUB = _change(PaymentSubOrder, transaction_id=bindparam("transaction"), booked_on=bindparam("day"))
PAY_LINE = _change(BillLine, paid_fen=_line.c.paid_fen + bindparam("fen"), held_by=None)
ADD_ALLOCATION = Prepared(lambda _: insert(table_of(Allocation)))
ADD_SPLIT = Prepared(lambda _: insert(table_of(Split)))
