"""People, the organisations they act for, the seats staff sit on, and their sessions (kept on the server)."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import CheckConstraint, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.kernel.database import Id, Model


class Person(Model):
    """Somebody who signs in. `subject_id`: whom a private person files for (`person:<digest>`), if it files at all."""

    __tablename__ = "person"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    login: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(100))
    mobile: Mapped[str | None] = mapped_column(String(20))
    subject_id: Mapped[str | None] = mapped_column(String(64))
    password_hash: Mapped[str] = mapped_column(String(200))
    disabled_at: Mapped[dt.datetime | None]


class Organisation(Model):
    """An organisation that files applications; its id is `uscc:<code>`, as an API filing names it."""

    __tablename__ = "organisation"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    uscc: Mapped[str] = mapped_column(String(18), unique=True)
    name: Mapped[str] = mapped_column(String(100))


class Membership(Model):
    """A person may act for an organisation, until it is ended."""

    __tablename__ = "membership"
    __table_args__ = (UniqueConstraint("person_id", "organisation_id"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"), index=True)
    organisation_id: Mapped[str] = mapped_column(ForeignKey("organisation.id"), index=True)
    ended_at: Mapped[dt.datetime | None]


class StaffSeat(Model):
    """A staff role of a person; a desk seat names its provider, an agency seat its office."""

    __tablename__ = "staff_seat"
    __table_args__ = (
        CheckConstraint(
            "role in ('clerk','provider_staff','lead_agency','supervisor','finance','auditor','admin')", name="role"
        ),
        UniqueConstraint("person_id", "role"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"), index=True)
    role: Mapped[str] = mapped_column(String(24))
    provider_code: Mapped[str | None] = mapped_column(String(64))
    office_code: Mapped[str | None] = mapped_column(String(64))
    ended_at: Mapped[dt.datetime | None]


class SessionRecord(Model):
    """A signed-in browser. The cookie holds a random token; only its hash is kept here. All times are wire time."""

    __tablename__ = "session_record"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"), index=True)
    created_at: Mapped[dt.datetime]
    last_seen_at: Mapped[dt.datetime]
    ended_at: Mapped[dt.datetime | None]


class SignInFailure(Model):
    """Failed sign-ins of one login; the next try is refused until `blocked_until` (wire time)."""

    __tablename__ = "sign_in_failure"

    login: Mapped[str] = mapped_column(String(64), primary_key=True)
    count: Mapped[int] = mapped_column(default=0)
    blocked_until: Mapped[dt.datetime | None]
