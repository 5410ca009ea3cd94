"""What went wrong with hand-overs and who has to see to it: tries, alarms with an owner and a clock, mappings."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import CheckConstraint, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.kernel.database import Id, Json, Model, insert_only


@insert_only
class OutboxTry(Model):
    """One sending that did not arrive. The one that did stands on its message, so that good days cost nothing."""

    __tablename__ = "outbox_try"
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012 - SQLAlchemy reads it from the class

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    message_id: Mapped[str] = mapped_column(String(64), index=True)
    attempt: Mapped[int]
    sent_at: Mapped[dt.datetime]  # wire time
    ended_at: Mapped[dt.datetime]
    outcome: Mapped[str] = mapped_column(String(16))  # refused | unknown
    status: Mapped[int | None]
    error: Mapped[str] = mapped_column(String(400))
    retry_after_s: Mapped[float | None]


class HandOverAlarm(Model):
    """A hand-over that a person must see to: one per message (or provider) and reason; times are business time.

    `owner` is `portal` (operators) or `provider` (its duty staff); past `act_until` it is red.
    """

    __tablename__ = "hand_over_alarm"
    __table_args__ = (
        UniqueConstraint("subject_kind", "subject", "reason"),
        CheckConstraint("subject_kind in ('outbox','inbox','notice','endpoint')", name="subject_kind"),
        CheckConstraint("owner in ('portal','provider')", name="owner"),
        Index("ix_alarm_open", "resolved_at", "act_until"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    subject_kind: Mapped[str] = mapped_column(String(16))
    subject: Mapped[str] = mapped_column(String(64))
    reason: Mapped[str] = mapped_column(String(24))
    provider: Mapped[str | None] = mapped_column(String(64), index=True)
    owner: Mapped[str] = mapped_column(String(16))
    raised_at: Mapped[dt.datetime]
    act_until: Mapped[dt.datetime]
    resolved_at: Mapped[dt.datetime | None]
    resolved_by: Mapped[str | None] = mapped_column(String(200))
    resolution: Mapped[str | None] = mapped_column(String(40))


@insert_only
class ProviderMapping(Model):
    """One version of a provider's dialect: fields and codes as data. Versions are added, never edited."""

    __tablename__ = "provider_mapping"

    provider: Mapped[str] = mapped_column(String(64), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    content: Mapped[dict[str, Any]] = mapped_column(Json)
    made_by: Mapped[str] = mapped_column(String(200))
    made_at: Mapped[dt.datetime]
    note: Mapped[str] = mapped_column(String(200), default="")
