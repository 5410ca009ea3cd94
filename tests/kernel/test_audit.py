"""The audit chain names every way of tampering with it, on both databases."""

from __future__ import annotations

import datetime as dt
import threading
from decimal import Decimal

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from portal.journey.sealing import seal_audit
from portal.kernel import audit
from portal.kernel.database import db, transaction
from portal.kernel.policy import SYSTEM, Actor
from tests.conftest import AT

CLERK = Actor(kind="person", id="u1", name="王窗口")


def act(*subjects: str) -> None:
    with transaction() as session:
        for subject in subjects:
            audit.record(
                session, actor=CLERK, action="application.accepted", subject=subject, detail={"n": len(subject)}, at=AT
            )


def verify(**kept) -> audit.Verdict:
    db.session.remove()
    return audit.verify_audit(db.session(), **kept)


def tamper(*statements: str) -> None:
    """What somebody with full rights on the database could do: switch the guards off, then write."""
    tables = ("audit_record", "audit_block", "audit_membership")
    with transaction() as session:
        is_sqlite = session.get_bind().dialect.name == "sqlite"
        for table in tables:
            if is_sqlite:
                session.execute(text(f"DROP TRIGGER IF EXISTS {table}_no_UPDATE"))
                session.execute(text(f"DROP TRIGGER IF EXISTS {table}_no_DELETE"))
            else:
                session.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
        for statement in statements:
            session.execute(text(statement))


@pytest.fixture
def sealed(bare_app: Flask) -> list[int]:
    """Two blocks of three rows and one row not sealed yet; their numbers."""
    act("a", "b", "c")
    assert seal_audit(AT) == 3
    act("d", "e", "f")
    assert seal_audit(AT + dt.timedelta(days=1)) == 3
    act("g")
    return list(db.session.scalars(text("SELECT seq FROM audit_record ORDER BY seq")))


def test_an_untouched_chain_is_good(sealed):
    verdict = verify()
    assert verdict.ok, verdict.reason
    assert (verdict.sealed, verdict.unsealed_tail, verdict.first_bad) == (6, 1, None)
    assert verdict.head is not None
    assert verdict.head.no == 2
    assert seal_audit(AT) == 1
    assert seal_audit(AT) == 0
    assert verify(kept_head=verdict.head).ok


def test_an_empty_chain_is_good(bare_app: Flask):
    assert seal_audit(AT) == 0
    assert verify() == audit.Verdict(True, None, "", 0, 0, None)


@pytest.mark.parametrize("table", ["audit_record", "audit_block", "audit_membership"])
@pytest.mark.parametrize("statement", ["DELETE FROM {}", "UPDATE {} SET {}"])
def test_the_database_refuses_changes(sealed, table, statement):
    column = {"audit_record": "action = 'x'", "audit_block": "count = 1", "audit_membership": "block_no = 1"}[table]
    with pytest.raises(DatabaseError, match="insert-only"), transaction() as session:
        session.execute(text(statement.format(table, column)))
    assert verify().ok


@pytest.mark.parametrize(
    "change",
    [
        "subject = 'z'",
        "actor_name = '别人'",
        "at = '2020-01-01 00:00:00.000000'",
        """detail = '{"n": 7}'""",
        "digest = 'x'",
    ],
)
@pytest.mark.parametrize("position", [1, 6])
def test_a_changed_row_is_named_sealed_or_not(sealed, change, position):
    tamper(f"UPDATE audit_record SET {change} WHERE seq = {sealed[position]}")
    verdict = verify()
    assert (verdict.ok, verdict.first_bad) == (False, sealed[position])
    assert verdict.reason == "the content of this row was changed"


def test_a_changed_row_with_a_fitting_digest_is_still_found(sealed):
    with transaction() as session:
        row = session.get_one(audit.AuditRecord, sealed[1])
        session.expunge(row)
    row.subject = "z"
    forged = audit._digest_of(row)
    tamper(f"UPDATE audit_record SET subject = 'z', digest = '{forged}' WHERE seq = {sealed[1]}")
    verdict = verify()
    assert not verdict.ok
    assert verdict.reason == "rows of block 1 were exchanged or renumbered"


def test_a_deleted_row_is_named(sealed):
    tamper(f"DELETE FROM audit_record WHERE seq = {sealed[4]}")
    verdict = verify()
    assert (verdict.ok, verdict.first_bad, verdict.reason) == (False, sealed[4], "a sealed row was deleted")


def test_a_row_deleted_with_its_membership_is_found(sealed):
    tamper(f"DELETE FROM audit_record WHERE seq = {sealed[4]}", f"DELETE FROM audit_membership WHERE seq = {sealed[4]}")
    verdict = verify()
    assert (verdict.ok, verdict.reason) == (False, "block 2 sealed 3 rows and holds 2")


def test_exchanged_rows_are_found(sealed):
    first, second = sealed[0], sealed[1]
    tamper(
        f"UPDATE audit_record SET seq = -1 WHERE seq = {first}",
        f"UPDATE audit_record SET seq = {first} WHERE seq = {second}",
        f"UPDATE audit_record SET seq = {second} WHERE seq = -1",
    )
    verdict = verify()
    assert (verdict.ok, verdict.reason) == (False, "rows of block 1 were exchanged or renumbered")


def test_a_row_slipped_into_a_block_is_found(sealed):
    tamper(f"INSERT INTO audit_membership (seq, block_no) VALUES ({sealed[6]}, 1)")
    assert verify().reason == "block 1 sealed 3 rows and holds 4"


def test_a_block_taken_out_of_the_middle_is_named(sealed):
    tamper("DELETE FROM audit_block WHERE no = 1")
    verdict = verify()
    assert (verdict.ok, verdict.reason) == (False, "block 1 is missing")


@pytest.mark.parametrize("change", ["count = 2", "sealed_at = '2020-01-01 00:00:00.000000'", "rows_digest = 'x'"])
def test_a_changed_block_is_named(sealed, change):
    tamper(f"UPDATE audit_block SET {change} WHERE no = 1")
    verdict = verify()
    assert (verdict.ok, verdict.first_bad, verdict.reason) == (False, sealed[0], "block 1 was changed")


def test_a_chain_cut_short_shows_to_whoever_kept_a_head(sealed):
    head = verify().head
    cut = ["DELETE FROM audit_block WHERE no = 2"]
    tamper(*cut)
    assert verify().reason == "the block that sealed this row is missing"
    tamper("DELETE FROM audit_membership WHERE block_no = 2", f"DELETE FROM audit_record WHERE seq >= {sealed[3]}")
    assert verify().ok  # from inside nothing shows …
    verdict = verify(kept_head=head)  # … with the head it does
    assert not verdict.ok
    assert "the chain was cut or written anew" in verdict.reason


def test_a_row_that_commits_late_with_a_lower_number_joins_the_next_block(bare_app: Flask):
    if db.engine.dialect.name != "postgresql":
        pytest.skip("SQLite has one writer at a time: a lower number cannot commit later")
    with Session(db.engine) as slow:
        audit.record(slow, actor=SYSTEM, action="late", subject="s", detail={}, at=AT)
        slow.flush()
        act("fast")
        assert seal_audit(AT) == 1
        slow.commit()
    assert verify().ok
    assert seal_audit(AT) == 1
    verdict = verify()
    assert verdict.ok, verdict.reason
    assert verdict.sealed == 2


def test_two_sealers_at_once_seal_every_row_once(bare_app: Flask):
    act("a", "b")
    counts: list[int] = []

    def seal() -> None:
        with bare_app.app_context():
            counts.append(seal_audit(AT))
            db.session.remove()

    threads = [threading.Thread(target=seal) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(counts) == [0, 0, 0, 0, 0, 2]
    verdict = verify()
    assert (verdict.ok, verdict.sealed) == (True, 2)


def test_details_come_back_as_they_were_digested(bare_app: Flask):
    with transaction() as session:
        detail = {
            "rate": Decimal("0.10"),
            "length": 1e300,
            "day": AT.date(),
            "big": 2**70,
            "who": frozenset({"b", "a"}),
            "deep": [{"x": None, "y": True}],
        }
        audit.record(session, actor=SYSTEM, action="x", subject="s", detail=detail, at=AT)
    assert seal_audit(AT) == 1
    verdict = verify()
    assert verdict.ok, verdict.reason
    kept = db.session.scalars(text("SELECT count(*) FROM audit_record")).one()
    assert kept == 1
