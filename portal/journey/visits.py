"""约定到场: slots of all providers become proposals; the applicant takes one, or the next round begins by itself.

A round offers up to three times that suit everybody. Where there is none, other slots are asked for once; when the
providers' limits are over, the plan with the fewest visits is offered instead, with the reason. Whoever does not answer
in time has agreed to the first proposal: the steps here run again from the worker (`visit_choices.go_on`).
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.cases import deadlines, scheduling, visit_plans
from portal.cases.tables import Application, Case, Task, Visit, VisitProposal, VisitRound
from portal.catalog.queries import calendar_of
from portal.journey import case_files, crews
from portal.journey.case_files import CaseFile
from portal.journey.events import note_event, send_task_event
from portal.kernel.clock import SHANGHAI, format_instant, local_date, parse_instant
from portal.kernel.ids import new_id
from portal.kernel.policy import SYSTEM

SEARCH_WORKING_DAYS = 10
VISIT_LENGTH = dt.timedelta(hours=1)
ONE_DAY = dt.timedelta(days=1)  # nobody is called to a site on the same day
ANSWER_DAYS = 1  # working days in which the applicant may choose
LAST_CALL = dt.timedelta(hours=14)  # before the first proposed visit: the evening before a morning's
SHORTEST_ANSWER = dt.timedelta(hours=1)
ASKING_DAYS = 2  # working days in which other slots may come in, where the limits leave no more


def arrange(session: Session, file: CaseFile, *, at: dt.datetime, wire_at: dt.datetime, is_over: bool = False) -> None:
    """Step: offer the applicant times once everybody who holds up the survey has offered some; else do nothing.

    `is_over`: the wait for other slots is over, so that more than one visit may be offered.
    """
    tasks = tasks_to_visit(session, file)
    if not tasks or _is_somebody_missing(session, file, tasks):
        return
    last = latest_round(session, file.case.id)
    if last is not None and last.state == "offered":
        if _still_suits(session, file, last, tasks, at):
            return
        close_round(session, last, "declined", at=at, actor_name=SYSTEM.name, note="到场时间有变化")
    free = _crews(session, file, tasks, at)
    wishes, calls, search = _wishes(file, last), _calls(file, tasks), _search(session, file, at)
    plans = visit_plans.propose_visits(free, wishes, calls, search)
    if not plans and (is_over or (last is not None and last.state == "asked" and last.ends_at <= at)):
        plan = visit_plans.fewest_visits(free, wishes, calls, search)
        plans = (plan,) if plan else ()
    if plans:
        _offer(session, file, plans, free, calls, at=at)
    elif last is None or last.state != "asked" or last.ends_at <= at:
        _ask_again(session, file, tasks, at=at, wire_at=wire_at)


def tasks_to_visit(session: Session, file: CaseFile) -> list[Task]:
    """Survey tasks that are open, have offered time and are not part of any visit."""
    visited = {code for visit in case_files.visits_of(session, file.case.id) for code in visit.providers}
    open_tasks = [task for task in file.stage_tasks("survey") if not task.ended_at and task.provider not in visited]
    return [task for task in open_tasks if "availability" in task.result]


def _is_somebody_missing(session: Session, file: CaseFile, tasks: Sequence[Task]) -> bool:
    visited = {code for visit in case_files.visits_of(session, file.case.id) for code in visit.providers}
    done = {task.provider for task in file.stage_tasks("survey") if task.ended_at}
    waited_for = {t.provider for t in file.live_tracks() if "survey" in t.stages and "survey" not in t.split_off}
    return not waited_for <= {task.provider for task in tasks} | visited | done


def latest_round(session: Session, case_id: str) -> VisitRound | None:
    """The newest round of a case."""
    query = select(VisitRound).where(VisitRound.case_id == case_id).order_by(VisitRound.number.desc())
    return session.scalars(query).first()


def proposals_of(session: Session, round_: VisitRound, *, state: str = "offered") -> list[VisitProposal]:
    """A round's proposals in this state, the best first."""
    query = select(VisitProposal).where(VisitProposal.round_id == round_.id, VisitProposal.state == state)
    return list(session.scalars(query.order_by(VisitProposal.rank)))


def close_round(
    session: Session, round_: VisitRound, state: str, *, at: dt.datetime, actor_name: str, note: str = ""
) -> None:
    """End a round; what is still offered is declined with it, or lapses where one was taken."""
    session.flush()
    rest = "lapsed" if state == "settled" else "declined"
    for row in proposals_of(session, round_):
        row.state, row.answered_at, row.answered_by, row.note = rest, at, actor_name, note[:400] or None
    round_.state = state
    session.flush()


def _offer(
    session: Session,
    file: CaseFile,
    plans: Sequence[visit_plans.VisitPlan],
    free: Mapping[str, Sequence[scheduling.Crew]],
    calls: scheduling.Calls,
    *,
    at: dt.datetime,
) -> None:
    """Write a round with its proposals, best first, and when the first is taken without an answer."""
    first = min(visit.start_at for plan in plans for visit in plan.visits)
    by_limit = deadlines.due_at(calendar_of(session), at, ANSWER_DAYS)
    ends_at = max(min(by_limit, first - LAST_CALL), at + SHORTEST_ANSWER)
    round_ = _open_round(session, file, "offered", ends_at, at)
    for rank, plan in enumerate(plans, start=1):
        session.add(
            VisitProposal(
                id=new_id(),
                round_id=round_.id,
                case_id=file.case.id,
                rank=rank,
                visits=[_visit_facts(visit, free, calls) for visit in plan.visits],
                absent=list(plan.absent),
                reason=plan.reason,
            )
        )
    session.flush()
    facts = {"round": round_.number, "proposals": len(plans), "answer_by": format_instant(ends_at)}
    note_event(session, case_id=file.case.id, kind="visit_offered", actor=SYSTEM, at=at, facts=facts)


def _visit_facts(
    visit: visit_plans.PlannedVisit, free: Mapping[str, Sequence[scheduling.Crew]], calls: scheduling.Calls
) -> dict[str, object]:
    coming = {}
    for provider in visit.providers:
        skills = calls.skills.get(provider, frozenset())
        coming[provider] = next(
            crew.code
            for crew in free[provider]
            if skills <= crew.skills
            and scheduling.is_free(scheduling.free_spans(crew, calls), visit.start_at, visit.end_at)
        )
    span = {"start_at": format_instant(visit.start_at), "end_at": format_instant(visit.end_at)}
    return {**span, "providers": list(visit.providers), "crews": coming}


def _ask_again(
    session: Session, file: CaseFile, tasks: Sequence[Task], *, at: dt.datetime, wire_at: dt.datetime
) -> None:
    """No common time: everybody is asked for other slots, until the limits (or two working days, if that is later)."""
    soonest = deadlines.due_at(calendar_of(session), at, ASKING_DAYS)
    ends_at = max([soonest, *(task.due_at for task in tasks if task.due_at is not None)])
    round_ = _open_round(session, file, "asked", ends_at, at)
    facts = {"round": round_.number}
    note_event(session, case_id=file.case.id, kind="visit_not_found", actor=SYSTEM, at=at, facts=facts)
    for task in tasks:
        send_task_event(session, task, "task.changed", at=at, wire_at=wire_at)


def _open_round(session: Session, file: CaseFile, state: str, ends_at: dt.datetime, at: dt.datetime) -> VisitRound:
    last = latest_round(session, file.case.id)
    if last is not None and last.state == "asked":
        last.state = "settled" if state == "offered" else "declined"
    number = last.number + 1 if last else 1
    wishes = last.wishes if last else []
    round_ = VisitRound(
        id=new_id(), case_id=file.case.id, number=number, state=state, opened_at=at, ends_at=ends_at, wishes=wishes
    )
    session.add(round_)
    session.flush()
    return round_


def _still_suits(session: Session, file: CaseFile, round_: VisitRound, tasks: Sequence[Task], at: dt.datetime) -> bool:
    """Whether everybody can still come to what is offered: new slots may have come in meanwhile."""
    free, calls = _crews(session, file, tasks, at), _calls(file, tasks)
    for proposal in proposals_of(session, round_):
        for visit in proposal.visits:
            start, end = parse_instant(visit["start_at"]), parse_instant(visit["end_at"])
            for provider in visit["providers"]:
                spans = scheduling.provider_spans(free.get(provider, ()), calls, frozenset())
                if not scheduling.is_free(spans, start, end):
                    return False
    planned = {code for p in proposals_of(session, round_) for visit in p.visits for code in visit["providers"]}
    told = {code for p in proposals_of(session, round_) for code in p.absent} | planned
    return {task.provider for task in tasks} <= told


def _crews(
    session: Session, file: CaseFile, tasks: Sequence[Task], at: dt.datetime
) -> dict[str, list[scheduling.Crew]]:
    """The crews of each task's provider: those with standing hours as of now, else the one that was named."""
    found = {}
    for task in tasks:
        offered = task.result["availability"]
        standing = crews.standing_crews(session, task.provider, at=at) if offered.get("standing") else []
        named = scheduling.Crew(
            code="、".join(sorted(offered.get("people", ()))),
            slots=tuple(slot_of(slot) for slot in offered["slots"]),
            skills=_skills_of(file, task),
        )
        found[task.provider] = [
            dataclasses.replace(crew, bookings=_bookings(session, file, task.provider, crew.code))
            for crew in standing or [named]
        ]
    return found


def _skills_of(file: CaseFile, task: Task) -> frozenset[str]:
    """Whoever names its people for this very task knows what they must be able to do."""
    return frozenset(case_files.level_of(file, file.tracks[task.provider]).survey_skills)


def _bookings(session: Session, file: CaseFile, provider: str, crew: str) -> tuple[scheduling.Booking, ...]:
    """Where this crew goes for other cases; nothing is known of one without a name."""
    if not crew:
        return ()
    query = (
        select(Visit, Application.body)
        .join(Case, Case.id == Visit.case_id)
        .join(Application, Application.id == Case.application_id)
        .where(Visit.state == "fixed", Visit.case_id != file.case.id)
    )
    return tuple(
        scheduling.Booking(visit.start_at, visit.end_at, _place(body))
        for visit, body in session.execute(query)
        if visit.crews.get(provider) == crew
    )


def _calls(file: CaseFile, tasks: Sequence[Task]) -> scheduling.Calls:
    skills = {task.provider: _skills_of(file, task) for task in tasks}
    return scheduling.Calls(place=_place(file.body), duration=VISIT_LENGTH, skills=skills)


def _place(body: Mapping[str, dict[str, dict[str, float]]]) -> tuple[float, float] | None:
    location = body["site"].get("location")
    return (location["lon"], location["lat"]) if location else None


def _wishes(file: CaseFile, last: VisitRound | None) -> list[scheduling.Slot]:
    said = last.wishes if last is not None and last.wishes else file.body.get("survey_wishes", ())
    return [slot_of(wish) for wish in said]


def _search(session: Session, file: CaseFile, at: dt.datetime) -> visit_plans.Search:
    calendar = calendar_of(session)
    first_on = calendar.add_working_days(local_date(at) + ONE_DAY, 0)
    last_on = calendar.add_working_days(local_date(at), SEARCH_WORKING_DAYS)
    query = select(VisitProposal.visits).where(VisitProposal.case_id == file.case.id, VisitProposal.state == "declined")
    declined = {parse_instant(visit["start_at"]) for visits in session.scalars(query) for visit in visits}
    return visit_plans.Search(
        not_before=dt.datetime.combine(first_on, dt.time.fromisoformat(calendar.open_at), SHANGHAI),
        not_after=dt.datetime.combine(last_on, dt.time.fromisoformat(calendar.cut_off), SHANGHAI),
        declined=frozenset(declined),
    )


def slot_of(span: Mapping[str, str]) -> scheduling.Slot:
    """A stored slot as a value."""
    return scheduling.Slot(parse_instant(span["start_at"]), parse_instant(span["end_at"]))
