"""Stopped clocks: a coded reason with evidence, rows with a start and an end; and extensions asked before expiry."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from portal.cases.tables import Pause, Task
from portal.catalog.queries import calendar_of
from portal.exchange.wire import ExtensionReport, PauseReport, ResumeReport
from portal.journey.reporting import Reporting, set_state
from portal.kernel.clock import SHANGHAI, local_date
from portal.kernel.errors import Conflict, FieldError, Invalid
from portal.kernel.guard import change
from portal.kernel.ids import new_id

FROZEN_GROUND_STAGES = ("works",)


def receive_pause(reporting: Reporting, report: PauseReport) -> None:
    """Stop the task's clock. `frozen_ground` stands only between the catalog's dates and only for digging."""
    session, task, at = reporting.session, reporting.task, reporting.at
    if report.reason_code == "frozen_ground":
        _check_frozen(reporting)
    open_pause = session.scalars(select(Pause.id).where(Pause.task_id == task.id, Pause.end_at.is_(None))).first()
    if open_pause is not None:
        raise Conflict("该任务已经处于暂停中。", code="already_paused")
    set_state(reporting, "pause")
    session.add(
        Pause(
            id=new_id(),
            task_id=task.id,
            reason=report.reason_code,
            start_at=at,
            evidence=report.evidence,
            note=report.note,
            by=reporting.actor.name or task.provider,
        )
    )


def _check_frozen(reporting: Reporting) -> None:
    allowed = reporting.file.catalog.is_ground_frozen(local_date(reporting.at))
    if reporting.task.stage not in FROZEN_GROUND_STAGES or not allowed:
        raise Invalid([FieldError("reason_code", "冻土期暂停只适用于冻土期内的开挖施工。", "not_frozen")])


def receive_resume(reporting: Reporting, report: ResumeReport) -> None:
    """Start the clock again; the reason must be the one it was stopped for."""
    session, task = reporting.session, reporting.task
    pause = session.scalars(
        select(Pause).where(Pause.task_id == task.id, Pause.reason == report.reason_code, Pause.end_at.is_(None))
    ).one_or_none()
    if pause is None:
        raise Conflict("没有以该原因暂停的记录。", code="not_paused")
    end_pause(session, pause, at=reporting.at)
    set_state(reporting, "resume")


def end_pause(session: Session, pause: Pause, *, at: dt.datetime) -> None:
    """Close an open pause, guarded; Conflict when somebody closed it first."""
    session.flush()
    result = session.execute(update(Pause).where(Pause.id == pause.id, Pause.end_at.is_(None)).values(end_at=at))
    assert isinstance(result, CursorResult)
    if result.rowcount != 1:
        raise Conflict("该暂停已经结束。", code="not_paused")


def receive_extension(reporting: Reporting, report: ExtensionReport) -> None:
    """Move the limit to the close of `until_on`; asked after expiry it is refused and the task stays overdue."""
    task, at = reporting.task, reporting.at
    if task.due_at is None or at > task.due_at:
        raise Conflict("已超过办理时限，不能再申请延期。", code="too_late")
    calendar = calendar_of(reporting.session)
    if not calendar.is_working_day(report.until_on):
        raise Invalid([FieldError("until_on", "请选择一个工作日。", "not_working_day")])
    close = dt.datetime.combine(report.until_on, dt.time.fromisoformat(calendar.cut_off), SHANGHAI)
    if close <= task.due_at:
        raise Invalid([FieldError("until_on", "延期后的日期应晚于原时限。", "not_later")])
    change(reporting.session, Task, task.id, {"version": task.version}, {"due_at": close, "version": task.version + 1})
    reporting.session.refresh(task)
