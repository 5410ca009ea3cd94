"""The idempotent frame: applied once, answered the same way again, on both databases and from many threads."""

import threading

import pytest
from flask import Flask
from sqlalchemy import text

from portal.exchange.tables import InboxMessage, Job
from portal.journey.inbox import answer_once
from portal.journey.jobs import queue_job
from portal.kernel.database import db, transaction
from portal.kernel.errors import Conflict, FieldError, Invalid, Unavailable
from tests.worker.parts import wire_now


def call(apply, *, message_id="m1", sender="water-linhe", path="/p", raw=b"{}"):
    with transaction() as session:
        return answer_once(
            session, sender=sender, message_id=message_id, path=path, raw=raw, wire_at=wire_now(), apply=apply
        )


def leave_a_mark(session, key="mark"):
    queue_job(session, kind="mark", key=key, payload={}, wire_at=wire_now())


def marks() -> int:
    db.session.remove()
    return db.session.query(Job).count()


def test_the_first_answer_is_given_again_and_nothing_is_applied_twice(bare_app):
    runs = []

    def apply(session):
        runs.append(1)
        leave_a_mark(session)
        return {"report_id": "r1", "文": "好"}

    assert call(apply) == (200, {"report_id": "r1", "文": "好"})
    assert call(apply) == (200, {"report_id": "r1", "文": "好"})
    assert len(runs) == 1
    assert marks() == 1


@pytest.mark.parametrize("other", [{"raw": b"{} "}, {"path": "/q"}])
def test_the_same_id_for_something_else_is_refused(bare_app, other):
    call(lambda _s: {"a": 1})
    with pytest.raises(Invalid) as caught:
        call(lambda _s: {"a": 2}, **other)
    assert caught.value.code == "idempotency_mismatch"


def test_ids_of_different_senders_do_not_meet(bare_app):
    assert call(lambda _s: {"a": 1})[1] == {"a": 1}
    assert call(lambda _s: {"a": 2}, sender="gas-x")[1] == {"a": 2}


def test_a_refusal_leaves_nothing_but_its_answer(bare_app):
    def refuse(session):
        leave_a_mark(session)
        raise Conflict("不行", code="not_expected", facts={"expects": ["findings"]})

    status, body = call(refuse)
    assert (status, body["code"], body["expects"]) == (409, "not_expected", ["findings"])
    assert marks() == 0
    assert call(lambda _s: {"a": 1}) == (status, body)


def test_all_field_errors_stand_in_the_answer(bare_app):
    def refuse(_session):
        raise Invalid([FieldError("options.0.code", "必填", "missing")])

    status, body = call(refuse)
    assert status == 422
    assert body["errors"] == [{"field": "options.0.code", "message": "必填", "code": "missing"}]


@pytest.mark.parametrize("error", [Unavailable("x"), Conflict("x", code="changed_meanwhile"), RuntimeError("bug")])
def test_what_may_pass_is_no_answer_to_keep(bare_app, error):
    def fail(session):
        leave_a_mark(session)
        raise error

    with pytest.raises(type(error)):
        call(fail)
    assert marks() == 0
    assert call(lambda _s: {"a": 1}) == (200, {"a": 1})


def test_twenty_calls_at_once_are_applied_once(bare_app: Flask):
    answers, lock = [], threading.Lock()

    def apply(session):
        session.execute(text("select 1"))
        leave_a_mark(session, key=f"k{len(answers)}")
        return {"a": 1}

    def one():
        with bare_app.app_context():
            try:
                answer = call(apply)
            except Conflict as busy:
                answer = busy.code
            with lock:
                answers.append(answer)

    threads = [threading.Thread(target=one) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 20
    assert all(answer in ((200, {"a": 1}), "in_flight") for answer in answers)
    assert marks() == 1
    assert db.session.query(InboxMessage).one().status == 200
