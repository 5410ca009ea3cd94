"""What is filed (Application) and our running file (Case, Track, Task and everything hanging on them).

Foreign keys stay within this wing; provider codes, person ids and document ids are bare values written by
`portal.journey`. There is one task per (case, provider, stage): a new round raises its `revision`.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.kernel.database import Id, Json, Model, insert_only


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


class Visit(Model):
    """到场: one appointment of the joint survey, found from all slots."""

    __tablename__ = "visit"
    __table_args__ = (
        UniqueConstraint("case_id", "round"),
        CheckConstraint("state in ('fixed','done','cancelled')", name="state"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("case.id"), index=True)
    round: Mapped[int]
    state: Mapped[str] = mapped_column(String(16), default="fixed")
    start_at: Mapped[dt.datetime]
    end_at: Mapped[dt.datetime]
    providers: Mapped[list[str]] = mapped_column(Json)
    reason: Mapped[str] = mapped_column(String(400), default="")


class JointReply(Model):
    """联合答复: part 1 and numbered supplements. `content` is the merged reply as issued (frozen values)."""

    __tablename__ = "joint_reply"
    __table_args__ = (UniqueConstraint("case_id", "part"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("case.id"), index=True)
    number: Mapped[str] = mapped_column(String(40), unique=True)
    part: Mapped[int]
    content: Mapped[dict[str, Any]] = mapped_column(Json)
    document_id: Mapped[str | None] = mapped_column(Id)
    issued_at: Mapped[dt.datetime]


class Confirmation(Model):
    """The applicant's choice of one option per provider; issuing the bill and the contracts follows from it."""

    __tablename__ = "confirmation"
    __table_args__ = (UniqueConstraint("case_id", "provider"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("case.id"), index=True)
    provider: Mapped[str] = mapped_column(String(64))
    option_code: Mapped[str] = mapped_column(String(40))
    option: Mapped[dict[str, Any]] = mapped_column(Json)
    confirmed_at: Mapped[dt.datetime]
    confirmed_by: Mapped[str] = mapped_column(String(64))


class Contract(Model):
    """The supply contract with one provider (供用电、供用水…合同); all are signed in one session."""

    __tablename__ = "contract"
    __table_args__ = (UniqueConstraint("case_id", "provider"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("case.id"), index=True)
    provider: Mapped[str] = mapped_column(String(64))
    number: Mapped[str] = mapped_column(String(40), unique=True)
    document_id: Mapped[str | None] = mapped_column(Id)
    made_at: Mapped[dt.datetime]
    signed_at: Mapped[dt.datetime | None]
    signed_by: Mapped[str | None] = mapped_column(String(64))


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
