"""Signing in: no telling which half was wrong, slower with each failure, sessions that end; on both databases."""

from __future__ import annotations

import datetime as dt
import threading

import pytest
from sqlalchemy import select

from portal.identity.passwords import hash_password, is_password
from portal.identity.people import load_actor
from portal.identity.tables import Membership, Person, SessionRecord, SignInFailure, StaffSeat
from portal.journey import signing_in
from portal.journey.signing_in import ABSOLUTE, FREE_TRIES, IDLE, TooManyTries
from portal.kernel.database import db
from portal.kernel.errors import Invalid, NotSignedIn
from portal.kernel.policy import ANONYMOUS
from tests.conftest import AT

PASSWORD = "a long enough pass-phrase"
MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def person_id(bare_app):
    return signing_in.add_person(
        login="zhao", name="赵某", password=PASSWORD, role="applicant", organisation=("91150802MA13K7X265", "红果")
    )


def sign_in(login="zhao", password=PASSWORD, wire_at=AT):
    return signing_in.sign_in(login=login, password=password, at=AT, wire_at=wire_at)


def fail(times, login="zhao", wire_at=AT):
    for _ in range(times):
        with pytest.raises(Invalid):
            sign_in(login, "wrong", wire_at)


def row(model, key):
    db.session.remove()
    return db.session.get_one(model, key)


def test_the_right_password_opens_a_session(person_id):
    actor = signing_in.actor_of_session(sign_in(), wire_at=AT)
    assert (actor.id, actor.kind, actor.roles) == (person_id, "person", {"applicant"})
    assert actor.subject_ids == {"uscc:91150802MA13K7X265"}


def test_the_database_holds_neither_token_nor_password(person_id):
    token = sign_in()
    record = db.session.scalars(select(SessionRecord)).one()
    assert token not in record.token_hash
    stored = row(Person, person_id).password_hash
    assert PASSWORD not in stored
    assert stored.startswith("$argon2id$")


def test_an_unknown_login_and_a_wrong_password_are_refused_alike(person_id):
    with pytest.raises(Invalid) as unknown:
        sign_in("nobody", PASSWORD)
    with pytest.raises(Invalid) as wrong:
        sign_in("zhao", "wrong")
    assert unknown.value.errors == wrong.value.errors


def test_an_unknown_login_costs_a_hash_too(bare_app, monkeypatch):
    tried = []
    monkeypatch.setattr(signing_in, "is_password", lambda given, stored: tried.append(stored) or False)
    fail(1, "nobody")
    assert tried == [None]  # is_password hashes against a stand-in then, see below
    assert not is_password(PASSWORD, None)


def test_failures_slow_down_known_and_unknown_logins_alike(person_id):
    for login in ("zhao", "nobody"):
        fail(FREE_TRIES, login)
        with pytest.raises(TooManyTries):
            sign_in(login, PASSWORD)
    later = AT + dt.timedelta(seconds=6)
    fail(1, wire_at=later)
    first = row(SignInFailure, "zhao").blocked_until - later
    with pytest.raises(TooManyTries):
        sign_in(wire_at=later + first / 2)
    assert sign_in(wire_at=later + first)


def test_the_delay_grows_and_is_forgotten_after_success(person_id):
    fail(FREE_TRIES)
    delays, at = [], AT
    for _ in range(12):
        at = row(SignInFailure, "zhao").blocked_until
        fail(1, wire_at=at)
        delays.append((row(SignInFailure, "zhao").blocked_until - at).total_seconds())
    assert delays == sorted(delays)
    assert delays[0] == 10
    assert delays[-1] == signing_in.MAX_DELAY_S
    sign_in(wire_at=at + dt.timedelta(hours=1))
    assert row(SignInFailure, "zhao").count == 0


def test_invented_logins_do_not_pile_up(bare_app):
    for number in range(5):
        fail(1, f"invented-{number}")
    fail(1, "later", AT + dt.timedelta(days=2))
    assert list(db.session.scalars(select(SignInFailure.login))) == ["later"]


def test_first_failures_at_the_same_time_are_all_counted(bare_app):
    app, refused = bare_app, []

    def attempt():
        with app.app_context():
            try:
                sign_in("nobody", "wrong")
            except Invalid as error:
                refused.append(error)

    threads = [threading.Thread(target=attempt) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 4
    assert row(SignInFailure, "nobody").count == 4


def test_a_session_idles_out_and_ends_for_good(person_id):
    token = sign_in()
    assert signing_in.actor_of_session(token, wire_at=AT + IDLE + MINUTE) == ANONYMOUS
    at = AT
    while at < AT + ABSOLUTE:
        assert signing_in.actor_of_session(token, wire_at=at).id == person_id
        at += IDLE - MINUTE
    assert signing_in.actor_of_session(token, wire_at=AT + ABSOLUTE + MINUTE) == ANONYMOUS


def test_signing_out_ends_the_session_on_the_server(person_id):
    token, other = sign_in(), sign_in()
    signing_in.sign_out(token, wire_at=AT)
    signing_in.sign_out(token, wire_at=AT)
    assert signing_in.actor_of_session(token, wire_at=AT) == ANONYMOUS
    assert signing_in.actor_of_session(other, wire_at=AT).id == person_id


def test_rights_are_read_at_each_request(person_id):
    token = sign_in()
    with signing_in.transaction() as session:
        session.scalars(select(Membership)).one().ended_at = AT
    assert signing_in.actor_of_session(token, wire_at=AT).subject_ids == frozenset()
    with signing_in.transaction() as session:
        session.get_one(Person, person_id).disabled_at = AT
    assert signing_in.actor_of_session(token, wire_at=AT) == ANONYMOUS
    with pytest.raises(Invalid):
        sign_in()


def test_a_seat_gives_role_and_provider_until_it_ends(bare_app):
    person = signing_in.add_person(
        login="desk", name="经办", password=PASSWORD, role="provider_staff", provider_code="water-linhe"
    )
    actor = load_actor(db.session(), person)
    assert (actor.roles, actor.provider_code, actor.subject_ids) == ({"provider_staff"}, "water-linhe", frozenset())
    with signing_in.transaction() as session:
        session.scalars(select(StaffSeat)).one().ended_at = AT
    actor = load_actor(db.session(), person)
    assert "provider_staff" not in actor.roles
    assert actor.provider_code is None


def change(token, old=PASSWORD, new="another long pass-phrase", again=None):
    actor = signing_in.actor_of_session(token, wire_at=AT)
    again = new if again is None else again
    signing_in.change_password(actor, old=old, new=new, again=again, token=token, at=AT, wire_at=AT)


def test_a_new_password_ends_the_other_sessions(person_id):
    here, elsewhere = sign_in(), sign_in()
    change(here)
    assert signing_in.actor_of_session(here, wire_at=AT).id == person_id
    assert signing_in.actor_of_session(elsewhere, wire_at=AT) == ANONYMOUS
    with pytest.raises(Invalid):
        sign_in()
    assert sign_in(password="another long pass-phrase")


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"old": "wrong"}, "old"),
        ({"new": "short"}, "new"),
        ({"new": "x" * 2000}, "new"),
        ({"new": "aaaaaaaaaaaaaaaa"}, "new"),
        ({"new": "zhao-zhao-zhao-1"}, "new"),
        ({"again": "something else now"}, "again"),
    ],
)
def test_a_password_that_will_not_do_is_told_at_its_field(person_id, given, field):
    token = sign_in()
    with pytest.raises(Invalid) as refused:
        change(token, **given)
    assert [error.field for error in refused.value.errors] == [field]
    assert sign_in()


def test_guessing_the_old_password_is_slowed_down_too(person_id):
    token = sign_in()
    for _ in range(FREE_TRIES):
        with pytest.raises(Invalid):
            change(token, old="wrong")
    with pytest.raises(TooManyTries):
        change(token)


def test_nobody_changes_a_password_without_a_session(bare_app):
    with pytest.raises(NotSignedIn):
        change("no token")


def test_a_password_over_a_kilobyte_is_never_hashed():
    assert not is_password("x" * 2000, hash_password("y"))
    with pytest.raises(ValueError, match="too long"):
        hash_password("x" * 2000)
