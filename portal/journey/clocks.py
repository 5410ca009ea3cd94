"""What time alone brings about: late providers are passed by, reminders go out, days are settled. Run by the worker."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.cases import workflow
from portal.cases.tables import Case, CaseEvent, Task, Track, Visit
from portal.catalog.calendar import Calendar
from portal.catalog.queries import calendar_of
from portal.exchange.tables import Job, OutboxMessage
from portal.journey import case_files, payment_watch, progress, settlement, task_documents, visit_choices, visits
from portal.journey.case_files import CaseFile
from portal.journey.events import note_event, send_task_event
from portal.journey.jobs import queue_job
from portal.kernel.clock import SHANGHAI, local_date
from portal.kernel.database import db, transaction
from portal.kernel.guard import change
from portal.kernel.policy import SYSTEM

RECONCILE_AT = dt.time(10, 0)  # the gateway's statement of a day is there from 10:00 of the next (money.md §1.9)


def tick(*, at: dt.datetime, wire_at: dt.datetime) -> None:
    """One round of everything that waits for a time. Each case is its own transaction."""
    for case_id in _cases_with_late(at):
        release_late(case_id=case_id, at=at, wire_at=wire_at)
    for case_id in visit_choices.rounds_over(at):
        visit_choices.go_on(case_id=case_id, at=at, wire_at=wire_at)
    for task_id in _tasks_to_remind(at):
        remind(task_id=task_id, at=at, wire_at=wire_at)
    payment_watch.queue_due_questions(at=at, wire_at=wire_at)
    queue_day_end(at=at, wire_at=wire_at)


def _cases_with_late(at: dt.datetime) -> list[str]:
    """Cases in which somebody has been waited for long enough. Read only: writers are not held up for a look."""
    session = db.session()
    late = [
        case_id
        for case_id in _waiting(session)
        if late_by_stage(session, case_files.load_case(session, case_id=case_id, lock=False), at=at)
    ]
    db.session.remove()
    return late


# Open cases with a joint stage that some have ended and others have not: only there can anybody be late.
_WAITING = (
    select(Task.case_id)
    .join(Case, Case.id == Task.case_id)
    .where(Case.state == "open", Task.stage.in_(sorted(workflow.JOINT_STAGES)))
    .group_by(Task.case_id, Task.stage)
    .having(func.count(Task.ended_at).between(1, func.count() - 1))
    .distinct()
)
# Open cases whose survey waits for somebody's slots: nobody has ended, so `_WAITING` does not know them.
_UNVISITED = (
    select(Task.case_id)
    .join(Case, Case.id == Task.case_id)
    .where(Case.state == "open", Task.stage == "survey", Task.case_id.not_in(select(Visit.case_id)))
    .group_by(Task.case_id)
    .having(func.count(Task.ended_at) == 0, func.count() > 1)
)


def _waiting(session: Session) -> list[str]:
    return sorted({*session.scalars(_WAITING), *session.scalars(_UNVISITED)})


def release_late(*, case_id: str, at: dt.datetime, wire_at: dt.datetime) -> list[str]:
    """Let the ready providers of a joint stage go on without the late ones; answers who was passed by."""
    with transaction() as session:
        file = case_files.load_case(session, case_id=case_id)
        passed: list[str] = []
        for stage, late in late_by_stage(session, file, at=at):
            for track in late:
                values = {"split_off": [*track.split_off, stage]}
                change(session, Track, track.id, {"state": "open"}, values)
                session.refresh(track)
                facts = {"stage": stage, "provider": track.provider}
                note_event(session, case_id=case_id, kind="late_passed_by", actor=SYSTEM, at=at, facts=facts)
                passed.append(track.provider)
        if passed:
            visits.arrange(session, file, at=at, wire_at=wire_at)
            progress.advance(session, case_id=case_id, at=at, wire_at=wire_at)
        return passed


def late_by_stage(session: Session, file: CaseFile, *, at: dt.datetime) -> list[tuple[str, list[Track]]]:
    """Stages whose ready providers have waited long enough, each with the providers that are late."""
    return [(stage, late) for stage, late, until in joint_waits(session, file) if until <= at]


def joint_waits(session: Session, file: CaseFile) -> list[tuple[str, list[Track], dt.datetime]]:
    """(stage, late tracks, until when they are waited for) of every joint stage that has ready and late providers.

    No survey can end before there is a visit: until then whoever has offered time for it counts as ready.
    """
    calendar, view, waits = calendar_of(session), case_files.view_of(session, file), []
    for stage in workflow.TRACK_STAGES:
        if stage not in workflow.JOINT_STAGES:
            continue
        members = [track.provider for track in view.tracks if track.holds_up(stage)]
        tasks = [task for provider in members if (task := file.tasks.get((provider, stage))) is not None]
        lacks_visit = stage == "survey" and not case_files.visits_of(session, file.case.id)
        ready = [task for task in tasks if task.ended_at or (lacks_visit and "availability" in task.result)]
        late = [file.tracks[task.provider] for task in tasks if task not in ready]
        if not ready or not late:
            continue
        until = _waited_until(calendar, file, ready, [t for t in tasks if t not in ready])
        if until is not None:
            waits.append((stage, late, until))
    return waits


def _waited_until(calendar: Calendar, file: CaseFile, ready: list[Task], late: list[Task]) -> dt.datetime | None:
    """By the earliest cap of the ready ones; where none of them has a cap, until each late one's own limit is over."""
    caps = [(task.issued_at, cap) for task in ready if (cap := file.tracks[task.provider].cap_days)]
    if caps:
        return workflow.joint_wait_until(calendar, caps)
    return max((task.due_at for task in late if task.due_at is not None), default=None)


def _tasks_to_remind(at: dt.datetime) -> list[str]:
    reminded = select(CaseEvent.task_id).where(CaseEvent.kind == "reminded")
    query = select(Task.id).where(
        Task.state.in_(("issued", "received", "working")),
        Task.due_at.is_not(None),
        Task.due_at < at,
        Task.track_id.is_not(None),
        Task.id.not_in(reminded.where(CaseEvent.task_id.is_not(None))),
    )
    ids = list(db.session.scalars(query))
    db.session.remove()
    return ids


def remind(*, task_id: str, at: dt.datetime, wire_at: dt.datetime) -> None:
    """Urge (催办) a provider whose task has run over its limit, once."""
    with transaction() as session:
        case_id = session.scalars(select(Task.case_id).where(Task.id == task_id)).one()
        file = case_files.load_case(session, case_id=case_id)
        task = session.get_one(Task, task_id, populate_existing=True)
        told = session.scalars(
            select(CaseEvent.seq).where(CaseEvent.task_id == task_id, CaseEvent.kind == "reminded")
        ).first()
        if told is not None or task.ended_at or task_documents.light_of(session, file, task, at=at) != "red":
            return
        facts = {"provider": task.provider, "stage": task.stage}
        note_event(session, case_id=case_id, kind="reminded", actor=SYSTEM, at=at, task_id=task_id, facts=facts)
        send_task_event(session, task, "task.reminded", at=at, wire_at=wire_at)


def queue_day_end(*, at: dt.datetime, wire_at: dt.datetime) -> None:
    """Queue the settlement of each finished day, and its reconciliation once the gateway's statement is there."""
    today = local_date(at)
    settle = settlement.days_to_settle(db.session(), today)
    reconcile = [day for day in settlement.days_to_reconcile(db.session(), today) if at >= statement_ready_at(day)]
    db.session.remove()
    if not settle and not reconcile:
        return
    with transaction() as session:
        for kind, days in (("settle_day", settle), ("reconcile_day", reconcile)):
            for day in days:
                queue_job(session, kind=kind, key=day.isoformat(), payload={"day": day.isoformat()}, wire_at=wire_at)


def statement_ready_at(day: dt.date) -> dt.datetime:
    """When the gateway's statement of `day` can be fetched."""
    return dt.datetime.combine(day + dt.timedelta(days=1), RECONCILE_AT, SHANGHAI)


def pending_work(session: Session, *, wire_at: dt.datetime) -> int:
    """How many deliveries and jobs are due.

    A delivery that waits for its next try counts as due: the demo's calendar must not run ahead of it. A job that was
    asked for later (the question to the gateway after a lost notice) does not. Papers hold the calendar up only once
    no case is open any more: until then they are rendered beside the rest. The call to the neighbours of a trench
    waits for nobody: whoever has no part in the case may be out of reach.
    """
    deliveries = session.scalar(
        select(func.count())
        .select_from(OutboxMessage)
        .where(OutboxMessage.state.in_(("pending", "leased")), OutboxMessage.kind != "works.planned")
    )
    due = (Job.state == "leased") | ((Job.state == "pending") & (Job.due_at <= wire_at))
    is_any_open = session.scalars(select(Case.id).where(Case.state == "open").limit(1)).first() is not None
    waits = due & (Job.kind != "render_document") if is_any_open else due
    jobs = session.scalar(select(func.count()).select_from(Job).where(waits))
    return (deliveries or 0) + (jobs or 0)


def next_due(session: Session, *, at: dt.datetime) -> dt.datetime | None:
    """The earliest business time after `at` at which `tick` will have something to do."""
    times: list[dt.datetime] = []
    today = local_date(at)
    for case_id in _waiting(session):
        file = case_files.load_case(session, case_id=case_id, lock=False)
        times += [until for _, _, until in joint_waits(session, file)]
    midnight = dt.datetime.combine(today + dt.timedelta(days=1), dt.time(0, 5), SHANGHAI)
    times += [midnight] * bool(settlement.days_to_settle(session, today + dt.timedelta(days=1)))
    times += [statement_ready_at(day) for day in settlement.days_to_reconcile(session, today + dt.timedelta(days=1))]
    times += [when for when in (payment_watch.next_question_at(session), visit_choices.next_round_end(session)) if when]
    return min((time for time in times if time > at), default=None)
