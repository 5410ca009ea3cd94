"""Reading documents: the papers of a case for whoever may see them, and what the public learns from a code."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, defer

from portal.documents.tables import Document, DocumentFile
from portal.kernel.policy import Actor, may

# What a reader may mistype, put back into the alphabet codes are made of.
_MISREAD = str.maketrans({"O": "0", "I": "1", "L": "1"})


@dataclass(frozen=True, slots=True)
class DocumentLine:
    """One paper in a list. `state`: pending (正在生成), ready, failed."""

    id: str
    kind: str
    number: str
    title: str
    provider: str | None
    state: str
    sha256: str | None
    ordered_at: dt.datetime
    error: str | None


@dataclass(frozen=True, slots=True)
class PublicDocument:
    """What anybody who holds the paper may learn: nothing that does not stand on its head already."""

    title: str
    number: str
    issuer: str
    issued_on: dt.date
    state: str
    sha256: str | None


def list_documents(session: Session, actor: Actor, *, case_id: str) -> tuple[DocumentLine, ...]:
    """The papers in force of a case this actor may see, oldest first."""
    rows = session.scalars(_papers_of(case_id))
    return tuple(_line(row) for row in rows if may(actor, "document.view", facts_of(row)))


def facts_of(row: Document) -> dict[str, object]:
    """What the policy needs to know of a document: whose it is, and the provider whose part it is."""
    return {"applicant_ids": frozenset({row.subject_id}), "provider": row.provider}


def case_documents(session: Session, case_id: str) -> list[dict[str, Any]]:
    """The papers in force of a case for its record: id, kind, number, state, sha256 and a file name of their own."""
    taken: dict[str, int] = {}
    papers = []
    for row in session.scalars(_papers_of(case_id)):
        stem = f"{row.kind}-{row.number}"
        taken[stem] = taken.get(stem, 0) + 1
        name = f"{stem}.pdf" if taken[stem] == 1 else f"{stem}-{taken[stem]}.pdf"
        papers.append(
            {
                "id": row.id,
                "kind": row.kind,
                "number": row.number,
                "file": name,
                "state": row.state,
                "sha256": row.sha256,
            }
        )
    return papers


def _papers_of(case_id: str) -> Select[Document]:
    query = select(Document).where(Document.case_id == case_id, Document.state != "replaced")
    return query.options(defer(Document.values)).order_by(Document.ordered_at, Document.number, Document.id)


def find_by_verify_code(session: Session, code: str) -> PublicDocument | None:
    """The paper a code belongs to, whatever hyphens, blanks or look-alike letters it was typed with."""
    wanted = "".join(code.upper().split()).replace("-", "").translate(_MISREAD)
    row = session.scalars(select(Document).where(Document.verify_code == wanted)).one_or_none()
    if row is None:
        return None
    return PublicDocument(
        title=row.title,
        number=row.number,
        issuer=row.issuer,
        issued_on=dt.date.fromisoformat(row.values["issued_on"]),
        state=row.state,
        sha256=row.sha256,
    )


def content_of(session: Session, document_id: str) -> bytes | None:
    """The stored PDF, if it has been rendered."""
    return session.scalar(select(DocumentFile.content).where(DocumentFile.document_id == document_id))


def _line(row: Document) -> DocumentLine:
    return DocumentLine(
        id=row.id,
        kind=row.kind,
        number=row.number,
        title=row.title,
        provider=row.provider,
        state=row.state,
        sha256=row.sha256,
        ordered_at=row.ordered_at,
        error=row.error,
    )
