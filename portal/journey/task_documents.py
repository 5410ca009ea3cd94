"""The task document of the provider protocol: what one provider may see of one task, built from an allowlist."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.cases import deadlines, workflow
from portal.cases.tables import Drawing, MaterialFile, Pause, Question, Task
from portal.catalog.calendar import Calendar
from portal.catalog.queries import calendar_of
from portal.exchange import scoping
from portal.journey import case_files
from portal.kernel.clock import format_instant

LINE_CHECK_STAGE = "reply"


def task_document(session: Session, task_id: str, *, at: dt.datetime) -> dict[str, Any]:
    """The document of one task as JSON-able values. The caller has checked that the reader may see the task."""
    task = session.get_one(Task, task_id)
    file = case_files.load_case(session, case_id=task.case_id, lock=False)
    body = file.body
    document: dict[str, Any] = {
        "task_id": task.id,
        "revision": task.revision,
        "case_no": file.case.case_no,
        "stage": task.stage,
        "provider": task.provider,
        "utility": task.utility,
        "state": task.state,
        "issued_at": format_instant(task.issued_at),
        "due_at": format_instant(task.due_at) if task.due_at else None,
        "light": light_of(session, file, task, at=at),
        "paused": _open_pause(session, task),
        "applicant": scoping.applicant_facts(body),
        "project": scoping.project_facts(body),
        "site": scoping.site_facts(body),
        "part": scoping.own_part(body, task.utility or "") if task.track_id else {},
        "shared_facts": _shared_facts(session, file),
        "materials": _materials(session, file, task),
        "service_level": _service_level(file, task),
        "questions": _questions(session, task),
        "drawings": _drawings(session, task),
        "expects": list(expected_reports(session, file, task)),
    }
    if file.case.confirmed_at is not None:
        document |= scoping.account_facts(body)
    return document


def expected_reports(session: Session, file: case_files.CaseFile, task: Task) -> tuple[str, ...]:
    """The report kinds this task takes now (protocol: `expects`)."""
    visit = case_files.current_visit(session, file.case.id)
    works = task.result.get("works") or {}
    return workflow.expects(
        task.stage,
        task.state,
        line_check=task.stage == LINE_CHECK_STAGE and _wants_line_check(file, task),
        visit_fixed=visit is not None,
        available="availability" in task.result,
        drawings=bool(_drawings(session, task)),
        works_status=works.get("status"),
    )


def _wants_line_check(file: case_files.CaseFile, task: Task) -> bool:
    level = case_files.level_of(file, file.tracks[task.provider])
    return level.needs_line_check and "line_check" not in task.result


def light_of(session: Session, file: case_files.CaseFile, task: Task, *, at: dt.datetime) -> str:
    """green, yellow or red (blueprint §4); a task without a limit is always green."""
    if task.due_at is None:
        return "green"
    track = file.tracks.get(task.provider)
    limit = track.limits.get(task.stage, 1) if track else 1
    return deadlines.light(
        calendar_of(session),
        issued_at=task.issued_at,
        due_at=task.due_at,
        limit_days=limit,
        now=at,
        pauses=pauses_of(session, task.id),
        ended_at=task.ended_at,
    )


def pauses_of(session: Session, task_id: str) -> list[deadlines.PauseSpan]:
    """The task's pauses as spans, oldest first; an open one has no end."""
    rows = session.scalars(select(Pause).where(Pause.task_id == task_id).order_by(Pause.start_at))
    return [deadlines.PauseSpan(row.start_at, row.end_at) for row in rows]


def used_days(calendar: Calendar, session: Session, task: Task, *, at: dt.datetime) -> float:
    """Net working days a task has used so far, pauses taken out."""
    return float(deadlines.used_days(calendar, task.issued_at, task.ended_at or at, pauses=pauses_of(session, task.id)))


def _open_pause(session: Session, task: Task) -> dict[str, Any] | None:
    pause = session.scalars(select(Pause).where(Pause.task_id == task.id, Pause.end_at.is_(None))).first()
    return {"reason_code": pause.reason, "since": format_instant(pause.start_at)} if pause else None


def _shared_facts(session: Session, file: case_files.CaseFile) -> dict[str, Any]:
    visit = case_files.current_visit(session, file.case.id)
    span = (format_instant(visit.start_at), format_instant(visit.end_at)) if visit else None
    return scoping.shared_facts(file.body, visit=span)


def _service_level(file: case_files.CaseFile, task: Task) -> dict[str, Any] | None:
    if task.track_id is None:
        return None
    level = case_files.level_of(file, file.tracks[task.provider])
    return {"code": level.code, "title": level.title, "zero_investment": level.zero_investment}


def _materials(session: Session, file: case_files.CaseFile, task: Task) -> list[dict[str, Any]]:
    allowed = scoping.material_kinds(task.utility or "")
    rows = session.scalars(
        select(MaterialFile)
        .where(MaterialFile.application_id == file.application.id, MaterialFile.kind.in_(allowed))
        .order_by(MaterialFile.kind, MaterialFile.uploaded_at)
    )
    return [{"kind": row.kind, "url": f"/api/v1/materials/{row.id}", "sha256": row.sha256} for row in rows]


def _questions(session: Session, task: Task) -> list[dict[str, Any]]:
    rows = session.scalars(select(Question).where(Question.task_id == task.id).order_by(Question.created_at))
    return [
        {
            "code": row.code,
            "text": row.text,
            "state": row.state,
            "answer": row.answer,
            "material": f"/api/v1/materials/{row.material_id}" if row.material_id else None,
        }
        for row in rows
    ]


def _drawings(session: Session, task: Task) -> list[dict[str, Any]]:
    if task.stage != "review":
        return []
    rows = session.scalars(
        select(Drawing)
        .where(Drawing.case_id == task.case_id, Drawing.provider == task.provider)
        .order_by(Drawing.kind, Drawing.version)
    )
    return [
        {"kind": d.kind, "version": d.version, "sha256": d.sha256, "url": f"/api/v1/materials/{d.material_id}"}
        for d in rows
    ]
