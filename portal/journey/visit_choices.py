"""What people decide about the joint visit (take a time, decline all, call one off), and what time decides."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.cases.tables import Case, Task, Visit, VisitProposal, VisitRound
from portal.journey import case_files, visits
from portal.journey.case_files import CaseFile
from portal.journey.events import note_event, send_task_event
from portal.kernel import audit
from portal.kernel.clock import SHANGHAI, format_instant, parse_instant
from portal.kernel.database import db, transaction
from portal.kernel.errors import Conflict, FieldError, Invalid, NotFound
from portal.kernel.guard import change
from portal.kernel.ids import new_id
from portal.kernel.policy import SYSTEM, Actor, require

MAX_DECLINED_ROUNDS = 3
HALF_DAYS = {"morning": (dt.time(8, 30), dt.time(12)), "afternoon": (dt.time(14), dt.time(17, 30))}
_GONE = "这个时间已经不能选了，请刷新页面看最新的时间。"


def accept_proposal(actor: Actor, *, case_no: str, proposal_id: str, at: dt.datetime, wire_at: dt.datetime) -> None:
    """The applicant takes one proposal: its visits are fixed and everybody who comes is told. Raises Conflict."""
    with transaction() as session:
        file = _own_case(session, actor, case_no)
        round_ = _offered_round(session, file)
        proposal = session.get(VisitProposal, proposal_id)
        if proposal is None or proposal.round_id != round_.id or proposal.state != "offered":
            raise Conflict(_GONE, code="visit_gone")
        if _begins_at(proposal) <= at:
            raise Conflict(_GONE, code="visit_gone")
        _take(session, file, round_, proposal, actor=actor, at=at, wire_at=wire_at)


def decline_proposals(
    actor: Actor,
    *,
    case_no: str,
    note: str,
    wish_on: str = "",
    wish_half: str = "",
    at: dt.datetime,
    wire_at: dt.datetime,
) -> None:
    """None of them suits: the next round begins at once, with the day the applicant would like best.

    `wish_on` ISO date or empty, `wish_half` morning or afternoon. Raises Invalid naming `wish_on`, Conflict after
    three rounds.
    """
    with transaction() as session:
        file = _own_case(session, actor, case_no)
        round_ = _offered_round(session, file)
        declined = session.scalar(
            select(func.count()).where(VisitRound.case_id == file.case.id, VisitRound.state == "declined")
        )
        if (declined or 0) >= MAX_DECLINED_ROUNDS - 1:
            raise Conflict("已经为您重新约了两次。请从现有时间里选一个，或者致电供应单位另行约定。", code="last_round")
        round_.wishes = _wish(wish_on, wish_half, at)
        visits.close_round(session, round_, "declined", at=at, actor_name=actor.name or actor.id, note=note.strip())
        facts = {"round": round_.number, "by": "applicant"}
        note_event(session, case_id=file.case.id, kind="visit_declined", actor=actor, at=at, facts=facts)
        visits.arrange(session, file, at=at, wire_at=wire_at)


def veto_time(actor: Actor, *, task_id: str, start_at: str, reason: str, at: dt.datetime, wire_at: dt.datetime) -> None:
    """A dispatcher calls off one time: a proposal is withdrawn, a fixed visit cancelled; the next round begins.

    Raises Invalid naming `reason`, NotFound for another provider's task, Conflict when the time is not planned.
    """
    with transaction() as session:
        task = session.get(Task, task_id)
        if task is None or task.provider != actor.provider_code:
            raise NotFound
        require(actor, "desk.report", {"provider": task.provider})
        if not reason.strip():
            raise Invalid([FieldError("reason", "请写明不能到场的原因。", "missing")])
        file = case_files.load_case(session, case_id=task.case_id)
        start = _instant(start_at)
        if not (
            _cancel_visit(session, file, task, start, at, wire_at)
            or _drop_proposal(session, file, start, actor, at, reason)
        ):
            raise Conflict("这个时间没有安排到场，请刷新后再试。", code="visit_gone")
        facts = {"by": task.provider, "provider": task.provider, "reason": reason.strip()[:400], "start_at": start_at}
        note_event(
            session, case_id=file.case.id, kind="visit_called_off", actor=actor, at=at, task_id=task.id, facts=facts
        )
        audit.record(session, actor=actor, action="visit.called_off", subject=task.id, detail=facts, at=at)
        visits.arrange(session, file, at=at, wire_at=wire_at)


def rounds_over(at: dt.datetime) -> list[str]:
    """Cases whose round has run out. Read only."""
    ids = list(db.session.scalars(_OPEN_ROUNDS.where(VisitRound.ends_at <= at)))
    db.session.remove()
    return ids


_OPEN_ROUNDS = (
    select(VisitRound.case_id)
    .join(Case, Case.id == VisitRound.case_id)
    .where(Case.state == "open", VisitRound.state.in_(("asked", "offered")))
)


def next_round_end(session: Session) -> dt.datetime | None:
    """When the next round runs out."""
    query = select(func.min(VisitRound.ends_at)).join(Case, Case.id == VisitRound.case_id)
    return session.scalar(query.where(Case.state == "open", VisitRound.state.in_(("asked", "offered"))))


def go_on(*, case_id: str, at: dt.datetime, wire_at: dt.datetime) -> None:
    """What the end of a round brings: the best proposal is taken, or the fewest visits are offered."""
    with transaction() as session:
        file = case_files.load_case(session, case_id=case_id)
        round_ = visits.latest_round(session, case_id)
        if round_ is None or round_.ends_at > at or round_.state not in ("asked", "offered"):
            return
        if not visits.tasks_to_visit(session, file):
            visits.close_round(session, round_, "settled", at=at, actor_name=SYSTEM.name)
            return
        offered = [p for p in visits.proposals_of(session, round_) if _begins_at(p) > at]
        if round_.state == "offered" and offered:
            _take(session, file, round_, offered[0], actor=SYSTEM, at=at, wire_at=wire_at)
            return
        if round_.state == "offered":
            visits.close_round(session, round_, "declined", at=at, actor_name=SYSTEM.name, note="时间已过")
        visits.arrange(session, file, at=at, wire_at=wire_at, is_over=True)


def _own_case(session: Session, actor: Actor, case_no: str) -> CaseFile:
    file = case_files.load_case(session, case_no=case_no)
    require(actor, "case.confirm", {"applicant_ids": frozenset({file.case.subject_id})})
    return file


def _offered_round(session: Session, file: CaseFile) -> VisitRound:
    round_ = visits.latest_round(session, file.case.id)
    if round_ is None or round_.state != "offered":
        raise Conflict("目前没有需要您选择的上门时间。", code="visit_gone")
    return round_


def _take(
    session: Session,
    file: CaseFile,
    round_: VisitRound,
    proposal: VisitProposal,
    *,
    actor: Actor,
    at: dt.datetime,
    wire_at: dt.datetime,
) -> None:
    values = {"state": "accepted", "answered_at": at, "answered_by": actor.name or actor.id}
    change(session, VisitProposal, proposal.id, {"state": "offered"}, values)
    session.refresh(proposal)
    visits.close_round(session, round_, "settled", at=at, actor_name=actor.name or actor.id)
    number = session.scalar(select(func.max(Visit.round)).where(Visit.case_id == file.case.id)) or 0
    for planned in proposal.visits:
        number += 1
        visit = Visit(
            id=new_id(),
            case_id=file.case.id,
            round=number,
            state="fixed",
            start_at=parse_instant(planned["start_at"]),
            end_at=parse_instant(planned["end_at"]),
            providers=sorted(planned["providers"]),
            crews=planned["crews"],
            reason=proposal.reason,
        )
        session.add(visit)
        session.flush()
        facts = {"visit": visit.id, "round": round_.number}
        note_event(session, case_id=file.case.id, kind="visit_fixed", actor=actor, at=at, facts=facts)
    audit.record(
        session, actor=actor, action="visit.fixed", subject=file.case.case_no, detail={"proposal": proposal.id}, at=at
    )
    for task in file.stage_tasks("survey"):
        if not task.ended_at and case_files.visit_for(session, task) is not None:
            send_task_event(session, task, "visit.fixed", at=at, wire_at=wire_at)


def _cancel_visit(
    session: Session, file: CaseFile, task: Task, start: dt.datetime, at: dt.datetime, wire_at: dt.datetime
) -> bool:
    for visit in case_files.visits_of(session, file.case.id):
        if visit.state != "fixed" or visit.start_at != start or task.provider not in visit.providers:
            continue
        change(session, Visit, visit.id, {"state": "fixed"}, {"state": "cancelled"})
        session.refresh(visit)
        _decline_accepted(session, file, start)
        for other in file.stage_tasks("survey"):
            if other.provider in visit.providers and not other.ended_at:
                send_task_event(session, other, "visit.cancelled", at=at, wire_at=wire_at)
        return True
    return False


def _decline_accepted(session: Session, file: CaseFile, start: dt.datetime) -> None:
    """What was called off is not proposed again."""
    query = select(VisitProposal).where(VisitProposal.case_id == file.case.id, VisitProposal.state == "accepted")
    for proposal in session.scalars(query):
        if format_instant(start) in {visit["start_at"] for visit in proposal.visits}:
            proposal.state = "declined"
    session.flush()


def _drop_proposal(
    session: Session, file: CaseFile, start: dt.datetime, actor: Actor, at: dt.datetime, reason: str
) -> bool:
    round_ = visits.latest_round(session, file.case.id)
    if round_ is None or round_.state != "offered":
        return False
    found = [
        p for p in visits.proposals_of(session, round_) if format_instant(start) in {v["start_at"] for v in p.visits}
    ]
    for proposal in found:
        proposal.state, proposal.answered_at, proposal.answered_by = "declined", at, actor.name or actor.id
        proposal.note = reason.strip()[:400]
    session.flush()
    if found and not visits.proposals_of(session, round_):
        visits.close_round(session, round_, "declined", at=at, actor_name=actor.name or actor.id)
    return bool(found)


def _begins_at(proposal: VisitProposal) -> dt.datetime:
    return min(parse_instant(visit["start_at"]) for visit in proposal.visits)


def _wish(wish_on: str, wish_half: str, at: dt.datetime) -> list[dict[str, str]]:
    if not wish_on.strip():
        return []
    try:
        on = dt.date.fromisoformat(wish_on.strip())
    except ValueError:
        raise Invalid([FieldError("wish_on", "请填写日期，例如 2026-11-26。", "date")]) from None
    begin, end = HALF_DAYS.get(wish_half, (HALF_DAYS["morning"][0], HALF_DAYS["afternoon"][1]))
    start_at = dt.datetime.combine(on, begin, SHANGHAI)
    if start_at <= at:
        raise Invalid([FieldError("wish_on", "希望的日期要在今天以后。", "past")])
    return [{"start_at": format_instant(start_at), "end_at": format_instant(dt.datetime.combine(on, end, SHANGHAI))}]


def _instant(text: str) -> dt.datetime:
    try:
        return parse_instant(text)
    except ValueError:
        raise Conflict(_GONE, code="visit_gone") from None
