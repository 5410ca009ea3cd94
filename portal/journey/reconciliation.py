"""对账: the gateway's statement of a day is fetched, stored as it came, and compared with our own books.

What is missing on one side rolls over one day before it counts; then it sits in suspense until it is cleared up.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from portal.billing import matching
from portal.billing.gateway import gateway_in_use
from portal.billing.ledger import insert_absent, post_entry, reverse_entry, stamp_day
from portal.billing.ledger_check import Broken, verify_ledger
from portal.billing.matching import Finding, Ours
from portal.billing.port import Rejected, Statement, Theirs, Unknown
from portal.billing.postings import Movement, build
from portal.billing.tables import (
    BookDay,
    PaymentSubOrder,
    ReconItem,
    Settlement,
    StatementFile,
    StatementLine,
)
from portal.journey.payment_answers import queue_query
from portal.journey.settlement import confirm_settlements, settle_day
from portal.kernel import audit
from portal.kernel.database import transaction
from portal.kernel.errors import Conflict, Unavailable
from portal.kernel.guard import change, try_change
from portal.kernel.ids import new_id
from portal.kernel.policy import SYSTEM

NO_STATEMENT = "NO_STATEMENT_EXIST"  # the gateway's word for a day without trades


@dataclass(frozen=True, slots=True)
class Reconciled:
    """How one day compares: how many items of each class, whether it was new, and a broken invariant if any."""

    day: dt.date
    is_new: bool
    counts: tuple[tuple[str, int], ...]
    broken: Broken | None


def reconcile_day(day: dt.date, *, at: dt.datetime, wire_at: dt.datetime) -> Reconciled:
    """Use case (job `reconcile_day`): settle what is left of `day`, fetch its statement, import and compare it."""
    settle_day(day, at=at, wire_at=wire_at)
    statement = fetch_statement(day)
    return import_statement(day, statement.content, statement.sha1, at=at, wire_at=wire_at)


def fetch_statement(day: dt.date) -> Statement:
    """Fetch the gateway's statement of `day`; outside any transaction. A day without trades has an empty one.

    Raises Unavailable when the gateway does not answer or its file is not the one it signed for.
    """
    outcome = gateway_in_use().statement(day)
    if isinstance(outcome, Statement):
        return outcome
    if isinstance(outcome, Rejected) and outcome.code == NO_STATEMENT:
        return Statement(day, b"", hashlib.sha1(b"", usedforsecurity=False).hexdigest())
    cause = outcome.cause if isinstance(outcome, Unknown) else outcome.code
    raise Unavailable("暂时取不到支付平台的对账单，稍后自动重试。", facts={"day": day.isoformat(), "cause": cause})


def import_statement(day: dt.date, content: bytes, sha1: str, *, at: dt.datetime, wire_at: dt.datetime) -> Reconciled:
    """Use case: store a statement and compare it. The same file again changes nothing.

    Raises Conflict: `bad_hash` when content and hash differ, `statement_changed` when another file of this day was
    imported before. Raises Invalid naming the line that cannot be read; then nothing is stored.
    """
    if hashlib.sha1(content, usedforsecurity=False).hexdigest() != sha1:
        raise Conflict("对账单内容与摘要不符。", code="bad_hash")
    theirs = gateway_in_use().read_statement(content) if content else ()
    with transaction() as session:
        insert_absent(session, BookDay, [{"day": day, "state": "open"}])
        session.scalars(select(BookDay.day).where(BookDay.day == day).with_for_update()).one()
        known = session.scalars(select(StatementFile).where(StatementFile.day == day)).one_or_none()
        if known is not None:
            if known.sha1 != sha1:
                raise Conflict("这一天的对账单已导入，内容不同。", code="statement_changed")
            return _result(session, day, is_new=False)
        _store(session, day, content, sha1, theirs, at)
        _compare(session, day, theirs, at=at, wire_at=wire_at)
        _review_rolled(session, day, at=at, wire_at=wire_at)
        _confirm(session, day, at=at, wire_at=wire_at)
        result = _result(session, day, is_new=True)
        if result.broken is None:
            try_change(session, BookDay, day, {"state": "closed"}, {"state": "reconciled"})
        detail = {"day": day.isoformat(), "counts": dict(result.counts), "broken": result.broken and str(result.broken)}
        audit.record(session, actor=SYSTEM, action="reconciliation.day", subject=day.isoformat(), detail=detail, at=at)
        return result


def _store(
    session: Session, day: dt.date, content: bytes, sha1: str, theirs: Sequence[Theirs], at: dt.datetime
) -> None:
    file_id = new_id()
    session.add(StatementFile(id=file_id, day=day, sha1=sha1, content=content, imported_at=at))
    session.flush()
    session.add_all(
        StatementLine(
            id=new_id(),
            file_id=file_id,
            line_no=line.line_no,
            merchant_id=line.merchant_id,
            transaction_id=line.transaction_id,
            out_trade_no=line.out_trade_no,
            trade_state=line.trade_state,
            amount_fen=line.amount_fen,
            fee_fen=line.fee_fen,
            success_on=line.success_on,
        )
        for line in theirs
    )
    session.flush()


def _compare(
    session: Session, day: dt.date, theirs: Sequence[Theirs], *, at: dt.datetime, wire_at: dt.datetime
) -> None:
    numbers = [line.out_trade_no for line in theirs]
    subs = session.scalars(
        select(PaymentSubOrder).where(
            or_(PaymentSubOrder.booked_on == day, PaymentSubOrder.sub_out_trade_no.in_(numbers))
        )
    ).all()
    before = session.scalars(
        select(ReconItem.sub_order_id).where(
            ReconItem.sub_order_id.in_([sub.id for sub in subs]), ReconItem.statement_line_id.is_not(None)
        )
    )
    seen = frozenset(sub_id for sub_id in before if sub_id)
    rows = {
        row.line_no: row.id
        for row in session.scalars(select(StatementLine).join(StatementFile).where(StatementFile.day == day))
    }
    for finding in matching.match_day(day, theirs, [_ours(sub) for sub in subs], settled_before=seen):
        _write_item(session, day, finding, rows, at=at, wire_at=wire_at)
    session.flush()


def _ours(sub: PaymentSubOrder) -> Ours:
    return Ours(
        id=sub.id,
        merchant_id=sub.merchant_id,
        out_trade_no=sub.sub_out_trade_no,
        transaction_id=sub.transaction_id,
        amount_fen=sub.amount_fen,
        fee_fen=sub.expected_fee_fen,
        booked_on=sub.booked_on,
    )


def _write_item(
    session: Session, day: dt.date, found: Finding, rows: dict[int, str], *, at: dt.datetime, wire_at: dt.datetime
) -> None:
    line_id = rows[found.theirs.line_no] if found.theirs else None
    sub_id = found.ours.id if found.ours else None
    amount = found.theirs.amount_fen if found.theirs else found.ours.amount_fen if found.ours else 0
    state = "rolled" if found.class_ in (matching.LONG, matching.SHORT) else "open"
    if found.class_ in matching.AGREED:
        state = "closed"
    session.add(
        ReconItem(
            id=new_id(),
            day=day,
            key=f"their:{found.theirs.line_no}" if found.theirs else f"our:{sub_id}",
            class_=found.class_,
            state=state,
            statement_line_id=line_id,
            sub_order_id=sub_id,
            amount_fen=amount,
            diff_fen=found.diff_fen,
            found_at=at,
            closed_at=at if state == "closed" else None,
        )
    )
    if found.class_ == matching.LONG and sub_id is not None:
        order_id = session.get_one(PaymentSubOrder, sub_id).order_id
        queue_query(session, order_id, attempt=1, wire_at=wire_at, reason=f"long-{day:%y%m%d}-")


def _review_rolled(session: Session, day: dt.date, *, at: dt.datetime, wire_at: dt.datetime) -> None:
    del wire_at
    waiting = session.scalars(
        select(ReconItem).where(ReconItem.state.in_(("rolled", "open")), ReconItem.day < day).order_by(ReconItem.id)
    ).all()
    for item in waiting:
        if item.class_ in (matching.LONG, matching.SHORT):
            _review(session, item, at)
    session.flush()


def _review(session: Session, item: ReconItem, at: dt.datetime) -> None:
    """One item that was missing on one side: found by now (CUTOFF), or into suspense if it is not there yet."""
    found = _found_later(session, item)
    if found is not None:
        if item.entry_id:
            reverse_entry(session, item.entry_id, at=at)
        values = {"class_": found, "state": "closed" if found in matching.AGREED else "open", "closed_at": at}
        change(session, ReconItem, item.id, {"state": item.state}, values)
        session.refresh(item)
        return
    if item.state == "rolled":
        event = "long" if item.class_ == matching.LONG else "short"
        entry_id = post_entry(
            session,
            source=("recon_item", item.id),
            kind=event,
            transfers=build(event, [Movement(item.amount_fen)], channel=gateway_in_use().channel),
            day=stamp_day(session, at),
            value_time=item.found_at,
            at=at,
        )
        change(session, ReconItem, item.id, {"state": "rolled"}, {"state": "open", "entry_id": entry_id})
        session.refresh(item)


def _found_later(session: Session, item: ReconItem) -> str | None:
    if item.class_ == matching.SHORT:
        other = session.scalars(
            select(ReconItem.id).where(
                ReconItem.sub_order_id == item.sub_order_id, ReconItem.statement_line_id.is_not(None)
            )
        ).first()
        return matching.CUTOFF if other else None
    line = session.get_one(StatementLine, item.statement_line_id)
    sub = session.scalars(
        select(PaymentSubOrder).where(PaymentSubOrder.sub_out_trade_no == line.out_trade_no)
    ).one_or_none()
    if sub is None or sub.booked_on is None:
        return None
    item.sub_order_id = sub.id
    theirs = Theirs(
        line.line_no,
        line.merchant_id,
        line.transaction_id,
        line.out_trade_no,
        line.trade_state,
        line.amount_fen,
        line.fee_fen,
        line.success_on,
    )
    return matching.classify(theirs, _ours(sub), item.day).class_


def _confirm(session: Session, day: dt.date, *, at: dt.datetime, wire_at: dt.datetime) -> None:
    items = session.execute(
        select(ReconItem.sub_order_id, ReconItem.class_, ReconItem.state, StatementLine.fee_fen)
        .outerjoin(StatementLine, StatementLine.id == ReconItem.statement_line_id)
        .where(ReconItem.sub_order_id.is_not(None))
    ).all()
    fees = {row.sub_order_id: row.fee_fen for row in items if row.class_ in matching.AGREED and row.fee_fen is not None}
    disputed = {row.sub_order_id for row in items if row.state != "closed"}
    # Items of earlier days may have been cleared up by this statement, so their settlements are looked at again.
    waiting = select(Settlement.day).where(Settlement.state.in_(("FROZEN", "HELD")), Settlement.day <= day).distinct()
    for settled_on in session.scalars(waiting.order_by(Settlement.day)).all():
        confirm_settlements(session, settled_on, fees=fees, disputed=disputed, at=at, wire_at=wire_at)


def _result(session: Session, day: dt.date, *, is_new: bool) -> Reconciled:
    session.flush()
    counts: dict[str, int] = {}
    for class_ in session.scalars(select(ReconItem.class_).where(ReconItem.day == day)):
        counts[class_] = counts.get(class_, 0) + 1
    return Reconciled(day, is_new, tuple(sorted(counts.items())), verify_ledger(session))
