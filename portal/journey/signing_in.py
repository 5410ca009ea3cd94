"""Signing in and out, and the password: only hashes are kept, and wrong tries slow down the login they name."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from portal.identity.passwords import MAX_LENGTH, hash_password, is_password
from portal.identity.people import load_actor
from portal.identity.tables import Membership, Organisation, Person, SessionRecord, SignInFailure, StaffSeat
from portal.kernel import audit
from portal.kernel.database import db, transaction
from portal.kernel.errors import DomainError, FieldError, Invalid
from portal.kernel.guard import change
from portal.kernel.ids import new_id
from portal.kernel.policy import ANONYMOUS, Actor, require

IDLE = dt.timedelta(hours=2)
ABSOLUTE = dt.timedelta(hours=12)
SEEN_EVERY = dt.timedelta(minutes=5)
FREE_TRIES = 5
MAX_DELAY_S = 900
FORGOTTEN_AFTER = dt.timedelta(days=1)
SHORTEST = 12
FEWEST_CHARACTERS = 5


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
    stored = person.password_hash if person is not None and person.disabled_at is None else None
    if not _is_right(name, password, stored, wire_at) or person is None:
        raise Invalid([FieldError("login", "账号或密码不正确，请检查后重新输入。", "wrong_credentials")])
    person_id, token = person.id, secrets.token_urlsafe(32)
    with transaction() as session:
        session.add(
            SessionRecord(token_hash=_hash(token), person_id=person_id, created_at=wire_at, last_seen_at=wire_at)
        )
        _forget_failures(session, name)
        actor = load_actor(session, person_id)
        audit.record(session, actor=actor, action="account.signed_in", subject=person_id, detail={}, at=at)
    return token


def change_password(
    actor: Actor, *, old: str, new: str, again: str, token: str, at: dt.datetime, wire_at: dt.datetime
) -> None:
    """Set a new password and end every other session of this person; `token` is the session that stays.

    Raises NotSignedIn, TooManyTries, and Invalid naming `old`, `new` or `again`.
    """
    require(actor, "account.password")
    person = db.session.get_one(Person, actor.id)
    login, stored = person.login, person.password_hash
    errors = _password_errors(new, again, login)
    if not _is_right(login, old, stored, wire_at):
        errors.insert(0, FieldError("old", "原密码不正确，请重新输入。", "wrong_password"))
    if errors:
        raise Invalid(errors)
    made = hash_password(new)
    with transaction() as session:
        change(session, Person, actor.id, {"password_hash": stored}, {"password_hash": made})
        session.execute(
            update(SessionRecord)
            .where(
                SessionRecord.person_id == actor.id,
                SessionRecord.token_hash != _hash(token),
                SessionRecord.ended_at.is_(None),
            )
            .values(ended_at=wire_at)
        )
        _forget_failures(session, login)
        audit.record(session, actor=actor, action="account.password_changed", subject=actor.id, detail={}, at=at)


def _password_errors(new: str, again: str, login: str) -> list[FieldError]:
    """Long rather than odd: length counts, kinds of characters do not (NIST SP 800-63B §3.1.1.2)."""
    errors = []
    if not SHORTEST <= len(new) <= MAX_LENGTH:
        errors.append(FieldError("new", f"新密码至少 {SHORTEST} 个字符，可以用一句自己记得住的话。", "length"))
    elif login.lower() in new.lower() or len(set(new)) < FEWEST_CHARACTERS:
        errors.append(FieldError("new", "新密码太容易猜到，请不要包含账号，也不要重复同几个字符。", "easy"))
    if new != again:
        errors.append(FieldError("again", "两次输入的新密码不一致，请重新输入。", "differs"))
    return errors


def _is_right(login: str, password: str, stored: str | None, wire_at: dt.datetime) -> bool:
    """Whether the password is right; a wrong one is counted. Raises TooManyTries while the login is blocked."""
    failure = db.session.get(SignInFailure, login)
    if failure is not None and failure.blocked_until is not None and failure.blocked_until > wire_at:
        raise TooManyTries("输错次数较多，请稍后再试。")
    if is_password(password, stored):
        return True
    with transaction() as session:
        _count_failure(session, login, wire_at)
    return False


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
    """One more for this login, known or not; rows a day old go, so that invented logins do not pile up."""
    session.execute(delete(SignInFailure).where(SignInFailure.blocked_until < wire_at - FORGOTTEN_AFTER))
    if session.get(SignInFailure, login) is None:
        try:
            with session.begin_nested():
                session.add(SignInFailure(login=login, count=0, blocked_until=wire_at))
        except IntegrityError:
            session.expire_all()  # somebody else's first failure of this login came in between: count on theirs
    session.execute(update(SignInFailure).where(SignInFailure.login == login).values(count=SignInFailure.count + 1))
    row = session.get_one(SignInFailure, login, populate_existing=True)
    delay = min(MAX_DELAY_S, 2 ** (row.count - FREE_TRIES) * 5) if row.count >= FREE_TRIES else 0
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
