"""Capture: the gateway says an order is paid. Guarded, so that a notice and a query racing each other book it once.

captured → allocated to lines → split per provider → ledger, in the caller's one transaction. Nothing commits here.
Everything is done for a set of orders at once, and a single order is a set of one: what a payment costs is the number
of statements, not of rows.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.engine import Row
from sqlalchemy.orm import Session

from portal.billing import allocation as rule
from portal.billing.capture_statements import (
    ADD_ALLOCATION,
    ADD_SPLIT,
    CLAIM,
    LINES,
    LOCK_BILLS,
    MARK_SUB,
    NOTE_SUCCESS,
    PAY_LINE,
    PAYMENTS,
    SETTLE_BILLS,
    SUBS,
)
from portal.billing.ledger import Posting, post_entries, stamp_day
from portal.billing.port import OrderState
from portal.billing.postings import Movement, build
from portal.billing.tables import (
    BillLine,
    PaymentLine,
    PaymentOrder,
    PaymentSubOrder,
)
from portal.kernel.ids import new_id

OPEN_STATES = ("CREATED", "SUBMITTED", "UNKNOWN")
LATE_STATES = ("CLOSED", "EXPIRED")


@dataclass(frozen=True, slots=True)
class Captured:
    """What one captured order brought: fen per provider, what stayed unallocated, and the bills now fully paid."""

    order_id: str
    payment_id: str
    payment_number: str
    case_id: str
    subject_id: str
    amount_fen: int
    unallocated_fen: int
    is_late: bool
    booked_on: dt.date
    success_at: dt.datetime
    by_provider: tuple[tuple[str, int], ...]
    paid_bills: tuple[str, ...]


def capture_order(
    session: Session, order: PaymentOrder, state: OrderState, *, channel: str, at: dt.datetime
) -> Captured | None:
    """Book a SUCCESS that `find_difference` has passed; None if somebody booked it before.

    An order we had closed already is legal (the payer was faster): its money is booked and stays unallocated.
    """
    return capture_orders(session, [(order, state)], channel=channel, at=at)[0]


def capture_orders(
    session: Session, found: Sequence[tuple[PaymentOrder, OrderState]], *, channel: str, at: dt.datetime
) -> list[Captured | None]:
    """`capture_order` for many orders in the same few statements; one answer an order, in their order."""
    claimed = _claim(session, found)
    orders = [order for order, _ in found if order.id in claimed]
    if not orders:
        return [None] * len(found)
    day = stamp_day(session, at)
    payments = _payments(session, {order.payment_id for order in orders})
    subs = _mark_subs(session, [state for order, state in found if order.id in claimed], orders, day)
    in_time = [order for order in orders if not claimed[order.id]]
    cases = {payments[order.payment_id].case_id for order in in_time}
    shares = _allocate(session, in_time, subs, cases, day)
    paid_bills = _settle_bills(session, cases, at)
    by_order = {order.id: _sum_up(shares[order.id]) for order in orders}
    _split(session, orders, by_order, at)
    success_at = {order.id: _success_at(state) for order, state in found}
    postings: list[Posting] = []
    for order in orders:
        customer = payments[order.payment_id].subject_id
        postings += _postings(order, customer, by_order[order.id], channel, day, success_at[order.id])
    post_entries(session, postings, at=at)
    done = {}
    for order in orders:
        row, is_late = payments[order.payment_id], claimed[order.id]
        bills = [] if is_late else paid_bills[row.case_id]
        done[order.id] = _captured(order, row, is_late, by_order[order.id], bills, day, success_at[order.id])
    return [done.get(order.id) for order, _ in found]


def _captured(
    order: PaymentOrder,
    payment: Row[Any],
    is_late: bool,
    by_provider: dict[str, int],
    paid_bills: Sequence[str],
    day: dt.date,
    success_at: dt.datetime,
) -> Captured:
    return Captured(
        order_id=order.id,
        payment_id=payment.id,
        payment_number=payment.number,
        case_id=payment.case_id,
        subject_id=payment.subject_id,
        amount_fen=order.amount_fen,
        unallocated_fen=order.amount_fen - sum(by_provider.values()),
        is_late=is_late,
        booked_on=day,
        success_at=success_at,
        by_provider=tuple(sorted(by_provider.items())),
        paid_bills=tuple(paid_bills),
    )


def release_lines(session: Session, order: PaymentOrder) -> None:
    """Let go of the lines an order held, so that they can be paid again."""
    held = select(PaymentLine.line_id).join(PaymentSubOrder).where(PaymentSubOrder.order_id == order.id)
    session.execute(
        update(BillLine)
        .where(BillLine.id.in_(held), BillLine.held_by == order.payment_id)
        .values(held_by=None)
        .execution_options(synchronize_session=False)
    )


def _success_at(state: OrderState) -> dt.datetime:
    return max(sub.success_at for sub in state.subs if sub.success_at is not None)


def _claim(session: Session, found: Sequence[tuple[PaymentOrder, OrderState]]) -> dict[str, bool]:
    """Order id → whether it came late, of the orders that were ours to book."""
    ids, claimed = [order.id for order, _ in found], {}
    for states, is_late in ((OPEN_STATES, False), (LATE_STATES, True)):
        left = [order_id for order_id in ids if order_id not in claimed]
        if left:
            won = CLAIM.fetch(session, {"ids": left, "states": list(states), "late": is_late})
            claimed.update(dict.fromkeys((row.id for row in won), is_late))
    rows = [{"key": order.id, "at": _success_at(state)} for order, state in found if order.id in claimed]
    NOTE_SUCCESS.run(session, rows)
    return claimed


def _payments(session: Session, ids: Collection[str]) -> dict[str, Row[Any]]:
    return {row.id: row for row in PAYMENTS.fetch(session, {"ids": sorted(ids)})}


def _mark_subs(
    session: Session, states: Sequence[OrderState], orders: Sequence[PaymentOrder], day: dt.date
) -> dict[str, list[Row[Any]]]:
    """Note the gateway's numbers; answers the parts of each order by its id."""
    theirs = {sub.out_trade_no: sub.transaction_id for state in states for sub in state.subs}
    subs: dict[str, list[Row[Any]]] = defaultdict(list)
    for row in SUBS.fetch(session, {"ids": [order.id for order in orders]}):
        subs[row.order_id].append(row)
    marks = [
        {"key": sub.id, "transaction": theirs[sub.sub_out_trade_no], "day": day} for own in subs.values() for sub in own
    ]
    MARK_SUB.run(session, marks)
    return subs


def _allocate(
    session: Session,
    orders: Sequence[PaymentOrder],
    subs: dict[str, list[Row[Any]]],
    cases: Collection[str],
    day: dt.date,
) -> dict[str, list[rule.Share]]:
    """Pay the lines each part was for, and let go of them; answers the shares of each order by its id."""
    shares: dict[str, list[rule.Share]] = defaultdict(list)
    if not orders:
        return shares
    # The bills are locked first: two orders of one bill must see each other's lines when they decide "all paid".
    LOCK_BILLS.fetch(session, {"ids": sorted(cases)})
    lines: dict[str, list[rule.OpenLine]] = defaultdict(list)
    for row in LINES.fetch(session, {"ids": [sub.id for order in orders for sub in subs[order.id]]}):
        lines[row.sub_order_id].append(rule.OpenLine(row.id, row.provider, row.due_fen - row.paid_fen))
    paid = {line.id: 0 for own in lines.values() for line in own}
    rows = []
    for order in orders:
        for sub in subs[order.id]:
            own = rule.allocate_payment(sub.amount_fen, lines[sub.id]).shares
            shares[order.id] += own
            paid.update({share.line_id: share.amount_fen for share in own})
            rows += [_allocation(order, sub, share, day) for share in own]
    # The CHECK 0 <= paid <= due decides under any isolation level; the bill's lock makes it never bite here.
    PAY_LINE.run(session, [{"key": line_id, "fen": fen} for line_id, fen in sorted(paid.items())])
    ADD_ALLOCATION.run(session, rows)
    return shares


def _allocation(order: PaymentOrder, sub: Row[Any], share: rule.Share, day: dt.date) -> dict[str, Any]:
    return {
        "id": new_id(),
        "payment_id": order.payment_id,
        "order_id": order.id,
        "sub_order_id": sub.id,
        "line_id": share.line_id,
        "provider": share.provider,
        "rail": order.rail,
        "amount_fen": share.amount_fen,
        "booked_on": day,
    }


def _settle_bills(session: Session, cases: Collection[str], at: dt.datetime) -> dict[str, list[str]]:
    """Bills on which nothing is owed any more, by case."""
    paid: dict[str, list[str]] = defaultdict(list)
    if cases:
        for row in SETTLE_BILLS.fetch(session, {"ids": sorted(cases), "at": at}):
            paid[row.case_id].append(row.id)
    return paid


def _sum_up(shares: Sequence[rule.Share]) -> dict[str, int]:
    by_provider: dict[str, int] = defaultdict(int)
    for share in shares:
        by_provider[share.provider] += share.amount_fen
    return by_provider


def _split(
    session: Session, orders: Sequence[PaymentOrder], by_order: dict[str, dict[str, int]], at: dt.datetime
) -> None:
    rows = [
        {
            "id": new_id(),
            "payment_id": order.payment_id,
            "order_id": order.id,
            "provider": provider,
            "amount_fen": fen,
            "split_at": at,
        }
        for order in orders
        for provider, fen in sorted(by_order[order.id].items())
    ]
    ADD_SPLIT.run(session, rows)


def _postings(
    order: PaymentOrder,
    customer: str,
    by_provider: dict[str, int],
    channel: str,
    day: dt.date,
    value_time: dt.datetime,
) -> list[Posting]:
    parts = [Movement(fen, customer=customer, provider=provider) for provider, fen in sorted(by_provider.items())]
    movements = {"captured": [Movement(order.amount_fen, customer=customer)], "allocated": parts, "paid_direct": parts}
    return [
        Posting(("order", order.id), kind, build(kind, rows, channel=channel), day, value_time)
        for kind, rows in movements.items()
    ]
