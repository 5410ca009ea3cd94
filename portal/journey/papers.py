"""文书: ordered inside the transaction that causes them, rendered outside any, stored once and for good."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import Session

from portal.documents.errors import DocumentError
from portal.documents.kinds import KINDS, TEMPLATE_VERSION
from portal.documents.queries import content_of, facts_of
from portal.documents.tables import Document, DocumentFile
from portal.journey.jobs import queue_job
from portal.kernel.clock import local_date
from portal.kernel.database import db, transaction
from portal.kernel.errors import Conflict, NotFound, Unavailable
from portal.kernel.guard import change, try_change
from portal.kernel.ids import new_id, new_secret_code
from portal.kernel.policy import Actor, require

if TYPE_CHECKING:
    from portal.documents.render import Rendered

RENDER_JOB = "render_document"
MAX_TRIES = 3


@dataclass(frozen=True, slots=True)
class PdfFile:
    """A document to hand out: the file name to offer and the bytes."""

    name: str
    content: bytes


def order_document(  # noqa: PLR0913 - each names one column of the frozen row; no two belong together
    session: Session,
    *,
    kind: str,
    subject_id: str,
    number: str,
    values: Mapping[str, Any],
    at: dt.datetime,
    wire_at: dt.datetime | None = None,
    case_id: str | None = None,
    application_id: str | None = None,
    provider: str | None = None,
) -> str:
    """Step: freeze the values of a document and queue its rendering; answers the document id.

    `values` are those of the kind's model in `portal.documents.kinds`; `number` is put into them, and `issued_on`
    becomes the Shanghai date of `at` unless given. `provider` names the one provider whose part the paper is (it may
    see it then); joint papers have none. Raises pydantic's ValidationError or KeyError: a mistake of the caller.
    """
    row_kind = KINDS[kind]
    checked = row_kind.model.model_validate({"issued_on": local_date(at), **values, "number": number})
    document = Document(
        id=new_id(),
        kind=kind,
        number=number,
        title=row_kind.title_for(checked),
        issuer=checked.issuer,
        case_id=case_id,
        application_id=application_id,
        subject_id=subject_id,
        provider=provider,
        values=checked.model_dump(mode="json"),
        template_version=TEMPLATE_VERSION,
        state="pending",
        tries=0,
        verify_code=new_secret_code(),
        ordered_at=at,
    )
    return _keep(session, document, wire_at or at)


def _keep(session: Session, document: Document, wire_at: dt.datetime) -> str:
    session.add(document)
    session.flush()
    payload = {"document_id": document.id}
    queue_job(session, kind=RENDER_JOB, key=document.id, payload=payload, wire_at=wire_at)
    return document.id


def replace_document(session: Session, document_id: str) -> None:
    """Step: a later paper stands in this one's place; lists leave it out, and it is not rendered any more."""
    for state in ("pending", "ready", "failed"):
        if try_change(session, Document, document_id, {"state": state}, {"state": "replaced"}):
            return


def render_document(document_id: str, at: dt.datetime, *, base_url: str) -> str:
    """Use case of the worker: values → PDF → stored bytes; answers the state. Doing it twice changes nothing.

    `base_url` is where `/verify/<code>` is reached from outside. The first two failures are raised, so that the job
    comes again; the third, or one that no retry can mend (a missing character), leaves the document `failed` with
    its error. Raises NotFound for an unknown id.
    """
    document = db.session.get(Document, document_id)
    if document is None:
        raise NotFound
    db.session.remove()  # the row stays readable; nothing is held open while the PDF is made
    if document.state != "pending":
        return document.state
    try:
        rendered = _render(document, base_url)
    except Exception as problem:
        if _note_failure(document, problem):
            return "failed"
        raise
    _store(document_id, rendered, at)
    return "ready"


def _render(document: Document, base_url: str) -> Rendered:
    from portal.documents.render import render  # loads Pango: only where documents are made

    return render(document.kind, document.values, verify_url=f"{base_url}/verify/{document.verify_code}")


def _store(document_id: str, rendered: Rendered, at: dt.datetime) -> None:
    with transaction() as session:
        values = {
            "state": "ready",
            "sha256": hashlib.sha256(rendered.pdf).hexdigest(),
            "seal_box": list(rendered.seal_box) if rendered.seal_box else None,
            "ready_at": at,
            "error": None,
        }
        if not try_change(session, Document, document_id, {"state": "pending"}, values):
            return  # another worker was faster; its bytes stay
        session.add(DocumentFile(document_id=document_id, content=rendered.pdf))


def _note_failure(document: Document, problem: Exception) -> bool:
    """Count the failure; True when it was the last one and the document is failed now."""
    is_final = isinstance(problem, DocumentError) and problem.is_final
    failed = is_final or document.tries + 1 >= MAX_TRIES
    text = str(problem) if isinstance(problem, DocumentError) else f"{type(problem).__name__}: {problem}"
    values = {"tries": document.tries + 1, "error": text[:1000], "state": "failed" if failed else "pending"}
    with transaction() as session:
        counted = try_change(session, Document, document.id, {"state": "pending", "tries": document.tries}, values)
    return counted and failed


def render_again(actor: Actor, document_id: str, *, wire_at: dt.datetime) -> None:
    """Use case of an administrator: send a failed document round again once its cause is mended."""
    require(actor, "document.render_again")
    with transaction() as session:
        change(session, Document, document_id, {"state": "failed"}, {"state": "pending", "tries": 0, "error": None})
        key = f"{document_id}:{int(wire_at.timestamp())}"
        queue_job(session, kind=RENDER_JOB, key=key, payload={"document_id": document_id}, wire_at=wire_at)


def document_pdf(actor: Actor, document_id: str) -> PdfFile:
    """The bytes of a finished document. NotFound when absent or not the actor's; Conflict while it is being made."""
    document = db.session.get(Document, document_id)
    if document is None:
        raise NotFound
    require(actor, "document.view", facts_of(document))
    if document.state == "replaced":
        raise NotFound("这份文书已由新的文书取代，请在办件页面下载最新版本。", code="document_replaced")
    if document.state == "failed":
        raise Unavailable("文书生成失败，工作人员正在处理。", code="document_failed")
    content = content_of(db.session(), document_id)
    if content is None:
        raise Conflict("文书正在生成，请稍后刷新。", code="document_pending")
    return PdfFile(name=f"{document.title}-{document.number}.pdf", content=content)
