"""联合踏勘: everyone's slots become one visit (`visits`); findings end the task; a line check reopens."""

from __future__ import annotations

from portal.cases import deadlines
from portal.cases.tables import Task, Track, Visit
from portal.catalog import levels
from portal.catalog.queries import calendar_of
from portal.exchange.wire import AvailabilityReport, FindingsReport, LineCheckReport
from portal.journey import case_files, visits
from portal.journey.events import note_event
from portal.journey.reporting import Reporting, set_state
from portal.kernel.guard import change


def receive_availability(reporting: Reporting, _report: AvailabilityReport) -> None:
    """Keep the slots; once every surveying provider has offered some, offer the applicant times."""
    visits.arrange(reporting.session, reporting.file, at=reporting.at, wire_at=reporting.wire_at)


def receive_findings(reporting: Reporting, _report: FindingsReport) -> None:
    """What was found on site ends the provider's survey; with the last one the visit is done."""
    set_state(reporting, "finish")
    session, file = reporting.session, reporting.file
    ended = {task.provider for task in file.stage_tasks("survey") if task.ended_at}
    left = {track.provider for track in file.tracks.values() if track.state not in case_files.LIVE}
    for visit in case_files.visits_of(session, file.case.id):
        if visit.state == "fixed" and set(visit.providers) <= ended | left:
            change(session, Visit, visit.id, {"state": "fixed"}, {"state": "done"})
            session.refresh(visit)


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
