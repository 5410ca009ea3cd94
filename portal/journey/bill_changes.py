"""When a bill no longer says what is owed: a provider left, or its quote changed. Nothing that was booked is rewritten.

Lines are set aside (`void_at`), the paper is made anew under the next revision, and money that came in for what is not
asked any more is owed back to the customer, for everybody to see.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.billing.requote import Requote, Standing, requote
from portal.billing.tables import Bill, BillLine
from portal.journey import bills
from portal.journey.case_files import CaseFile
from portal.journey.events import note_event
from portal.kernel import audit
from portal.kernel.errors import Conflict
from portal.kernel.guard import change
from portal.kernel.policy import Actor


def standing_lines(session: Session, case_id: str, provider: str) -> list[BillLine]:
    """The provider's bill lines that were not set aside, oldest bill first."""
    query = select(BillLine).join(Bill).where(Bill.case_id == case_id, BillLine.provider == provider)
    return list(session.scalars(query.where(BillLine.void_at.is_(None)).order_by(Bill.version, BillLine.position)))


def set_aside(
    session: Session, file: CaseFile, provider: str, *, actor: Actor, at: dt.datetime, wire_at: dt.datetime
) -> None:
    """Step: a provider has left; nothing is owed to it any more, and what it was paid is owed back.

    A payment under way on its lines goes on: should its money still come, it is owed back too.
    """
    lines = standing_lines(session, file.case.id, provider)
    if not lines:
        return
    _void(session, lines, at)
    _reissue(session, file, {line.bill_id for line in lines}, at=at, wire_at=wire_at)
    _note(session, file, provider, lines, cause="left", actor=actor, at=at)


def apply_quote(
    session: Session,
    file: CaseFile,
    provider: str,
    drafts: Sequence[bills.LineDraft],
    *,
    actor: Actor,
    at: dt.datetime,
    wire_at: dt.datetime,
) -> Requote:
    """Step: the provider's lines become what its new quote says. Conflict while a payment of them is under way."""
    lines = standing_lines(session, file.case.id, provider)
    if any(line.held_by for line in lines):
        message = "这家单位的费用正在缴纳，请先完成这笔缴费，或等订单关闭后再确认新的报价。"
        raise Conflict(message, code="payment_in_progress")
    old = [Standing(x.id, x.item_code, x.due_fen, x.paid_fen - x.owed_back_fen) for x in lines]
    outcome = requote(old, drafts)
    _void(session, [line for line in lines if line.id in outcome.void], at)
    for line in lines:
        if more := outcome.owed_back.get(line.id):
            before = {"owed_back_fen": line.owed_back_fen, "paid_fen": line.paid_fen}
            change(session, BillLine, line.id, before, {"owed_back_fen": line.owed_back_fen + more})
    changed = {line.bill_id for line in lines if line.id in outcome.void}
    _reissue(session, file, changed, at=at, wire_at=wire_at)
    if outcome.added:
        bills.issue_bill(
            session,
            case_id=file.case.id,
            case_no=file.case.case_no,
            subject_id=file.case.subject_id,
            payer_name=file.body["applicant"]["name"],
            lines=outcome.added,
            at=at,
            wire_at=wire_at,
        )
    _note(session, file, provider, lines, cause="requoted", actor=actor, at=at)
    return outcome


def _void(session: Session, lines: Sequence[BillLine], at: dt.datetime) -> None:
    for line in lines:
        change(session, BillLine, line.id, {"void_at": None}, {"void_at": at})
        session.refresh(line)


def _reissue(session: Session, file: CaseFile, bill_ids: set[str], *, at: dt.datetime, wire_at: dt.datetime) -> None:
    """The bills' papers anew, with the lines that stand; a bill on which nothing is owed any more counts as paid."""
    for bill in session.scalars(select(Bill).where(Bill.id.in_(bill_ids)).order_by(Bill.version)).all():
        query = select(BillLine).where(BillLine.bill_id == bill.id, BillLine.void_at.is_(None))
        rows = session.scalars(query.order_by(BillLine.position)).all()
        values: dict[str, Any] = {"revision": bill.revision + 1, "total_fen": sum(row.due_fen for row in rows)}
        if bill.state == "issued" and not any(row.owed_fen for row in rows):
            values |= {"state": "paid", "paid_at": at}
        change(session, Bill, bill.id, {"revision": bill.revision}, values)
        session.refresh(bill)
        bills.renew_paper(session, bill, rows, at=at, wire_at=wire_at)


def _note(
    session: Session,
    file: CaseFile,
    provider: str,
    lines: Sequence[BillLine],
    *,
    cause: str,
    actor: Actor,
    at: dt.datetime,
) -> None:
    for line in lines:
        session.refresh(line)
    owed_back = sum(line.refund_fen for line in lines)
    facts = {"provider": provider, "cause": cause, "owed_back_fen": owed_back}
    note_event(session, case_id=file.case.id, kind="bill_changed", actor=actor, at=at, facts=facts)
    audit.record(session, actor=actor, action="bill.changed", subject=file.case.case_no, detail=facts, at=at)
