"""Open orders are asked about by the calendar, so that a lost notice or an unpaid order never stays unnoticed.

The quick questions right after an order (wire time) end by themselves: an order that waits for its payer is no work.
"""

from __future__ import annotations

import datetime as dt

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.billing.capture import OPEN_STATES
from portal.billing.tables import PaymentOrder
from portal.journey.jobs import queue_job
from portal.kernel.database import db, transaction

FIRST_STEP = dt.timedelta(minutes=15)
LONGEST_STEP = dt.timedelta(hours=6)


def next_question_at(session: Session) -> dt.datetime | None:
    """The earliest business time at which an open order wants to be asked about; it may have passed."""
    return session.scalar(select(func.min(PaymentOrder.next_query_at)).where(PaymentOrder.state.in_(OPEN_STATES)))


def queue_due_questions(*, at: dt.datetime, wire_at: dt.datetime) -> int:
    """Use case (every tick): queue a question for each open order whose time has come; answers how many.

    The steps grow with the order's age, from 15 minutes to 6 hours, and one falls right behind its expiry.
    """
    due = next_question_at(db.session())
    db.session.remove()
    if due is None or due > at:
        return 0
    with transaction() as session:
        query = select(PaymentOrder).where(PaymentOrder.state.in_(OPEN_STATES), PaymentOrder.next_query_at <= at)
        orders = session.scalars(query.order_by(PaymentOrder.id).with_for_update()).all()
        for order in orders:
            order.next_query_at = following(order.created_at, order.expires_at, at)
            payload = {"order_id": order.id, "attempt": 0}
            key = f"{order.id}:at-{at:%y%m%d%H%M%S}"
            queue_job(session, kind="query_payment", key=key, payload=payload, wire_at=wire_at)
        return len(orders)


def following(created_at: dt.datetime, expires_at: dt.datetime, at: dt.datetime) -> dt.datetime:
    """When to ask again after asking at `at`."""
    step = min(max(at - created_at, FIRST_STEP), LONGEST_STEP)
    behind_expiry = expires_at + dt.timedelta(seconds=1)
    return min(at + step, behind_expiry) if at < behind_expiry else at + step
