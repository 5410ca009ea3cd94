"""Kill the worker at every named point and start it again: at the provider nothing is lost, nothing doubled."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from flask import Flask

from portal.exchange import outbox
from portal.exchange.tables import Job
from portal.journey.jobs import queue_job
from portal.kernel import failpoints
from portal.kernel.crypto import init_vault
from portal.kernel.database import db, transaction
from tests.exchange.stub_provider import StubProvider
from tests.worker.parts import AT, add_provider, free_port, send, wire_now
from tests.worker.worker_process import Life

MESSAGES = 24
JOBS = 6
SEND_THREADS = 8
# `make soak` also kills at later passes of each point.
COUNTS = (1, 2, 3, 5) if os.environ.get("PORTAL_SOAK") else (1,)
WORKER_POINTS = [name for name in failpoints.POINTS if not name.startswith("inbox.")]


def start_worker(life: Life, failpoint: str = "") -> subprocess.Popen[bytes]:
    environ = {**os.environ, "PORTAL_MODE": "dev", "PORTAL_FAILPOINT": failpoint}
    return subprocess.Popen([sys.executable, "-m", "tests.worker.worker_process", life.to_json()], env=environ)


@pytest.fixture
def stub():
    with StubProvider(delay_s=0.01) as server:
        yield server


def fill(stub: StubProvider) -> set[str]:
    add_provider("w1", stub.url)
    expected = {send("w1") for _ in range(MESSAGES)}
    with transaction() as session:
        for n in range(JOBS):
            payload = {"url": stub.url, "key": f"job-{n}"}
            queue_job(session, kind="call_stub", key=f"job-{n}", payload=payload, wire_at=wire_now())
        body = b'{"callback": "%s"}' % stub.url.encode()
        answered = outbox.enqueue(
            session, destination="provider:w1", kind="with_answer", body=body, at=AT, wire_at=wire_now()
        )
    return expected | {f"job-{n}" for n in range(JOBS)} | {answered, f"answer-{answered}"}


def wait_for(worker: subprocess.Popen[bytes], condition, timeout_s: float) -> None:
    end = time.monotonic() + timeout_s
    while not condition() and time.monotonic() < end and worker.poll() is None:
        time.sleep(0.02)


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("point", WORKER_POINTS)
def test_killed_at_any_point_nothing_is_lost_or_doubled(
    bare_app: Flask, database_url: str, engine: str, tmp_path: Path, stub: StubProvider, point: str, count: int
):
    init_vault(bare_app, tmp_path)
    expected = fill(stub)
    life = Life(database_url, str(tmp_path), free_port(), engine)
    if point == "outbox.before-reclaim-commit":
        count = 1  # passed once a start
    first = start_worker(life, f"{point}:{count}")
    wait_for(first, lambda: False, 15)
    assert first.poll() == -signal.SIGKILL, "the worker was to die at its fail point"
    second = start_worker(life)
    try:
        wait_for(second, lambda: set(stub.effects) >= expected and not waiting(), 25)
    finally:
        second.send_signal(signal.SIGTERM)
        assert second.wait(25) == 0
    assert set(stub.effects) == expected
    assert len(stub.calls) <= len(expected) + 2 * SEND_THREADS + 2  # twice: at most what was in hand
    assert waiting() == 0


def waiting() -> int:
    db.session.remove()
    messages = db.session.query(outbox.OutboxMessage).filter(outbox.OutboxMessage.state != "delivered").count()

    return messages + db.session.query(Job).filter(Job.state != "done").count()


CALL_INBOX = """
import sys, portal.tables
from pathlib import Path
from portal.journey.inbox import answer_once
from portal.journey.jobs import queue_job
from portal.kernel.database import transaction
from tests.worker.parts import make_app, wire_now

def apply(session):
    queue_job(session, kind="mark", key="mark", payload={}, wire_at=wire_now())
    return {"a": 1}

with make_app(sys.argv[1], Path(sys.argv[2])).app_context(), transaction() as session:
    print(answer_once(session, sender="w", message_id="m", path="/p", raw=b"{}", wire_at=wire_now(), apply=apply))
"""


@pytest.mark.parametrize("point", [name for name in failpoints.POINTS if name.startswith("inbox.")])
def test_killed_while_answering_the_report_is_applied_by_the_next_call(bare_app, database_url, tmp_path, point):
    def call(failpoint: str) -> subprocess.CompletedProcess[str]:
        environ = {**os.environ, "PORTAL_MODE": "dev", "PORTAL_FAILPOINT": failpoint}
        command = [sys.executable, "-c", CALL_INBOX, database_url, str(tmp_path)]
        return subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60)

    assert call(f"{point}:1").returncode == -signal.SIGKILL
    assert db.session.query(Job).count() == 0
    db.session.remove()
    for _ in range(2):
        again = call("")
        end = time.monotonic() + 20
        # Until the server has noticed that the killed one is gone, its call is rightly told to be under way.
        while "正在处理中" in again.stderr and time.monotonic() < end:
            again = call("")
        assert again.stdout.strip() == "(200, {'a': 1})", again.stderr
    assert db.session.query(Job).count() == 1


def test_every_fail_point_stands_in_the_code():
    code = "".join(file.read_text() for file in Path("portal").rglob("*.py") if file.name != "failpoints.py")
    assert {name for name in failpoints.POINTS if f'hit("{name}")' not in code} == set()
