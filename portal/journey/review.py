"""联合审图: the applicant's drawings with hash and version; a rework asks for a new version, only there."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.cases import uploads
from portal.cases.tables import Drawing, MaterialFile, Task
from portal.exchange.wire import ReviewReport
from portal.journey import case_files, task_documents
from portal.journey.events import note_event, send_task_event
from portal.journey.reporting import Reporting, raise_revision, set_state
from portal.kernel import audit
from portal.kernel.database import transaction
from portal.kernel.errors import Conflict, FieldError, Invalid, NotFound
from portal.kernel.ids import new_id
from portal.kernel.policy import Actor, require

DRAWING_KINDS = ("design_drawing",)


def receive_review(reporting: Reporting, report: ReviewReport) -> None:
    """Pass ends the task; rework hands the comments to the applicant and waits for the next version.

    Raises Invalid where round, drawings or a comment's drawing are not those of this case.
    """
    if errors := _drawing_errors(reporting, report):
        raise Invalid(errors, code=errors[0].code)
    if report.verdict == "pass":
        set_state(reporting, "finish")
        return
    if not report.comments:
        raise Invalid([FieldError("comments", "要求修改时请逐条写明意见。", "missing")])
    set_state(reporting, "ask")
    note_event(
        reporting.session,
        case_id=reporting.task.case_id,
        kind="rework_asked",
        actor=reporting.actor,
        at=reporting.at,
        task_id=reporting.task.id,
        facts={"provider": reporting.task.provider, "round": report.round},
    )


def _drawing_errors(reporting: Reporting, report: ReviewReport) -> list[FieldError]:
    task, errors = reporting.task, []
    if report.round != task.revision:
        errors.append(FieldError("round", f"现在是第 {task.revision} 轮审图，请按本轮图纸填报。", "wrong_round"))
    query = select(Drawing).where(Drawing.case_id == task.case_id, Drawing.provider == task.provider)
    drawings = reporting.session.scalars(query.order_by(Drawing.version)).all()
    newest = {drawing.kind: drawing for drawing in drawings}
    for index, seen in enumerate(report.drawings):
        of_hash = [drawing for drawing in drawings if drawing.sha256 == seen.sha256]
        if not of_hash:
            text = "本办件没有这份图纸，请核对图纸摘要（sha256）。"
            errors.append(FieldError(f"drawings.{index}.sha256", text, "unknown_drawing"))
        elif all(drawing.version != seen.version for drawing in of_hash):
            text = f"这份图纸是第 {of_hash[-1].version} 版，请核对版本号。"
            errors.append(FieldError(f"drawings.{index}.version", text, "wrong_version"))
    reviewed = {(seen.sha256, seen.version) for seen in report.drawings}
    if not errors and (missed := [d for d in newest.values() if (d.sha256, d.version) not in reviewed]):
        text = f"申请人已提交第 {missed[0].version} 版图纸，请审查最新版本。"
        errors.append(FieldError("drawings", text, "stale_drawing"))
    hashes = {drawing.sha256 for drawing in drawings}
    errors += [
        FieldError(
            f"comments.{index}.drawing_sha256", "本办件没有这份图纸，请核对图纸摘要（sha256）。", "unknown_drawing"
        )
        for index, comment in enumerate(report.comments)
        if comment.drawing_sha256 not in hashes
    ]
    return errors


def upload_drawing(
    actor: Actor,
    *,
    case_no: str,
    provider: str,
    kind: str,
    name: str,
    content: bytes,
    at: dt.datetime,
    wire_at: dt.datetime,
) -> str:
    """Hand in a drawing for one provider's review; answers its sha256. A rework's new version opens the next round.

    Raises Invalid naming `file`, NotFound for a provider that reviews nothing here, Conflict when review has ended.
    """
    checked = uploads.clean_upload(name, content)
    if kind not in DRAWING_KINDS:
        raise Invalid([FieldError("kind", "请选择图纸种类。", "choice")])
    with transaction() as session:
        file = case_files.load_case(session, case_no=case_no)
        require(actor, "case.answer", {"applicant_ids": frozenset({file.case.subject_id})})
        task = _open_review(file, provider)
        drawing = _keep(session, file, checked, provider=provider, kind=kind, owner=actor.id, at=at)
        reporting = Reporting(session=session, file=file, task=task, actor=actor, at=at, wire_at=wire_at)
        # A drawing answers a rework; a question about the review waits for its own answer.
        if task.state == "waiting_applicant" and not task_documents.pauses_of(session, task.id, is_open=True):
            raise_revision(reporting)
        _tell(reporting, drawing)
    return checked.sha256


def _open_review(file: case_files.CaseFile, provider: str) -> Task:
    task = file.tasks.get((provider, "review"))
    if task is None:
        raise NotFound
    if task.state in ("done", "declined", "withdrawn", "failed"):
        raise Conflict("该单位的审图已经结束。", code="not_expected")
    return task


def _keep(
    session: Session,
    file: case_files.CaseFile,
    checked: uploads.Upload,
    *,
    provider: str,
    kind: str,
    owner: str,
    at: dt.datetime,
) -> Drawing:
    material = MaterialFile(
        id=new_id(),
        owner_id=owner,
        application_id=file.application.id,
        kind=kind,
        name=checked.name,
        media_type=checked.media_type,
        sha256=checked.sha256,
        content=checked.content,
        uploaded_at=at,
    )
    session.add(material)
    session.flush()
    drawing = Drawing(
        id=new_id(),
        case_id=file.case.id,
        provider=provider,
        kind=kind,
        version=_latest_version(session, file.case.id, provider, kind) + 1,
        sha256=checked.sha256,
        material_id=material.id,
        uploaded_at=at,
    )
    session.add(drawing)
    session.flush()
    return drawing


def _latest_version(session: Session, case_id: str, provider: str, kind: str) -> int:
    query = select(func.max(Drawing.version)).where(
        Drawing.case_id == case_id, Drawing.provider == provider, Drawing.kind == kind
    )
    return session.scalar(query) or 0


def _tell(reporting: Reporting, drawing: Drawing) -> None:
    session, task, actor, at = reporting.session, reporting.task, reporting.actor, reporting.at
    facts = {
        "provider": drawing.provider,
        "kind": drawing.kind,
        "version": drawing.version,
        "sha256": drawing.sha256,
    }
    note_event(
        session, case_id=drawing.case_id, kind="drawing_uploaded", actor=actor, at=at, task_id=task.id, facts=facts
    )
    audit.record(session, actor=actor, action="drawing.uploaded", subject=task.id, detail=facts, at=at)
    send_task_event(session, task, "drawing.uploaded", at=at, wire_at=reporting.wire_at)
