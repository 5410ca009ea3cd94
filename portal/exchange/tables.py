"""What leaves and what arrives: outbox, inbox, the health of each destination, credentials, and the queue of jobs.

Bodies are kept as the exact bytes that were signed or received. Task and case ids are bare values. All times here
are wire time, except `at`, the business time of the act that caused a message.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Index, String, UniqueConstraint, false, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.kernel.database import Id, Json, Model

UNREAD = text("read_back = 'unread'")


class OutboxMessage(Model):
    """One message to one destination (`provider:<code>` or `gateway`), sent unchanged on every try.

    kept: the provider is at a level that comes to us (desk, pull) and reads it here · pending → leased → delivered ·
    dead: the last try failed and a person is asked · gone: the endpoint said 410, or was disabled meanwhile ·
    unknown: a receiver that may act twice did not answer, so a person finds out.
    """

    __tablename__ = "outbox_message"
    __table_args__ = (
        CheckConstraint("state in ('kept','pending','leased','delivered','dead','gone','unknown')", name="state"),
        Index("ix_outbox_due", "state", "next_at"),
        Index("ix_outbox_order", "task_id", "destination", "state", "seq"),
        Index("ix_outbox_lease", "state", "lease_owner", "lease_until"),
        Index("ix_outbox_unread", "next_at", sqlite_where=UNREAD, postgresql_where=UNREAD),
        Index("uq_outbox_change_no", "destination", "change_no", unique=True),
    )

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    message_id: Mapped[str] = mapped_column(String(64), unique=True)  # the webhook-id
    destination: Mapped[str] = mapped_column(String(80), index=True)
    kind: Mapped[str] = mapped_column(String(40))
    path: Mapped[str] = mapped_column(String(300), default="")
    body: Mapped[bytes]
    media_type: Mapped[str | None] = mapped_column(String(80))  # of the body; none: application/json
    event: Mapped[bytes | None]  # the event a mapped body was made from, to make it again under another mapping
    task_id: Mapped[str | None] = mapped_column(Id)
    case_id: Mapped[str | None] = mapped_column(Id, index=True)
    state: Mapped[str] = mapped_column(String(16), default="pending")
    attempts: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[dt.datetime]
    lease_until: Mapped[dt.datetime | None]
    lease_owner: Mapped[str | None] = mapped_column(String(80))
    last_status: Mapped[int | None]
    last_error: Mapped[str | None] = mapped_column(String(400))
    response: Mapped[bytes | None]
    read_back: Mapped[str | None] = mapped_column(String(16))  # match | mismatch | unread, two-way level only
    in_doubt: Mapped[bool] = mapped_column(default=False, server_default=false())  # a sending may have arrived
    change_no: Mapped[int | None] = mapped_column(BigInteger)  # place in its provider's list of changes (pull)
    at: Mapped[dt.datetime]
    enqueued_at: Mapped[dt.datetime]
    delivered_at: Mapped[dt.datetime | None]


class DestinationHealth(Model):
    """The breaker of one destination; it survives a restart because it is a row."""

    __tablename__ = "destination_health"

    destination: Mapped[str] = mapped_column(String(80), primary_key=True)
    failures: Mapped[int] = mapped_column(default=0)  # in a row
    opened_until: Mapped[dt.datetime | None]
    probing_until: Mapped[dt.datetime | None]
    last_success_at: Mapped[dt.datetime | None]
    last_failure_at: Mapped[dt.datetime | None]
    last_error: Mapped[str | None] = mapped_column(String(400))
    held_until: Mapped[dt.datetime | None]  # it asked for a rest (Retry-After)
    tokens: Mapped[float | None]  # of the rate limit, as of `refilled_at`
    refilled_at: Mapped[dt.datetime | None]


class InboxMessage(Model):
    """One message from one sender and the answer it got; the same id is answered the same way again.

    applied · refused: the answer says why, and the raw bytes are kept so that a person can apply it later ·
    stored: kept, not looked at yet · unmapped: in the sender's own dialect, with a code or field nobody has mapped.
    """

    __tablename__ = "inbox_message"
    __table_args__ = (
        UniqueConstraint("sender", "message_id"),
        CheckConstraint("state in ('applied','refused','stored','unmapped')", name="state"),
        CheckConstraint("kind in ('report','status')", name="kind"),
        Index("ix_inbox_trouble", "state", "received_at"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    sender: Mapped[str] = mapped_column(String(80))
    message_id: Mapped[str] = mapped_column(String(128))
    path: Mapped[str] = mapped_column(String(300))
    fingerprint: Mapped[str] = mapped_column(String(64))
    received_at: Mapped[dt.datetime]
    status: Mapped[int]
    answer: Mapped[bytes]
    kind: Mapped[str] = mapped_column(String(16), default="report", server_default="report")
    state: Mapped[str] = mapped_column(String(16), default="applied", server_default="applied")
    reason: Mapped[str | None] = mapped_column(String(400))
    unmapped: Mapped[str | None] = mapped_column(String(120))  # what has no mapping, as `code:5` or `field:bizId`
    task_id: Mapped[str | None] = mapped_column(Id, index=True)
    raw: Mapped[bytes | None]  # what arrived; of reports only while it could not be applied


class ProviderAccess(Model):
    """How one provider's own system works with us: its level, its endpoint and its signing secrets (encrypted)."""

    __tablename__ = "provider_access"
    __table_args__ = (
        CheckConstraint("rate_per_minute > 0", name="rate_per_minute"),
        CheckConstraint("burst > 0", name="burst"),
        CheckConstraint("level in ('desk','mail','pull','push','two_way')", name="level"),
        CheckConstraint("level not in ('push','two_way') or push_url is not null", name="push_url"),
        CheckConstraint("level <> 'mail' or mail_to is not null", name="mail_to"),
    )

    provider: Mapped[str] = mapped_column(String(64), primary_key=True)
    utility: Mapped[str] = mapped_column(String(16))
    level: Mapped[str] = mapped_column(String(16), default="desk")
    push_url: Mapped[str | None] = mapped_column(String(300))
    mail_to: Mapped[str | None] = mapped_column(String(254))  # where its duty desk reads mail
    secrets: Mapped[bytes]  # encrypted JSON list of `whsec_…`, newest first; two while one rotates
    disabled_at: Mapped[dt.datetime | None]  # the endpoint answered 410
    rate_per_minute: Mapped[int | None]  # messages it takes; none: as many as its breaker has room for
    burst: Mapped[int | None]  # how many at once after a rest; none: the rate of a second, at least 1
    duty_mobile: Mapped[str | None] = mapped_column(String(32))  # who is called when hand-overs fail
    mapping_version: Mapped[int | None]  # its own dialect (ProviderMapping) instead of the protocol's


class AccessKey(Model):
    """A bearer key of a provider or a government portal: the hash of a random secret, its scopes and its expiry."""

    __tablename__ = "access_key"
    __table_args__ = (CheckConstraint("holder_kind in ('provider','portal')", name="holder_kind"),)

    key_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    key_hash: Mapped[str] = mapped_column(String(64))
    holder_kind: Mapped[str] = mapped_column(String(16))
    holder: Mapped[str] = mapped_column(String(64), index=True)  # provider code or portal name
    name: Mapped[str] = mapped_column(String(100))
    subject_ids: Mapped[list[str]] = mapped_column(Json, default=list)
    scopes: Mapped[list[str]] = mapped_column(Json)
    created_at: Mapped[dt.datetime]
    expires_at: Mapped[dt.datetime]
    revoked_at: Mapped[dt.datetime | None]


class Job(Model):
    """One piece of work to be done after the transaction that asked for it; unique by kind and key."""

    __tablename__ = "job"
    __table_args__ = (
        UniqueConstraint("kind", "key"),
        CheckConstraint("state in ('pending','leased','done','failed')", name="state"),
        Index("ix_job_due", "state", "due_at"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    kind: Mapped[str] = mapped_column(String(40))
    key: Mapped[str] = mapped_column(String(120))
    payload: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    state: Mapped[str] = mapped_column(String(16), default="pending")
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[dt.datetime]
    lease_until: Mapped[dt.datetime | None]
    lease_owner: Mapped[str | None] = mapped_column(String(80))
    last_error: Mapped[str | None] = mapped_column(String(2000))
    queued_at: Mapped[dt.datetime]
    finished_at: Mapped[dt.datetime | None]
