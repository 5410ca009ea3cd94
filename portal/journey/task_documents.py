"""The task document of the provider protocol: what one provider may see of one task, built from an allowlist."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.cases import deadlines, workflow
from portal.cases.tables import Decision, Drawing, MaterialFile, Pause, Question, Task
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
        "shared_facts": _shared_facts(session, file, task),
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
    """The report kinds this task takes now (protocol: `expects`); none while the lead agency decides about it."""
    if is_before_agency(session, task):
        return ()
    visit = case_files.visit_for(session, task) if task.stage == "survey" else None
    works = task.result.get("works") or {}
    kinds = workflow.expects(
        task.stage,
        task.state,
        line_check=task.stage == LINE_CHECK_STAGE and _wants_line_check(file, task),
        visit_fixed=visit is not None,
        available="availability" in task.result,
        drawings=bool(_drawings(session, task)),
        works_status=works.get("status"),
    )
    return tuple(kind for kind in kinds if kind != "reply" or not _waits_for_own_survey(file, task))


def is_before_agency(session: Session, task: Task) -> bool:
    """Whether what the provider refused waits for the lead agency's decision."""
    query = select(Decision.id).where(Decision.task_id == task.id, Decision.state == "open")
    return session.scalars(query).first() is not None


def _waits_for_own_survey(file: case_files.CaseFile, task: Task) -> bool:
    # A line check that found a line brings the survey back: the reply rests on it then.
    track = file.tracks.get(task.provider)
    if track is None or "survey" not in track.stages:
        return False
    survey = file.tasks.get((task.provider, "survey"))
    return survey is None or survey.state != "done"


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


def pauses_of(session: Session, task_id: str, *, is_open: bool = False) -> list[deadlines.PauseSpan]:
    """The task's pauses as spans, oldest first; an open one has no end. `is_open`: only those still open."""
    query = select(Pause).where(Pause.task_id == task_id).order_by(Pause.start_at)
    rows = session.scalars(query.where(Pause.end_at.is_(None)) if is_open else query)
    return [deadlines.PauseSpan(row.start_at, row.end_at) for row in rows]


def used_days(calendar: Calendar, session: Session, task: Task, *, at: dt.datetime) -> float:
    """Net working days a task has used so far, pauses taken out."""
    return float(deadlines.used_days(calendar, task.issued_at, task.ended_at or at, pauses=pauses_of(session, task.id)))


def _open_pause(session: Session, task: Task) -> dict[str, Any] | None:
    pause = session.scalars(select(Pause).where(Pause.task_id == task.id, Pause.end_at.is_(None))).first()
    return {"reason_code": pause.reason, "since": format_instant(pause.start_at)} if pause else None


def _shared_facts(session: Session, file: case_files.CaseFile, task: Task) -> dict[str, Any]:
    survey = file.tasks.get((task.provider, "survey"))
    visit = case_files.visit_for(session, survey) if survey is not None else None
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


def questions_of(session: Session, task: Task) -> list[Question]:
    """The questions this task asked, oldest first; also those that another provider had asked already."""
    asked = {asked_about(item) for item in (task.result.get("question") or {}).get("items", ())}
    rows = session.scalars(select(Question).where(Question.case_id == task.case_id).order_by(Question.created_at))
    return [row for row in rows if row.task_id == task.id or asked_about(vars(row)) in asked]


def asked_about(question: Mapping[str, Any]) -> tuple[str | None, ...]:
    """What makes two questions the same: the code and what it is about, or else the words."""
    field, material_kind = question.get("field"), question.get("material_kind")
    return (question["code"], field, material_kind, None if field or material_kind else question["text"])


def _questions(session: Session, task: Task) -> list[dict[str, Any]]:
    rows = questions_of(session, task)
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
