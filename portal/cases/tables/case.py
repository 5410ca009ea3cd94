"""Our running file of an application: the case, one track a provider, the timeline."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.kernel.database import Id, Json, Model, insert_only


class Case(Model):
    """联合办件: opened by acceptance. `stage` is the earliest joint stage still open; `version` guards changes."""

    __tablename__ = "case"
    __table_args__ = (CheckConstraint("state in ('open','closed','withdrawn')", name="state"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    case_no: Mapped[str] = mapped_column(String(32), unique=True)
    application_id: Mapped[str] = mapped_column(ForeignKey("application.id"), unique=True)
    subject_id: Mapped[str] = mapped_column(String(64), index=True)
    state: Mapped[str] = mapped_column(String(16), default="open")
    stage: Mapped[str] = mapped_column(String(16))
    catalog_version: Mapped[str] = mapped_column(String(64))
    accepted_at: Mapped[dt.datetime] = mapped_column(index=True)
    confirmed_at: Mapped[dt.datetime | None]
    signed_at: Mapped[dt.datetime | None]
    closed_at: Mapped[dt.datetime | None]
    version: Mapped[int] = mapped_column(default=1)


class Track(Model):
    """One provider of a case and the stages it needs, as the catalog says for its service level."""

    __tablename__ = "track"
    __table_args__ = (
        UniqueConstraint("case_id", "provider"),
        CheckConstraint("state in ('open','done','declined','withdrawn')", name="state"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("case.id"), index=True)
    provider: Mapped[str] = mapped_column(String(64), index=True)
    utility: Mapped[str] = mapped_column(String(16))
    service_level: Mapped[str] = mapped_column(String(64))
    stages: Mapped[list[str]] = mapped_column(Json)
    limits: Mapped[dict[str, Any]] = mapped_column(Json)  # stage -> working days (number)
    cap_days: Mapped[int | None]
    state: Mapped[str] = mapped_column(String(16), default="open")
    split_off: Mapped[list[str]] = mapped_column(Json, default=list)  # joint stages it no longer holds up


@insert_only
class CaseEvent(Model):
    """The timeline: what happened, when (business time), by whom; texts are made from `kind` and `facts`."""

    __tablename__ = "case_event"
    __table_args__ = (Index("ix_case_event_case_seq", "case_id", "seq"),)

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("case.id"))
    task_id: Mapped[str | None] = mapped_column(ForeignKey("task.id"))
    kind: Mapped[str] = mapped_column(String(40))
    at: Mapped[dt.datetime]
    actor: Mapped[str] = mapped_column(String(100))
    facts: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
