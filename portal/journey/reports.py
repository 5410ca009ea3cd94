"""A provider's report: checked and applied in the one transaction that stores its inbox row and its answer."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.cases.tables import Task, TaskReport
from portal.exchange.wire import Report, check_for_utility, parse_report
from portal.journey import (
    acceptance,
    case_files,
    connection,
    inbox,
    pauses,
    progress,
    questions,
    refusals,
    reply,
    requotes,
    review,
    survey,
    task_documents,
    works,
)
from portal.journey.events import note_event
from portal.journey.reporting import Reporting, set_state
from portal.kernel import audit
from portal.kernel.database import transaction
from portal.kernel.errors import Conflict, NotFound
from portal.kernel.ids import new_id
from portal.kernel.policy import Actor, require

Step = Callable[[Reporting, Any], None]


def _sign_for(_reporting: Reporting, _report: Report) -> None:
    """Signing for a task has its own limit and changes nothing else."""


STEPS: dict[str, Step] = {
    "received": _sign_for,
    "declined": refusals.receive_declined,
    "question": questions.receive_question,
    "line_check": survey.receive_line_check,
    "pause": pauses.receive_pause,
    "resume": pauses.receive_resume,
    "extension": pauses.receive_extension,
    "availability": survey.receive_availability,
    "findings": survey.receive_findings,
    "reply": reply.receive_reply,
    "quote_final": requotes.receive_quote_final,
    "review": review.receive_review,
    "works": works.receive_works,
    "acceptance": acceptance.receive_acceptance,
    "connected": connection.receive_connected,
}
# Reports that are no work on the task itself: they leave its state to their own step.
_NO_WORK = frozenset({"received", "pause", "resume", "extension"})


@dataclass(frozen=True, slots=True)
class Answer:
    """What the reports API answers: HTTP status and JSON body."""

    status: int
    body: Mapping[str, Any]


def submit_report(
    actor: Actor, *, task_id: str, message_id: str, path: str, raw: bytes, at: dt.datetime, wire_at: dt.datetime
) -> Answer:
    """Apply one signed report, once per `message_id`; a replay gets the first answer again.

    Refusals (`DomainError`) become the stored answer too and leave nothing else behind.
    """
    with transaction() as session:
        status, body = inbox.answer_once(
            session,
            sender=actor.provider_code or actor.id,
            message_id=message_id,
            path=path,
            raw=raw,
            wire_at=wire_at,
            task_id=task_id[:32],
            apply=lambda inner: apply_report(inner, actor, task_id=task_id, raw=raw, at=at, wire_at=wire_at),
        )
    return Answer(status, body)


def submit_desk_report(
    actor: Actor, *, task_id: str, report: Mapping[str, Any], at: dt.datetime, wire_at: dt.datetime
) -> Mapping[str, Any]:
    """The same report entered by a provider's staff at the desk. Raises DomainError with the fields to mend."""
    raw = json.dumps(report, ensure_ascii=False).encode()
    with transaction() as session:
        return apply_report(session, actor, task_id=task_id, raw=raw, at=at, wire_at=wire_at)


def apply_report(
    session: Session, actor: Actor, *, task_id: str, raw: bytes, at: dt.datetime, wire_at: dt.datetime
) -> dict[str, Any]:
    """Step: check and apply one report of `actor`; answers {report_id, task}. Raises DomainError."""
    task, file = _load_own(session, actor, task_id)
    report = parse_report(raw)
    check_for_utility(report, task.utility or "")
    _check_current(session, file, task, report, at=at)
    row = TaskReport(
        id=new_id(),
        task_id=task.id,
        kind=report.kind,
        revision=task.revision,
        operator=report.operator,
        body=report.model_dump(mode="json", exclude_none=True),
        occurred_at=report.occurred_at,
        applied_at=at,
    )
    session.add(row)
    reporting = Reporting(session, file, task, actor, at, wire_at, before=task.result)
    _keep(reporting, report, row)
    if task.state == "issued":
        set_state(reporting, "receive")
    if report.kind not in _NO_WORK and task.state == "received":
        set_state(reporting, "work")
    STEPS[report.kind](reporting, report)
    progress.advance(session, case_id=file.case.id, at=at, wire_at=wire_at)
    session.flush()
    return {"report_id": row.id, "task": task_documents.task_document(session, task.id, at=at)}


def _load_own(session: Session, actor: Actor, task_id: str) -> tuple[Task, case_files.CaseFile]:
    case_id = session.scalars(select(Task.case_id).where(Task.id == task_id)).one_or_none()
    if case_id is None:
        raise NotFound
    file = case_files.load_case(session, case_id=case_id)
    task = session.get_one(Task, task_id, populate_existing=True)
    action = "desk.report" if actor.kind == "person" else "api.report"
    require(actor, action, {"provider": task.provider})
    if actor.provider_code != task.provider:
        raise NotFound
    return task, file


def _check_current(session: Session, file: case_files.CaseFile, task: Task, report: Report, *, at: dt.datetime) -> None:
    if report.revision is not None and report.revision != task.revision:
        raise Conflict(
            f"任务已更新到第 {task.revision} 版，请按最新内容填报。",
            code="stale_revision",
            facts={"task": task_documents.task_document(session, task.id, at=at)},
        )
    if task_documents.is_before_agency(session, task):
        raise Conflict("该任务的意见正在由牵头部门核定，请等待结果。", code="decision_open")
    expected = task_documents.expected_reports(session, file, task)
    if report.kind not in expected:
        raise Conflict(
            "该任务当前不接收这类回报。",
            code="not_expected",
            facts={"expects": list(expected), "state": task.state},
        )


def _keep(reporting: Reporting, report: Report, row: TaskReport) -> None:
    task, at = reporting.task, reporting.at
    task.result = {**task.result, report.kind: row.body}
    if report.provider_ref:
        task.provider_ref = report.provider_ref
    note_event(
        reporting.session,
        case_id=task.case_id,
        kind=f"report_{report.kind}",
        actor=reporting.actor,
        at=at,
        task_id=task.id,
        facts={"provider": task.provider, "stage": task.stage, "operator": report.operator},
    )
    audit.record(
        reporting.session,
        actor=reporting.actor,
        action=f"report.{report.kind}",
        subject=task.id,
        detail={"report_id": row.id, "revision": task.revision},
        at=at,
    )
