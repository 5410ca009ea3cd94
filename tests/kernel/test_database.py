"""The one commit point, guarded changes and insert-only tables, on both databases."""

from __future__ import annotations

import datetime as dt
import threading

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError, IntegrityError

from portal.cases.tables import Application, CaseEvent, MaterialFile
from portal.kernel.database import INSERT_ONLY, db, is_wal_safe, transaction
from portal.kernel.errors import Conflict
from portal.kernel.guard import change, try_change
from portal.kernel.ids import new_id
from tests.conftest import AT


def application(**values) -> Application:
    number = new_id()
    given = {
        "id": number,
        "application_no": number,
        "state": "filed",
        "channel": "web",
        "subject_id": "org",
        "filed_by": "me",
        "body": {"名": [1, 2.5, None]},
        "notes": [],
        "not_served": [],
        "overrides": [],
        "catalog_version": "1",
        "query_code": number[:16],
        "filed_at": AT,
        "version": 1,
    }
    return Application(**given | values)


def filed(**values) -> str:
    with transaction() as session:
        row = application(**values)
        session.add(row)
    return row.id


def test_what_a_transaction_wrote_is_there_and_what_it_failed_is_not(bare_app: Flask):
    kept = filed()
    with pytest.raises(RuntimeError), transaction() as session:  # noqa: PT012 - the error ends the transaction
        session.add(application())
        session.flush()
        raise RuntimeError
    assert [row.id for row in db.session.query(Application)] == [kept]


def test_times_come_back_aware_and_naive_ones_are_refused(bare_app: Flask):
    shanghai = dt.timezone(dt.timedelta(hours=8))
    key = filed(filed_at=AT.astimezone(shanghai))
    stored = db.session.get_one(Application, key)
    assert stored.filed_at == AT
    assert stored.filed_at.tzinfo is not None
    assert stored.body == {"名": [1, 2.5, None]}
    with pytest.raises(Exception, match="naive datetime"):
        filed(filed_at=AT.replace(tzinfo=None))


def test_a_guarded_change_happens_once(bare_app: Flask):
    key = filed()
    with transaction() as session:
        change(session, Application, key, {"state": "filed", "version": 1}, {"state": "accepted", "version": 2})
    with pytest.raises(Conflict) as refused, transaction() as session:
        change(session, Application, key, {"state": "filed", "version": 1}, {"state": "returned"})
    assert refused.value.code == "changed_meanwhile"
    assert db.session.get_one(Application, key).state == "accepted"


def test_of_many_that_try_at_once_one_succeeds(bare_app: Flask):
    key, wins = filed(), []

    def try_once(name: int) -> None:
        with bare_app.app_context():
            with transaction() as session:
                if try_change(session, Application, key, {"state": "filed"}, {"state": "accepted"}):
                    wins.append(name)
            db.session.remove()

    threads = [threading.Thread(target=try_once, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(wins) == 1


def test_a_read_session_does_not_leak_into_the_write(bare_app: Flask):
    key = filed()
    seen = db.session.get_one(Application, key)
    seen.channel = "changed by a page"
    filed()
    db.session.remove()
    assert db.session.get_one(Application, key).channel == "web"


def test_every_insert_only_table_refuses_changes(bare_app: Flask):
    assert "case_event" in INSERT_ONLY
    assert CaseEvent.__tablename__ in INSERT_ONLY
    sqlite = db.engine.dialect.name == "sqlite"
    query = (
        "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        if sqlite
        else "SELECT trigger_name || '-' || event_manipulation FROM information_schema.triggers "
        "WHERE trigger_schema = current_schema()"
    )
    names = set(db.session.scalars(text(query)))
    for table in INSERT_ONLY:
        wanted = (
            {f"{table}_no_UPDATE", f"{table}_no_DELETE"}
            if sqlite
            else {f"{table}_insert_only-UPDATE", f"{table}_insert_only-DELETE"}
        )
        assert wanted <= names, table


def test_a_foreign_key_is_enforced(bare_app: Flask):
    with pytest.raises(IntegrityError), transaction() as session:
        session.add(
            MaterialFile(
                id=new_id(),
                owner_id="me",
                application_id="nobody",
                name="a.pdf",
                media_type="application/pdf",
                sha256="0" * 64,
                content=b"x",
                uploaded_at=AT,
            )
        )


def test_a_state_outside_the_words_is_refused(bare_app: Flask):
    with pytest.raises(DatabaseError):
        filed(state="lost")


def test_sqlite_runs_as_the_blueprint_says(bare_app: Flask):
    if db.engine.dialect.name != "sqlite":
        pytest.skip("pragmas are SQLite's")
    read = {name: db.session.scalar(text(f"PRAGMA {name}")) for name in ("journal_mode", "synchronous", "foreign_keys")}
    version = tuple(int(part) for part in db.session.scalar(text("SELECT sqlite_version()")).split("."))
    assert read == {"journal_mode": "wal" if is_wal_safe(version) else "delete", "synchronous": 2, "foreign_keys": 1}


@pytest.mark.parametrize(
    ("version", "safe"),
    [
        ((3, 51, 3), True),
        ((3, 52, 0), True),
        ((3, 51, 2), False),
        ((3, 50, 7), True),
        ((3, 50, 6), False),
        ((3, 44, 6), True),
        ((3, 44, 5), False),
        ((3, 46, 1), False),
    ],
)
def test_wal_is_used_only_where_its_reset_is_mended(version, safe):
    assert is_wal_safe(version) is safe
