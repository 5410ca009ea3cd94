"""What is filed, and the files handed in with it or later."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from portal.kernel.database import Id, Json, Model


class Application(Model):
    """One combined application as filed. `body` is the checked document, `notes` what the clerk should look at."""

    __tablename__ = "application"
    __table_args__ = (CheckConstraint("state in ('filed','accepted','returned','withdrawn')", name="state"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    application_no: Mapped[str] = mapped_column(String(32), unique=True)
    state: Mapped[str] = mapped_column(String(16))
    channel: Mapped[str] = mapped_column(String(24))
    subject_id: Mapped[str] = mapped_column(String(64), index=True)  # whose case: organisation or person
    filed_by: Mapped[str] = mapped_column(String(64))
    origin_ref: Mapped[str | None] = mapped_column(String(64))
    body: Mapped[dict[str, Any]] = mapped_column(Json)
    notes: Mapped[list[dict[str, Any]]] = mapped_column(Json, default=list)
    not_served: Mapped[list[dict[str, Any]]] = mapped_column(Json, default=list)
    overrides: Mapped[list[dict[str, Any]]] = mapped_column(Json, default=list)
    catalog_version: Mapped[str] = mapped_column(String(64))
    query_code: Mapped[str] = mapped_column(String(16), unique=True)
    filed_at: Mapped[dt.datetime]
    decided_at: Mapped[dt.datetime | None]
    version: Mapped[int] = mapped_column(default=1)


class MaterialFile(Model):
    """Bytes handed in for an application (rewritten and checked before they are stored here)."""

    __tablename__ = "material_file"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    owner_id: Mapped[str] = mapped_column(String(64), index=True)  # who uploaded it
    application_id: Mapped[str | None] = mapped_column(ForeignKey("application.id"), index=True)
    kind: Mapped[str | None] = mapped_column(String(40))
    name: Mapped[str] = mapped_column(String(200))
    media_type: Mapped[str] = mapped_column(String(64))
    sha256: Mapped[str] = mapped_column(String(64))
    content: Mapped[bytes]
    uploaded_at: Mapped[dt.datetime]
