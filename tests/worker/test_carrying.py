"""Procrastinate carries jobs in the caller's transaction; what it loses is carried again, and its schema is kept up."""

from __future__ import annotations

import datetime as dt
import threading
import time
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text

from portal.exchange.tables import Job
from portal.journey import jobs
from portal.kernel.clock import RealClock
from portal.kernel.database import db, init_database, transaction
from portal.worker.carrier_schema import _run, changes, update_schema
from portal.worker.engines import use_engine
from portal.worker.port import Duties
from portal.worker.procrastinate_engine import cron_line
from tests.conftest import fresh_database
from tests.worker.parts import run_engine, wire_now

pytestmark = pytest.mark.parametrize("engine_on", ["procrastinate-postgresql"])


def ask(key: str, *, due_at: dt.datetime | None = None) -> None:
    with transaction() as session:
        jobs.queue_job(session, kind="mark", key=key, payload={}, wire_at=wire_now(), due_at=due_at)


def count(what: str) -> int:
    db.session.remove()
    found = db.session.scalar(text(f"SELECT count(*) FROM {what}"))
    return int(found or 0)


def is_done() -> bool:
    db.session.remove()
    return db.session.query(Job).filter(Job.state != "done").count() == 0


def work(app: Flask, done: list[str], *, lease_s: float = 1.0, **more) -> None:
    duties = Duties(
        {},
        {"mark": lambda *_: done.append("x")},
        RealClock(),
        "worker-1",
        1e-4,
        lease=dt.timedelta(seconds=lease_s),
        **more,
    )
    run_engine("procrastinate", app, duties, is_done)


def test_a_job_and_its_carrier_are_committed_together_or_not_at_all(bare_app):
    def ask_and_fail() -> None:
        with transaction() as session:
            jobs.queue_job(session, kind="mark", key="a", payload={}, wire_at=wire_now())
            assert session.scalar(text("SELECT count(*) FROM procrastinate_jobs")) == 1
            raise RuntimeError

    with pytest.raises(RuntimeError):
        ask_and_fail()
    assert (count("job"), count("procrastinate_jobs")) == (0, 0)
    ask("a")
    ask("a")  # asked for once
    assert (count("job"), count("procrastinate_jobs")) == (1, 1)


def test_nothing_is_left_of_a_carrier_that_has_done_its_work(bare_app):
    done: list[str] = []
    for n in range(20):
        ask(f"k{n}")
    work(bare_app, done)
    assert len(done) == 20
    assert count("procrastinate_jobs WHERE task_name = 'run_job'") == 0


def test_a_job_whose_carrier_was_lost_is_carried_again(bare_app):
    done: list[str] = []
    ask("lost")
    ask("later", due_at=wire_now() + dt.timedelta(seconds=3))
    with db.engine.begin() as connection:
        connection.execute(text("DELETE FROM procrastinate_jobs"))
    begun = time.monotonic()
    work(bare_app, done)
    assert len(done) == 2
    assert time.monotonic() - begun > 3  # not before its time


def test_jobs_of_the_embedded_engine_are_run_after_the_switch_and_back(bare_app):
    done: list[str] = []
    use_engine(bare_app, "embedded")
    ask("before")
    assert count("procrastinate_jobs") == 0
    use_engine(bare_app, "procrastinate")
    work(bare_app, done)
    ask("after")
    use_engine(bare_app, "embedded")
    duties = Duties({}, {"mark": lambda *_: done.append("x")}, RealClock(), "worker-1")
    run_engine("embedded", bare_app, duties, is_done)
    assert len(done) == 2


def test_a_carrier_of_a_dead_worker_is_thrown_away_and_its_job_run_by_another(bare_app):
    done: list[str] = []
    ask("held")
    now = wire_now()
    with db.engine.begin() as connection:  # as a killed worker leaves it: fetched, claimed, no sign of life
        connection.execute(
            text(
                """
                WITH dead AS (INSERT INTO procrastinate_workers (last_heartbeat)
                              VALUES (now() - interval '1 hour') RETURNING id)
                UPDATE procrastinate_jobs SET status = 'doing', worker_id = (SELECT id FROM dead)
                """
            )
        )
    (job,) = jobs.claim_jobs(limit=1, owner="dead", wire_at=now, lease=dt.timedelta(seconds=1))
    work(bare_app, done)
    assert done == ["x"]
    assert db.session.get(Job, job.id).attempts == 2
    assert count("procrastinate_jobs WHERE status = 'doing'") == 0
    assert count("procrastinate_workers WHERE last_heartbeat < now() - interval '50 minutes'") == 0


def test_the_clock_is_looked_at_once_for_all_workers(bare_app):
    """Periodic tasks are deferred once for a moment, however many workers there are."""
    seen: list[dt.datetime] = []
    second: list[dt.datetime] = []
    ask("wait", due_at=wire_now() + dt.timedelta(seconds=4))

    def run_one(name: str, ticks: list[dt.datetime]) -> None:
        kinds = {"mark": lambda *_: None}
        duties = Duties({}, kinds, RealClock(), name, tick=lambda _at, wire_at: ticks.append(wire_at), tick_every_s=1.0)
        with bare_app.app_context():
            run_engine("procrastinate", bare_app, duties, is_done)
            db.session.remove()

    threads = [threading.Thread(target=run_one, args=one) for one in (("node-a", seen), ("node-b", second))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 3 <= len(seen) + len(second) <= 8  # twice as many if each looked for itself


def test_cron_lines(engine_on):
    lines = {seconds: cron_line(seconds) for seconds in (0.25, 5, 7.5, 15)}
    assert lines == {0.25: "* * * * * */1", 5: "* * * * * */5", 7.5: "* * * * * */6", 15: "* * * * * */15"}


def test_the_schema_is_made_once(bare_app):
    assert update_schema(db.engine) == []
    with db.engine.begin() as connection:
        connection.exec_driver_sql("COMMENT ON TABLE procrastinate_jobs IS NULL")
    with pytest.raises(RuntimeError, match="not its version"):
        update_schema(db.engine)


def test_a_schema_that_grew_change_by_change_is_the_same(database_url, bare_app):
    fresh = _columns_and_functions()
    with fresh_database("postgresql", Path()) as url:
        app = Flask("grown")
        init_database(app, url)
        with app.app_context():
            first, *later = changes()
            with db.engine.begin() as connection:
                _run(connection, first.read_text(), first.name)
            assert update_schema(db.engine) == [path.name for path in later]
            assert fresh <= _columns_and_functions()
            db.engine.dispose()


def _columns_and_functions() -> set[tuple[str, str]]:
    query = """
        SELECT table_name::text, column_name::text FROM information_schema.columns
        WHERE table_schema = current_schema() AND table_name LIKE 'procrastinate%'
        UNION SELECT 'function', routine_name::text FROM information_schema.routines
        WHERE routine_schema = current_schema() AND routine_name LIKE 'procrastinate%'
    """
    with db.engine.connect() as connection:
        rows = connection.execute(text(query)).all()
    return {(row[0], row[1]) for row in rows}
