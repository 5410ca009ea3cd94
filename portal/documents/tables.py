"""Documents: what was ordered (frozen values) and, once rendered, the bytes for good."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from portal.kernel.database import Id, Json, Model, insert_only


class Document(Model):
    """文书: ordered inside the transaction that causes it; a worker renders it. `values` never change.

    replaced: a later paper stands in its place (a draft once the contract is signed); its bytes, if made, are kept.
    """

    __tablename__ = "document"
    __table_args__ = (
        CheckConstraint("state in ('pending','ready','failed','replaced')", name="state"),
        CheckConstraint("state != 'ready' or sha256 is not null", name="ready_has_hash"),
        Index("ix_document_case_ordered", "case_id", "ordered_at"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    kind: Mapped[str] = mapped_column(String(40))
    number: Mapped[str] = mapped_column(String(200), index=True)
    title: Mapped[str] = mapped_column(String(400))
    issuer: Mapped[str] = mapped_column(String(400))
    case_id: Mapped[str | None] = mapped_column(Id)
    application_id: Mapped[str | None] = mapped_column(Id, index=True)
    subject_id: Mapped[str] = mapped_column(String(64), index=True)  # whose paper: organisation or person
    provider: Mapped[str | None] = mapped_column(String(64))  # whose part it is; none for joint papers
    values: Mapped[dict[str, Any]] = mapped_column(Json)
    template_version: Mapped[str] = mapped_column(String(16))
    state: Mapped[str] = mapped_column(String(16), default="pending")
    tries: Mapped[int] = mapped_column(default=0)
    sha256: Mapped[str | None] = mapped_column(String(64))
    seal_box: Mapped[list[float] | None] = mapped_column(Json)  # page (from 1), left, bottom, width, height in points
    verify_code: Mapped[str] = mapped_column(String(16), unique=True)
    ordered_at: Mapped[dt.datetime]
    ready_at: Mapped[dt.datetime | None]
    error: Mapped[str | None] = mapped_column(String(1000))


@insert_only
class DocumentFile(Model):
    """The PDF itself, stored once."""

    __tablename__ = "document_file"

    document_id: Mapped[str] = mapped_column(ForeignKey("document.id"), primary_key=True)
    content: Mapped[bytes]
