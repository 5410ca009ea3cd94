"""What every report step works with: the case, the task, who reports and when; and the guarded change of state."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import Session

from portal.cases import deadlines, workflow
from portal.cases.tables import Task
from portal.catalog.queries import calendar_of
from portal.journey.case_files import CaseFile
from portal.kernel.errors import Conflict
from portal.kernel.guard import change
from portal.kernel.policy import Actor


@dataclass(slots=True)
class Reporting:
    """One report being applied, or another act on one task."""

    session: Session
    file: CaseFile
    task: Task
    actor: Actor
    at: dt.datetime
    wire_at: dt.datetime
    before: dict[str, Any] = field(default_factory=dict)  # the task's latest reports before this one, by kind


def set_state(reporting: Reporting, action: str, **values: Any) -> None:
    """Move the task by the transition table, guarded by its state and version. Raises Conflict `not_expected`."""
    task, session = reporting.task, reporting.session
    try:
        state = workflow.next_state(task.state, action)
    except workflow.NotExpected as refused:
        raise Conflict(
            "任务当前的状态不允许这样做。", code="not_expected", facts={"state": task.state, "action": action}
        ) from refused
    session.flush()
    values["state"] = state
    if state in workflow.ENDED:
        values["ended_at"] = reporting.at
    values["version"] = task.version + 1
    change(session, Task, task.id, {"state": task.state, "version": task.version}, values)
    session.refresh(task)


def raise_revision(reporting: Reporting) -> None:
    """A new round of the same task: revision + 1, a fresh limit, open again."""
    task = reporting.task
    track = reporting.file.tracks.get(task.provider)
    limit = track.limits.get(task.stage) if track else None
    due_at = deadlines.due_at(calendar_of(reporting.session), reporting.at, limit) if limit is not None else None
    set_state(reporting, "revise", revision=task.revision + 1, due_at=due_at, ended_at=None)
