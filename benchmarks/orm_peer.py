"""The peer of `split payment`: the same rows of one captured order, written as mapped objects, one transaction each.

This is how the work is usually done with an object mapper: load, change, add, flush, commit. It checks as much as the
product does (a guarded claim, the bill's state) and writes the same tables with the same constraints and triggers.
"""

from __future__ import annotations

from sqlalchemy import select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from benchmarks.paid_orders import AT, CHANNEL
from portal.billing.ledger import digest
from portal.billing.port import OrderState
from portal.billing.postings import Movement, build, kind_of
from portal.billing.tables import (
    Account,
    Allocation,
    Bill,
    BillLine,
    BookDay,
    Entry,
    Payment,
    PaymentLine,
    PaymentOrder,
    PaymentSubOrder,
    Split,
    TransferRow,
)
from portal.kernel.clock import local_date
from portal.kernel.ids import new_id


def capture(session: Session, order_id: str, state: OrderState) -> None:
    """Book one order object by object."""
    day = local_date(AT)
    order = session.get_one(PaymentOrder, order_id)
    claimed = session.execute(
        update(PaymentOrder)
        .where(PaymentOrder.id == order_id, PaymentOrder.state == "SUBMITTED")
        .values(state="SUCCESS", success_at=AT)
    )
    assert isinstance(claimed, CursorResult)
    assert claimed.rowcount == 1
    payment = session.get_one(Payment, order.payment_id)
    if session.get(BookDay, day) is None:
        session.add(BookDay(day=day, state="open"))
    session.scalars(select(Bill).where(Bill.case_id == payment.case_id).with_for_update()).all()
    theirs = {sub.out_trade_no: sub for sub in state.subs}
    for sub in session.scalars(select(PaymentSubOrder).where(PaymentSubOrder.order_id == order_id)).all():
        sub.transaction_id, sub.booked_on = theirs[sub.sub_out_trade_no].transaction_id, day
        _pay(session, order, sub)
    session.flush()
    for bill in session.scalars(select(Bill).where(Bill.case_id == payment.case_id)):
        lines = session.scalars(select(BillLine).where(BillLine.bill_id == bill.id)).all()
        if all(line.paid_fen == line.due_fen for line in lines):
            bill.state, bill.paid_at = "paid", AT
    _post(session, order, payment.subject_id)


def _pay(session: Session, order: PaymentOrder, sub: PaymentSubOrder) -> None:
    for wanted in session.scalars(select(PaymentLine).where(PaymentLine.sub_order_id == sub.id)):
        line = session.get_one(BillLine, wanted.line_id)
        line.paid_fen, line.held_by = line.paid_fen + wanted.amount_fen, None
        session.add(
            Allocation(
                id=new_id(),
                payment_id=order.payment_id,
                order_id=order.id,
                sub_order_id=sub.id,
                line_id=line.id,
                provider=line.provider,
                rail=order.rail,
                amount_fen=wanted.amount_fen,
                booked_on=local_date(AT),
            )
        )
    session.add(
        Split(
            id=new_id(),
            payment_id=order.payment_id,
            order_id=order.id,
            provider=sub.provider,
            amount_fen=sub.amount_fen,
            split_at=AT,
        )
    )


def _post(session: Session, order: PaymentOrder, customer: str) -> None:
    splits = session.scalars(select(Split).where(Split.order_id == order.id).order_by(Split.provider)).all()
    parts = [Movement(split.amount_fen, customer=customer, provider=split.provider) for split in splits]
    movements = {"captured": [Movement(order.amount_fen, customer=customer)], "allocated": parts, "paid_direct": parts}
    for kind, rows in movements.items():
        transfers = build(kind, rows, channel=CHANNEL)
        for code in sorted({code for t in transfers for code in (t.dr, t.cr)}):
            if session.get(Account, code) is None:
                session.add(Account(code=code, kind=kind_of(code)))
        session.flush()
        source, day = ("order", order.id), local_date(AT)
        entry = Entry(
            id=new_id(),
            source_type=source[0],
            source_id=source[1],
            kind=kind,
            accounting_day=day,
            value_time=AT,
            posted_at=AT,
            n=len(transfers),
            total_fen=sum(t.amount_fen for t in transfers),
            digest=digest(source, kind, day, transfers),
        )
        session.add(entry)
        session.flush()
        session.add_all(
            TransferRow(entry_id=entry.id, seq=seq, dr=t.dr, cr=t.cr, amount_fen=t.amount_fen)
            for seq, t in enumerate(transfers, start=1)
        )
    session.flush()
