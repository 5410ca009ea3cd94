"""Signing in and out: a random token in the cookie, its hash in the database, failures slowed down per login."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets

from sqlalchemy import select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from portal.identity.passwords import hash_password, is_password
from portal.identity.people import load_actor
from portal.identity.tables import Membership, Organisation, Person, SessionRecord, SignInFailure, StaffSeat
from portal.kernel import audit
from portal.kernel.database import db, transaction
from portal.kernel.errors import DomainError, FieldError, Invalid
from portal.kernel.ids import new_id
from portal.kernel.policy import ANONYMOUS, Actor

IDLE = dt.timedelta(hours=2)
ABSOLUTE = dt.timedelta(hours=12)
SEEN_EVERY = dt.timedelta(minutes=5)
FREE_TRIES = 5
MAX_DELAY_S = 900


class TooManyTries(DomainError):
    """Too many wrong passwords for this login."""

    status = 429
    code = "too_many_tries"


def sign_in(*, login: str, password: str, at: dt.datetime, wire_at: dt.datetime) -> str:
    """Check the password and open a session; answers the token for the cookie.

    Raises Invalid with the same text for an unknown login and a wrong password, TooManyTries while blocked.
    """
    name = login.strip()[:64]
    person = db.session.scalars(select(Person).where(Person.login == name)).one_or_none()
    failure = db.session.get(SignInFailure, name)
    if failure is not None and failure.blocked_until is not None and failure.blocked_until > wire_at:
        raise TooManyTries("输错次数较多，请稍后再试。")
    stored = person.password_hash if person is not None and person.disabled_at is None else None
    is_right = is_password(password, stored)
    token = secrets.token_urlsafe(32)
    with transaction() as session:
        if is_right and person is not None:
            session.add(
                SessionRecord(token_hash=_hash(token), person_id=person.id, created_at=wire_at, last_seen_at=wire_at)
            )
            _forget_failures(session, name)
            actor = load_actor(session, person.id)
            audit.record(session, actor=actor, action="account.signed_in", subject=person.id, detail={}, at=at)
        else:
            _count_failure(session, name, wire_at)
    if not is_right:
        raise Invalid([FieldError("login", "账号或密码不正确，请检查后重新输入。", "wrong_credentials")])
    return token


def sign_out(token: str, *, wire_at: dt.datetime) -> None:
    """End the session on the server; ending it twice is no error."""
    with transaction() as session:
        session.execute(
            update(SessionRecord)
            .where(SessionRecord.token_hash == _hash(token), SessionRecord.ended_at.is_(None))
            .values(ended_at=wire_at)
        )


def actor_of_session(token: str, *, wire_at: dt.datetime) -> Actor:
    """Whoever this token stands for now; anonymous when it ended, idled out or is unknown."""
    row = db.session.get(SessionRecord, _hash(token))
    if row is None or row.ended_at is not None:
        return ANONYMOUS
    if wire_at - row.last_seen_at > IDLE or wire_at - row.created_at > ABSOLUTE:
        return ANONYMOUS
    person_id, is_stale = row.person_id, wire_at - row.last_seen_at > SEEN_EVERY
    actor = load_actor(db.session(), person_id)
    if is_stale:
        _note_seen(_hash(token), wire_at)
    return actor


def _note_seen(token_hash: str, wire_at: dt.datetime) -> None:
    with transaction() as session:
        session.execute(
            update(SessionRecord).where(SessionRecord.token_hash == token_hash).values(last_seen_at=wire_at)
        )


def _count_failure(session: Session, login: str, wire_at: dt.datetime) -> None:
    counted = session.execute(
        update(SignInFailure).where(SignInFailure.login == login).values(count=SignInFailure.count + 1)
    )
    assert isinstance(counted, CursorResult)
    if counted.rowcount == 0:
        session.add(SignInFailure(login=login, count=1))
        return
    row = session.get_one(SignInFailure, login, populate_existing=True)
    if row.count >= FREE_TRIES:
        delay = min(MAX_DELAY_S, 2 ** (row.count - FREE_TRIES) * 5)
        row.blocked_until = wire_at + dt.timedelta(seconds=delay)


def _forget_failures(session: Session, login: str) -> None:
    session.execute(update(SignInFailure).where(SignInFailure.login == login).values(count=0, blocked_until=None))


def _hash(token: str) -> str:
    # 256 random bits: nothing to slow down.
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def add_person(
    *,
    login: str,
    name: str,
    password: str,
    role: str,
    organisation: tuple[str, str] | None = None,
    provider_code: str | None = None,
    office_code: str | None = None,
    subject_id: str | None = None,
) -> str:
    """Use case: a person with one seat, or one membership for `organisation` (uscc, name); answers the person's id."""
    with transaction() as session:
        person = Person(
            id=new_id(), login=login, name=name, password_hash=hash_password(password), subject_id=subject_id
        )
        session.add(person)
        session.flush()
        if role == "applicant":
            if organisation is not None:
                uscc, title = organisation
                row = session.get(Organisation, f"uscc:{uscc}")
                if row is None:
                    row = Organisation(id=f"uscc:{uscc}", uscc=uscc, name=title)
                    session.add(row)
                    session.flush()
                session.add(Membership(id=new_id(), person_id=person.id, organisation_id=row.id))
        else:
            session.add(
                StaffSeat(
                    id=new_id(),
                    person_id=person.id,
                    role=role,
                    provider_code=provider_code,
                    office_code=office_code,
                )
            )
        return person.id
