"""Jobs: asked for once, run until they succeed, visible when they do not."""

import datetime as dt
from collections.abc import Callable

import pytest
from flask import Flask

from portal.exchange.tables import Job
from portal.journey import jobs
from portal.kernel.clock import RealClock
from portal.kernel.database import db, transaction
from portal.kernel.errors import Conflict
from portal.worker.port import Duties
from tests.worker.parts import run_engine, wire_now


def ask(key: str = "k", kind: str = "render", **values) -> bool:
    with transaction() as session:
        return jobs.queue_job(session, kind=kind, key=key, payload={"n": 1}, wire_at=wire_now(), **values)


def row() -> Job:
    db.session.remove()
    return db.session.query(Job).one()


@pytest.fixture
def run(bare_app: Flask, engine: str) -> Callable[..., None]:
    """Run the worker with these kinds of jobs until a condition holds."""

    def until(kinds, condition: Callable[[], bool], timeout_s: float = 20, **more) -> None:
        duties = Duties({}, kinds, RealClock(), "worker-1", 1e-4, **more)
        run_engine(engine, bare_app, duties, condition, timeout_s=timeout_s)

    return until


def test_the_same_job_is_asked_for_once(bare_app):
    assert ask() is True
    assert ask() is False
    assert ask(kind="other") is True


def test_a_rolled_back_transaction_leaves_no_job(bare_app):
    def ask_and_fail():
        with transaction() as session:
            jobs.queue_job(session, kind="render", key="k", payload={}, wire_at=wire_now())
            raise RuntimeError

    with pytest.raises(RuntimeError):
        ask_and_fail()
    assert db.session.query(Job).count() == 0


def test_a_job_runs_with_its_payload_and_both_times(run):
    seen = []
    ask()
    run({"render": lambda *args: seen.append(args)}, lambda: row().state == "done")
    (payload, at, wire_at) = seen[0]
    assert payload == {"n": 1}
    assert at.tzinfo is not None
    assert wire_at.tzinfo is not None
    assert len(seen) == 1


def test_a_failing_job_comes_back_and_succeeds(run):
    tries = []

    def flaky(*_args):
        tries.append(1)
        if len(tries) < 3:
            raise ValueError("not yet")

    ask()
    run({"render": flaky}, lambda: row().state == "done")
    assert len(tries) == 3


class Fatal(BaseException):
    """Some libraries raise past Exception."""


def test_a_job_that_never_succeeds_stays_visible_and_can_be_sent_round_again(run):
    def broken(*_args):
        raise Fatal("no font")

    ask()
    run({"render": broken}, lambda: row().state == "failed", timeout_s=30)
    assert row().attempts == jobs.MAX_ATTEMPTS
    assert [job.last_error for job in jobs.failed_jobs()] == ["Fatal: no font"]
    jobs.replay_job(row().id, wire_at=wire_now())
    assert row().state == "pending"
    with pytest.raises(Conflict):
        jobs.replay_job(row().id, wire_at=wire_now())


def test_an_unknown_kind_fails_by_name(run):
    ask(kind="nobody")
    run({}, lambda: row().last_error is not None)
    assert "nobody" in row().last_error


def test_a_job_waits_for_its_time(bare_app):
    later = wire_now() + dt.timedelta(hours=1)
    ask(due_at=later)
    assert jobs.claim_jobs(limit=5, owner="me", wire_at=wire_now()) == []
    assert len(jobs.claim_jobs(limit=5, owner="me", wire_at=later)) == 1


def test_an_expired_lease_is_taken_over_and_the_late_owner_changes_nothing(bare_app):
    ask()
    now = wire_now()
    (first,) = jobs.claim_jobs(limit=5, owner="a", wire_at=now)
    assert jobs.claim_jobs(limit=5, owner="b", wire_at=now) == []
    later = now + jobs.LEASE + dt.timedelta(seconds=1)
    assert jobs.sweep_jobs(wire_at=now) == 0
    assert jobs.sweep_jobs(wire_at=later) == 1
    (second,) = jobs.claim_jobs(limit=5, owner="b", wire_at=later)
    assert jobs.finish_job(first, owner="a", wire_at=later) is False
    jobs.fail_job(first, owner="a", error="late", wire_at=later, retry_scale=1)
    assert row().state == "leased"
    assert jobs.finish_job(second, owner="b", wire_at=later) is True


def test_a_failing_tick_holds_up_nothing(run):
    ticks = []

    def broken(_at, _wire_at):
        ticks.append(1)
        raise ValueError("no calendar")

    ask()
    run({"render": lambda *_: None}, lambda: row().state == "done", tick=broken)
    assert ticks
