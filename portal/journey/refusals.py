"""A provider refuses its part: nothing changes before the lead agency has looked at it (see `decisions`)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from portal.cases import deadlines
from portal.cases.tables import Decision, Track
from portal.catalog.queries import calendar_of
from portal.exchange.wire import DeclinedReport
from portal.journey import bill_changes
from portal.journey.events import note_event
from portal.journey.reporting import Reporting
from portal.kernel.errors import Conflict
from portal.kernel.guard import change
from portal.kernel.ids import new_id

DECISION_DAYS = 1  # the lead agency's own limit, working days (blueprint §4, agencies)


def receive_declined(reporting: Reporting, report: DeclinedReport) -> None:
    """A provider will not do its part: the lead agency is asked before anything changes."""
    open_decision(reporting, kind="declined", facts=report.model_dump(mode="json", exclude_none=True))


def open_decision(reporting: Reporting, *, kind: str, facts: dict[str, Any]) -> None:
    """Put a provider's refusal before the lead agency; one per task, kind and revision."""
    task, session, at = reporting.task, reporting.session, reporting.at
    asked = session.scalars(select(Decision.id).where(Decision.task_id == task.id, Decision.state == "open")).first()
    if asked is not None:
        raise Conflict("该任务的意见正在由牵头部门核定，请等待结果。", code="decision_open")
    session.add(
        Decision(
            id=new_id(),
            case_id=task.case_id,
            task_id=task.id,
            kind=kind,
            revision=task.revision,
            state="open",
            facts=facts,
            opened_at=at,
            due_at=deadlines.due_at(calendar_of(session), at, DECISION_DAYS),
        )
    )
    note_event(session, case_id=task.case_id, kind="decision_asked", actor=reporting.actor, at=at, task_id=task.id)


def drop_track(reporting: Reporting) -> None:
    """Step: the provider leaves the joint process; the others go on without it, and nothing is owed to it."""
    session, file = reporting.session, reporting.file
    track = file.tracks[reporting.task.provider]
    change(session, Track, track.id, {"state": "open"}, {"state": "declined"})
    session.refresh(track)
    bill_changes.set_aside(
        session, file, track.provider, actor=reporting.actor, at=reporting.at, wire_at=reporting.wire_at
    )
