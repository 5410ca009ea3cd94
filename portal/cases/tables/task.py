"""One provider's part of one stage, and what hangs on it: reports, pauses, questions, decisions, results."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.kernel.database import Id, Json, Model, insert_only


class Task(Model):
    """One provider's (or office's) part of one stage. States and endings: the provider protocol."""

    __tablename__ = "task"
    __table_args__ = (
        UniqueConstraint("case_id", "provider", "stage"),
        CheckConstraint(
            "state in ('issued','received','working','waiting_applicant','paused','done','declined','withdrawn',"
            "'failed')",
            name="state",
        ),
        Index("ix_task_provider_state_due", "provider", "state", "due_at"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("case.id"), index=True)
    track_id: Mapped[str | None] = mapped_column(ForeignKey("track.id"), index=True)  # none for permit offices
    provider: Mapped[str] = mapped_column(String(64))
    utility: Mapped[str | None] = mapped_column(String(16))
    stage: Mapped[str] = mapped_column(String(16))
    state: Mapped[str] = mapped_column(String(24), default="issued")
    revision: Mapped[int] = mapped_column(default=1)
    issued_at: Mapped[dt.datetime]
    due_at: Mapped[dt.datetime | None]
    ended_at: Mapped[dt.datetime | None]
    result: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)  # latest report of each kind, by kind
    provider_ref: Mapped[str | None] = mapped_column(String(100))
    version: Mapped[int] = mapped_column(default=1)


@insert_only
class TaskReport(Model):
    """Every report a provider made on a task, as it was applied."""

    __tablename__ = "task_report"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    task_id: Mapped[str] = mapped_column(ForeignKey("task.id"), index=True)
    kind: Mapped[str] = mapped_column(String(24))
    revision: Mapped[int]
    operator: Mapped[str | None] = mapped_column(String(100))
    body: Mapped[dict[str, Any]] = mapped_column(Json)
    occurred_at: Mapped[dt.datetime]
    applied_at: Mapped[dt.datetime]


class Pause(Model):
    """A stopped clock: a coded reason with evidence. At most one open pause a task and reason."""

    __tablename__ = "pause"
    __table_args__ = (
        Index(
            "uq_pause_open",
            "task_id",
            "reason",
            unique=True,
            sqlite_where=text("end_at IS NULL"),
            postgresql_where=text("end_at IS NULL"),
        ),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    task_id: Mapped[str] = mapped_column(ForeignKey("task.id"), index=True)
    reason: Mapped[str] = mapped_column(String(32))
    start_at: Mapped[dt.datetime]
    end_at: Mapped[dt.datetime | None]
    evidence: Mapped[str | None] = mapped_column(String(400))
    note: Mapped[str | None] = mapped_column(String(1000))
    by: Mapped[str] = mapped_column(String(100))


class Question(Model):
    """补正事项: asked by a provider, collected in the tray, sent to the applicant in one request."""

    __tablename__ = "question"
    __table_args__ = (CheckConstraint("state in ('tray','asked','answered')", name="state"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("case.id"), index=True)
    task_id: Mapped[str] = mapped_column(ForeignKey("task.id"))
    state: Mapped[str] = mapped_column(String(16), default="tray")
    code: Mapped[str] = mapped_column(String(40))
    text: Mapped[str] = mapped_column(String(1000))
    material_kind: Mapped[str | None] = mapped_column(String(40))
    field: Mapped[str | None] = mapped_column(String(100))
    why: Mapped[str | None] = mapped_column(String(400))
    answer: Mapped[str | None] = mapped_column(String(2000))
    material_id: Mapped[str | None] = mapped_column(Id)
    created_at: Mapped[dt.datetime]
    asked_at: Mapped[dt.datetime | None]
    answered_at: Mapped[dt.datetime | None]


class Decision(Model):
    """What the lead agency must decide: a refusal or a declined task before the applicant sees it."""

    __tablename__ = "decision"
    __table_args__ = (
        UniqueConstraint("task_id", "kind", "revision"),
        CheckConstraint("state in ('open','confirmed','rejected')", name="state"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("case.id"), index=True)
    task_id: Mapped[str] = mapped_column(ForeignKey("task.id"))
    kind: Mapped[str] = mapped_column(String(24))  # refusal | declined
    revision: Mapped[int]
    state: Mapped[str] = mapped_column(String(16), default="open")
    facts: Mapped[dict[str, Any]] = mapped_column(Json)
    opened_at: Mapped[dt.datetime]
    due_at: Mapped[dt.datetime | None]
    decided_at: Mapped[dt.datetime | None]
    decided_by: Mapped[str | None] = mapped_column(String(64))
    note: Mapped[str | None] = mapped_column(String(1000))


class Drawing(Model):
    """A drawing handed in for review: one row a version; the file is a MaterialFile."""

    __tablename__ = "drawing"
    __table_args__ = (UniqueConstraint("case_id", "provider", "kind", "version"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("case.id"), index=True)
    provider: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(40))
    version: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64))
    material_id: Mapped[str] = mapped_column(ForeignKey("material_file.id"))
    uploaded_at: Mapped[dt.datetime]


class ConnectionPoint(Model):
    """What connection leaves behind: account (户号) and meter numbers, one row a supply point."""

    __tablename__ = "connection_point"
    __table_args__ = (UniqueConstraint("task_id", "account_no", "meter_no"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("case.id"), index=True)
    task_id: Mapped[str] = mapped_column(ForeignKey("task.id"))
    provider: Mapped[str] = mapped_column(String(64))
    account_no: Mapped[str] = mapped_column(String(40), index=True)
    meter_no: Mapped[str] = mapped_column(String(40))
    supply_point: Mapped[str | None] = mapped_column(String(200))
    opening_reading: Mapped[str | None] = mapped_column(String(32))
    multiplier: Mapped[str | None] = mapped_column(String(16))
    connected_at: Mapped[dt.datetime]
