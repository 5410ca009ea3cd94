"""The statements of a capture, each written down once. All of them take any number of orders."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BindParameter, bindparam, insert, select, update

from portal.billing.tables import Allocation, Bill, BillLine, Payment, PaymentLine, PaymentOrder, PaymentSubOrder, Split
from portal.kernel.database import Base
from portal.kernel.statements import Prepared, table_of

_IDS: BindParameter[Any] = bindparam("ids", expanding=True)
CLAIM = (
    update(PaymentOrder)
    .where(PaymentOrder.id.in_(_IDS), PaymentOrder.state.in_(bindparam("states", expanding=True)))
    .values(state="SUCCESS", is_late=bindparam("is_late"))
    .returning(PaymentOrder.id)
    .execution_options(synchronize_session=False)
)
PAYMENTS = select(Payment.id, Payment.number, Payment.case_id, Payment.subject_id).where(Payment.id.in_(_IDS))
SUBS = (
    select(PaymentSubOrder.id, PaymentSubOrder.order_id, PaymentSubOrder.sub_out_trade_no, PaymentSubOrder.amount_fen)
    .where(PaymentSubOrder.order_id.in_(_IDS))
    .order_by(PaymentSubOrder.provider, PaymentSubOrder.id)
)
LOCK_BILLS = select(Bill.id).where(Bill.case_id.in_(_IDS)).order_by(Bill.id).with_for_update()
LINES = (
    select(PaymentLine.sub_order_id, BillLine.id, BillLine.provider, BillLine.due_fen, BillLine.paid_fen)
    .join(BillLine, BillLine.id == PaymentLine.line_id)
    .where(PaymentLine.sub_order_id.in_(_IDS))
    .order_by(BillLine.id)
)
SETTLE_BILLS = (
    update(Bill)
    .where(
        Bill.case_id.in_(_IDS),
        Bill.state == "issued",
        ~select(BillLine.id).where(BillLine.bill_id == Bill.id, BillLine.paid_fen < BillLine.due_fen).exists(),
    )
    .values(state="paid", paid_at=bindparam("at"))
    .returning(Bill.id, Bill.case_id)
    .execution_options(synchronize_session=False)
)


def _change(model: type[Base], **columns: Any) -> Prepared:
    """UPDATE of these columns in the row whose id is `key`."""
    table = table_of(model)
    key = table.c.id == bindparam("key", type_=table.c.id.type)
    return Prepared(lambda _: update(table).where(key).values(**columns))


NOTE_SUCCESS = _change(PaymentOrder, success_at=bindparam("at"))
MARK_SUB = _change(PaymentSubOrder, transaction_id=bindparam("transaction"), booked_on=bindparam("day"))
PAY_LINE = _change(BillLine, paid_fen=table_of(BillLine).c.paid_fen + bindparam("fen"), held_by=None)
ADD_ALLOCATION = Prepared(lambda _: insert(table_of(Allocation)))
ADD_SPLIT = Prepared(lambda _: insert(table_of(Split)))
