"""The joint process moves on: after any change, open what may open, close what is complete, and say so.

`advance` is the one place that opens tasks. It is a step: the use case that changed something calls it inside its
transaction, so that tasks and the messages about them are written together or not at all.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from sqlalchemy.orm import Session

from portal.cases import deadlines, workflow
from portal.cases.tables import Case, Task, Track
from portal.catalog.queries import calendar_of
from portal.journey import case_files, conflict_checks, crews, merged_reply, notices, permits, stage_papers, visits
from portal.journey.case_files import CaseFile
from portal.journey.events import note_event, send_task_event
from portal.kernel.guard import change
from portal.kernel.ids import new_id
from portal.kernel.policy import SYSTEM

StageClosed = Callable[[Session, CaseFile, dt.datetime, dt.datetime], None]

# What the portal itself issues when the last provider has ended a joint stage.
ON_STAGE_CLOSED: dict[str, StageClosed] = {
    "survey": stage_papers.order_survey_record,
    "reply": merged_reply.issue_reply,
    "review": stage_papers.order_review_opinion,
    "acceptance": stage_papers.order_acceptance_opinion,
}


def advance(session: Session, *, case_id: str, at: dt.datetime, wire_at: dt.datetime) -> None:
    """Open and close whatever the case's state now calls for. Calling it again changes nothing."""
    session.flush()
    file = case_files.load_case(session, case_id=case_id)
    if file.case.state != "open":
        return
    _close_stages(session, file, at=at, wire_at=wire_at)
    _end_tracks(session, file)
    if permits.open_permits(session, file, at=at, wire_at=wire_at):
        file = case_files.load_case(session, case_id=case_id)
    view = case_files.view_of(session, file)
    openings = workflow.plan_openings(view)
    for opening in openings:
        _open_task(session, file, opening, at=at, wire_at=wire_at)
    if any(opening.stage == "survey" for opening in openings):
        visits.arrange(session, file, at=at, wire_at=wire_at)  # all of them may keep standing hours
    _move_case(session, file, at=at, wire_at=wire_at)


def _open_task(
    session: Session, file: CaseFile, opening: workflow.Opening, *, at: dt.datetime, wire_at: dt.datetime
) -> None:
    track = next(t for t in file.tracks.values() if t.id == opening.track_id)
    limit = track.limits.get(opening.stage)
    task = Task(
        id=new_id(),
        case_id=file.case.id,
        track_id=track.id,
        provider=track.provider,
        utility=track.utility,
        stage=opening.stage,
        state="received" if _is_known_already(file, track) else "issued",
        revision=1,
        issued_at=at,
        due_at=deadlines.due_at(calendar_of(session), at, limit) if limit is not None else None,
        result={},
        version=1,
    )
    session.add(task)
    session.flush()
    file.tasks[track.provider, opening.stage] = task
    note_event(
        session,
        case_id=file.case.id,
        kind="task_issued",
        actor=SYSTEM,
        at=at,
        task_id=task.id,
        facts={"provider": track.provider, "stage": opening.stage},
    )
    send_task_event(session, task, "task.issued", at=at, wire_at=wire_at)
    if opening.stage == "survey":
        skills = frozenset(case_files.level_of(file, track).survey_skills)
        crews.answer_from_standing(session, task, skills=skills, at=at)


def _is_known_already(file: CaseFile, track: Track) -> bool:
    """Whether this is the first task of the provider in whose own hall the application was filed."""
    application = file.application
    is_own = application.channel == "provider_hall" and application.filed_by == track.provider
    return is_own and not any(provider == track.provider for provider, _ in file.tasks)


def _close_stages(session: Session, file: CaseFile, *, at: dt.datetime, wire_at: dt.datetime) -> None:
    closed = {event.facts["stage"] for event in case_files.case_events(session, file.case.id, "stage_closed")}
    view = case_files.view_of(session, file)
    for stage in workflow.TRACK_STAGES:
        if stage not in workflow.JOINT_STAGES or stage in closed or not _is_complete(view, file, stage):
            continue
        if stage == "reply" and conflict_checks.has_conflicts(session, file, at=at):
            continue  # nothing goes out before what contradicts itself is settled
        note_event(session, case_id=file.case.id, kind="stage_closed", actor=SYSTEM, at=at, facts={"stage": stage})
        if issue := ON_STAGE_CLOSED.get(stage):
            issue(session, file, at, wire_at)
    if "reply" in closed and not conflict_checks.has_conflicts(session, file, at=at):
        merged_reply.issue_supplements(session, file, at, wire_at)
    session.flush()


def _is_complete(view: workflow.CaseView, file: CaseFile, stage: str) -> bool:
    members = [track.provider for track in view.tracks if _counts(track, file, stage)]
    tasks = [file.answer_of(p) if stage == "reply" else file.tasks.get((p, stage)) for p in members]
    # A failed task lies with the lead agency: the stage is not over before it has decided.
    ended = [task for task in tasks if task is not None and task.state in workflow.ENDED - {"failed"}]
    # Only providers that dropped out: nothing was done jointly, so nothing is issued for this stage.
    return bool(ended) and len(ended) == len(members)


def _counts(track: workflow.TrackView, file: CaseFile, stage: str) -> bool:
    # A provider that dropped out at its reply or before still counts there: its refusal is part of the joint reply.
    has_left = stage == "reply" and not track.is_live and file.answer_of(track.provider) is not None
    return track.holds_up(stage) or (has_left and stage not in track.split_off)


def _end_tracks(session: Session, file: CaseFile) -> None:
    for track in file.tracks.values():
        tasks = [file.tasks.get((track.provider, stage)) for stage in track.stages]
        if track.state == "open" and all(task is not None and task.state == "done" for task in tasks):
            change(session, Track, track.id, {"state": "open"}, {"state": "done"})
            track.state = "done"


def _move_case(session: Session, file: CaseFile, *, at: dt.datetime, wire_at: dt.datetime) -> None:
    session.flush()
    view = case_files.view_of(session, file)
    case = file.case
    if workflow.is_finished(view, case_files.bill_is_paid(session, file)):
        values = {"state": "closed", "stage": "closed", "closed_at": at, "version": case.version + 1}
        change(session, Case, case.id, {"state": "open", "version": case.version}, values)
        session.expire(case)
        note_event(session, case_id=case.id, kind="closed", actor=SYSTEM, at=at)
        notices.order_completion_notice(session, file, at, wire_at)
        return
    stage = workflow.case_stage(view)
    if stage not in (case.stage, "closed"):
        change(session, Case, case.id, {"version": case.version}, {"stage": stage, "version": case.version + 1})
        session.expire(case)
        note_event(session, case_id=case.id, kind="stage_opened", actor=SYSTEM, at=at, facts={"stage": stage})
