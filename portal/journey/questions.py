"""补正: providers' questions reach the applicant together; the provider's clock rests until the answer."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.cases.tables import MaterialFile, Pause, Question
from portal.exchange.wire import QuestionReport
from portal.journey import case_files, pauses, task_documents
from portal.journey.events import note_event, send_task_event
from portal.journey.reporting import Reporting, set_state
from portal.kernel import audit
from portal.kernel.database import transaction
from portal.kernel.errors import Conflict, FieldError, Invalid, NotFound
from portal.kernel.guard import change
from portal.kernel.ids import new_id
from portal.kernel.policy import Actor, require

PAUSE_REASON = "applicant_correction"


def receive_question(reporting: Reporting, report: QuestionReport) -> None:
    """Ask the applicant; a question already open in this case is not asked twice, and its answer goes to both."""
    session, task, at = reporting.session, reporting.task, reporting.at
    query = select(Question).where(Question.case_id == task.case_id, Question.state != "answered")
    open_already = {task_documents.asked_about(vars(question)) for question in session.scalars(query)}
    for item in report.items:
        about = task_documents.asked_about(item.model_dump())
        if about in open_already:
            continue
        open_already.add(about)
        session.add(
            Question(
                id=new_id(),
                case_id=task.case_id,
                task_id=task.id,
                state="asked",
                code=item.code,
                text=item.text,
                material_kind=item.material_kind,
                field=item.field,
                why=item.why,
                created_at=at,
                asked_at=at,
            )
        )
    set_state(reporting, "ask")
    session.add(
        Pause(id=new_id(), task_id=task.id, reason=PAUSE_REASON, start_at=at, by=reporting.actor.name or task.provider)
    )
    session.flush()


def answer_question(
    actor: Actor,
    *,
    case_no: str,
    question_id: str,
    answer: str,
    material_id: str | None,
    at: dt.datetime,
    wire_at: dt.datetime,
) -> None:
    """The applicant answers one question; with the last one the provider goes on. Raises Invalid or Conflict."""
    text = answer.strip()
    with transaction() as session:
        file = case_files.load_case(session, case_no=case_no)
        require(actor, "case.answer", {"applicant_ids": frozenset({file.case.subject_id})})
        question = session.get(Question, question_id)
        if question is None or question.case_id != file.case.id:
            raise NotFound
        if question.state == "answered":
            raise Conflict("该补正事项已经答复过了。", code="already_answered")
        if not text and material_id is None:
            raise Invalid([FieldError("answer", "请填写说明，或上传所需材料。", "missing")])
        values = {"state": "answered", "answer": text[:2000], "material_id": material_id, "answered_at": at}
        change(session, Question, question.id, {"state": "asked"}, values)
        session.refresh(question)
        _attach(session, question, file, actor)
        note_event(
            session, case_id=file.case.id, kind="question_answered", actor=actor, at=at, task_id=question.task_id
        )
        audit.record(session, actor=actor, action="question.answered", subject=question.id, detail={}, at=at)
        for task in file.tasks.values():
            _resume_task(Reporting(session=session, file=file, task=task, actor=actor, at=at, wire_at=wire_at))


def _attach(session: Session, question: Question, file: case_files.CaseFile, actor: Actor) -> None:
    if question.material_id is None:
        return
    material = session.get(MaterialFile, question.material_id)
    if material is None or material.owner_id != actor.id:
        raise Invalid([FieldError("file", "没有找到刚上传的文件，请重新上传。", "missing")])
    material.application_id = file.application.id
    material.kind = question.material_kind or material.kind


def _resume_task(reporting: Reporting) -> None:
    """The provider goes on when nothing it asked is open any more."""
    session, task = reporting.session, reporting.task
    if task.state != "waiting_applicant":
        return
    pause = session.scalars(
        select(Pause).where(Pause.task_id == task.id, Pause.reason == PAUSE_REASON, Pause.end_at.is_(None))
    ).one_or_none()
    if pause is None or any(row.state != "answered" for row in task_documents.questions_of(session, task)):
        return
    pauses.end_pause(session, pause, at=reporting.at)
    set_state(reporting, "answer")
    send_task_event(session, task, "task.changed", at=reporting.at, wire_at=reporting.wire_at)
