"""The list of changes is complete whatever order transactions commit in, and nothing in it changes its place."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from portal.api.waiting import WaitingRoom
from portal.exchange import outbox
from portal.exchange.tables import OutboxMessage
from portal.journey.change_feed import AT_ONCE, has_news, number_changes
from portal.kernel.crypto import init_vault
from portal.kernel.database import db, transaction
from tests.worker.parts import AT, row_of, send, wire_now


@pytest.fixture
def app(bare_app: Flask, tmp_path: Path) -> Flask:
    init_vault(bare_app, tmp_path)
    return bare_app


def numbers() -> list[int | None]:
    db.session.remove()
    return [row.change_no for row in db.session.query(OutboxMessage).order_by(OutboxMessage.seq)]


def test_changes_are_numbered_once_and_by_provider(app):
    send("w1"), send("w2"), send("w1")
    assert has_news("w1", 0)
    assert number_changes("w1") == 2
    assert number_changes("w1") == 0
    assert numbers() == [1, None, 2]
    assert not has_news("w1", 2)
    assert has_news("w1", 1)
    send("w1")
    assert has_news("w1", 2)
    number_changes("w1")
    assert numbers() == [1, None, 2, 3]


def test_many_changes_come_in_portions(app):
    with transaction() as session:
        for _ in range(AT_ONCE + 3):
            outbox.enqueue(
                session, destination="provider:w1", kind="x", body=b"{}", at=AT, wire_at=wire_now(), task_id=None
            )
    assert [number_changes("w1") for _ in range(3)] == [AT_ONCE, 3, 0]
    assert numbers() == list(range(1, AT_ONCE + 4))


def test_what_commits_late_is_not_behind_the_cursor(app):
    if db.engine.dialect.name == "sqlite":
        pytest.skip("SQLite has one writer at a time: nothing can commit out of order")
    begun, go, names = threading.Event(), threading.Event(), []

    def slow():
        with app.app_context(), transaction() as session:
            names.append(
                outbox.enqueue(
                    session, destination="provider:w1", kind="x", body=b"{}", at=AT, wire_at=wire_now(), task_id=None
                )
            )
            begun.set()
            go.wait(10)

    thread = threading.Thread(target=slow)
    thread.start()
    assert begun.wait(10)
    quick = send("w1")
    assert number_changes("w1") == 1
    assert row_of(quick).change_no == 1
    assert not has_news("w1", 1)
    go.set()
    thread.join()
    assert has_news("w1", 1)
    number_changes("w1")
    late = row_of(names[0])
    assert late.seq < row_of(quick).seq
    assert late.change_no == 2


def test_readers_at_once_give_each_change_one_number(app):
    for _ in range(40):
        send("w1")
    given_out = []

    def read():
        with app.app_context():
            given_out.append(number_changes("w1"))
            db.session.remove()

    threads = [threading.Thread(target=read) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(given_out) == 40
    assert sorted(number or 0 for number in numbers()) == list(range(1, 41))


@given(holders=st.lists(st.sampled_from("abcdef"), min_size=1, max_size=12))
def test_nobody_waits_where_all_seats_are_taken(holders):
    room = WaitingRoom(seats=2, step_s=0.001)
    for holder in holders:
        assert room.wait(holder, 5, lambda: True)  # news is there at once, and the seat is free again
    room._holders.update(x=threading.Event(), y=threading.Event())
    assert not room.wait("z", 5, lambda: True)


def test_a_newer_call_sends_the_older_one_home():
    room, answers = WaitingRoom(step_s=5), []
    sitting = threading.Event()

    def no_news() -> bool:
        sitting.set()
        return False

    old = threading.Thread(target=lambda: answers.append(room.wait("a", 30, no_news)))
    old.start()
    assert sitting.wait(5)
    assert room.wait("a", 0.01, lambda: False) is False
    old.join(5)
    assert answers == [False]
    assert room._holders == {}
