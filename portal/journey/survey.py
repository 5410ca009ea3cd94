"""联合踏勘: everyone's slots become one visit; findings end the task. A line check can bring skipped stages back."""

from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from portal.cases import deadlines, scheduling
from portal.cases.tables import Task, Track, Visit
from portal.catalog import levels
from portal.catalog.queries import calendar_of
from portal.exchange.wire import AvailabilityReport, FindingsReport, LineCheckReport
from portal.journey import case_files
from portal.journey.case_files import CaseFile
from portal.journey.events import note_event, send_task_event
from portal.journey.reporting import Reporting, set_state
from portal.kernel.clock import SHANGHAI, local_date, parse_instant
from portal.kernel.guard import change
from portal.kernel.ids import new_id
from portal.kernel.policy import SYSTEM

SEARCH_WORKING_DAYS = 10
VISIT_LENGTH = dt.timedelta(hours=1)
ONE_DAY = dt.timedelta(days=1)  # nobody is called to a site on the same day


def receive_availability(reporting: Reporting, _report: AvailabilityReport) -> None:
    """Keep the slots; once every surveying provider has offered some, fix the one visit."""
    fix_visit(reporting.session, reporting.file, at=reporting.at, wire_at=reporting.wire_at)


def fix_visit(session: Session, file: CaseFile, *, at: dt.datetime, wire_at: dt.datetime) -> None:
    """Step: fix the one visit when everybody who holds up the survey has offered time for it; else do nothing."""
    if case_files.current_visit(session, file.case.id) is not None:
        return
    tasks = [task for task in file.stage_tasks("survey") if not task.ended_at]
    offering = {task.provider for task in tasks if "availability" in task.result}
    waited_for = {t.provider for t in file.live_tracks() if "survey" in t.stages and "survey" not in t.split_off}
    if not offering or not waited_for <= offering:
        return
    slots = {
        task.provider: tuple(_slot(slot) for slot in task.result["availability"]["slots"])
        for task in tasks
        if "availability" in task.result
    }
    wishes = tuple(_slot(wish) for wish in file.body.get("survey_wishes", ()))
    calendar = calendar_of(session)
    last_day = calendar.add_working_days(local_date(at), SEARCH_WORKING_DAYS)
    plan = scheduling.find_visit(
        slots,
        wishes,
        not_before=dt.datetime.combine(
            calendar.add_working_days(local_date(at) + ONE_DAY, 0), dt.time.fromisoformat(calendar.open_at), SHANGHAI
        ),
        not_after=dt.datetime.combine(last_day, dt.time.fromisoformat(calendar.cut_off), SHANGHAI),
        duration=VISIT_LENGTH,
    )
    if plan is None:
        note_event(session, case_id=file.case.id, kind="visit_not_found", actor=SYSTEM, at=at)
        return
    visit = _keep_visit(session, file.case.id, plan)
    note_event(session, case_id=file.case.id, kind="visit_fixed", actor=SYSTEM, at=at, facts={"visit": visit.id})
    for task in tasks:
        send_task_event(session, task, "visit.fixed", at=at, wire_at=wire_at)


def _keep_visit(session: Session, case_id: str, plan: scheduling.VisitPlan) -> Visit:
    visit = Visit(
        id=new_id(),
        case_id=case_id,
        round=1,
        state="fixed",
        start_at=plan.start_at,
        end_at=plan.end_at,
        providers=sorted(plan.providers),
        reason=plan.reason,
    )
    session.add(visit)
    session.flush()
    return visit


def _slot(span: dict[str, str]) -> scheduling.Slot:
    return scheduling.Slot(parse_instant(span["start_at"]), parse_instant(span["end_at"]))


def receive_findings(reporting: Reporting, _report: FindingsReport) -> None:
    """What was found on site ends the provider's survey; with the last one the visit is done."""
    set_state(reporting, "finish")
    tasks = reporting.file.stage_tasks("survey")
    visit = case_files.current_visit(reporting.session, reporting.file.case.id)
    if visit is not None and visit.state == "fixed" and all(task.ended_at for task in tasks):
        change(reporting.session, Visit, visit.id, {"state": "fixed"}, {"state": "done"})
        reporting.session.refresh(visit)


def receive_line_check(reporting: Reporting, report: LineCheckReport) -> None:
    """Confirm or correct the outside line the skipped stages rest on; a correction reopens them."""
    file, session = reporting.file, reporting.session
    track = file.tracks[reporting.task.provider]
    facts = case_files.level_facts(file.body, track.utility, outside_line_m=float(report.outside_line_m))
    level = levels.service_level(file.catalog, track.utility, facts)
    if list(level.stages) == track.stages:
        return
    values = {
        "stages": list(level.stages),
        "service_level": level.code,
        "limits": {stage: float(days) for stage, days in level.limits.items()},
        "cap_days": level.cap_days,
    }
    change(session, Track, track.id, {"state": "open"}, values)
    session.refresh(track)
    _give_time_for_survey(reporting, track)
    note_event(
        session,
        case_id=file.case.id,
        kind="line_corrected",
        actor=reporting.actor,
        at=reporting.at,
        task_id=reporting.task.id,
        facts={"provider": track.provider, "outside_line_m": float(report.outside_line_m), "level": level.code},
    )


def _give_time_for_survey(reporting: Reporting, track: Track) -> None:
    """The reply rests on a survey now, so both limits together count from here."""
    if "survey" not in track.stages:
        return
    session, task = reporting.session, reporting.task
    days = track.limits["survey"] + track.limits["reply"]
    due_at = deadlines.due_at(calendar_of(session), reporting.at, days)
    session.flush()
    change(session, Task, task.id, {"version": task.version}, {"due_at": due_at, "version": task.version + 1})
    session.refresh(task)
