"""Workers killed at random moments under load, again and again: nothing is lost, nothing takes effect twice."""

from __future__ import annotations

import os
import random
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from flask import Flask

from portal.exchange import outbox
from portal.exchange.tables import Job
from portal.journey.jobs import queue_job
from portal.kernel.crypto import init_vault
from portal.kernel.database import db, transaction
from portal.worker import wake
from tests.exchange.stub_provider import StubProvider
from tests.worker.parts import AT, add_provider, free_port, send, wire_now
from tests.worker.worker_process import Life

KILLS = 200 if os.environ.get("PORTAL_SOAK") else 10
LIFE_S = (0.05, 0.9)  # from before its first claim to well into its work
LEASE_S = 1.0
SEND_THREADS = 8
MOST_WAITING = 400  # the load goes on while workers die, but not without end
PROVIDERS = ("w1", "w2", "w3")


def say(line: str) -> None:
    """For whoever reads a failed run, or runs with -rP."""
    sys.stdout.write(line + "\n")


class Nursery:
    """A process that forks workers. What it has started is ended with it."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._living: set[int] = set()

    def start(self, life: Life) -> int:
        """Answers the worker's process id."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(life.to_json() + "\n")
        self._process.stdin.flush()
        pid = int(self._process.stdout.readline())
        self._living.add(pid)
        return pid

    def end(self, pid: int, how: signal.Signals) -> None:
        """Send the signal and wait until the process is gone."""
        os.kill(pid, how)
        wait_until(lambda: not is_alive(pid), 30)
        self._living.discard(pid)

    def end_all(self) -> None:
        for pid in list(self._living):
            if is_alive(pid):
                self.end(pid, signal.SIGKILL)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def wait_until(condition: Callable[[], bool], timeout_s: float) -> None:
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.02)


@pytest.fixture
def nursery() -> Iterator[Nursery]:
    command = [sys.executable, "-m", "tests.worker.worker_process"]
    environ = {**os.environ, "PORTAL_MODE": "dev", "PORTAL_FAILPOINT": ""}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environ
    ) as process:
        found = Nursery(process)
        try:
            yield found
        finally:
            found.end_all()
            assert process.stdin is not None
            process.stdin.close()


@pytest.fixture
def stub() -> Iterator[StubProvider]:
    with StubProvider(delay_s=0.03) as server:
        yield server


class Load:
    """Messages, jobs and messages whose answer is applied, as long as it runs; `expected` are the effects of all."""

    def __init__(self, app: Flask, stub: StubProvider) -> None:
        self._app, self._stub = app, stub
        self.expected: set[str] = set()
        self._stop = threading.Event()

    def add(self, count: int) -> None:
        url = self._stub.url
        for n in range(count):
            provider = PROVIDERS[n % len(PROVIDERS)]
            self.expected.add(send(provider))
            if n % 4 == 0:
                key = f"job-{secrets.token_hex(8)}"
                with transaction() as session:
                    payload = {"url": url, "key": key}
                    queue_job(session, kind="call_stub", key=key, payload=payload, wire_at=wire_now())
                    body = f'{{"callback": "{url}"}}'.encode()
                    answered = outbox.enqueue(
                        session,
                        destination=f"provider:{provider}",
                        kind="with_answer",
                        body=body,
                        at=AT,
                        wire_at=wire_now(),
                    )
                self.expected |= {key, answered, f"answer-{answered}"}

    @contextmanager
    def running(self) -> Iterator[None]:
        thread = threading.Thread(target=self._run)
        thread.start()
        try:
            yield
        finally:
            self._stop.set()
            thread.join()

    def _run(self) -> None:
        with self._app.app_context():
            while not self._stop.wait(0.1):
                if waiting() < MOST_WAITING:
                    self.add(12)
            db.session.remove()


def waiting() -> int:
    db.session.remove()
    messages = db.session.query(outbox.OutboxMessage).filter(outbox.OutboxMessage.state != "delivered").count()
    return messages + db.session.query(Job).filter(Job.state != "done").count()


@pytest.fixture
def load(bare_app: Flask, tmp_path: Path, stub: StubProvider) -> Load:
    init_vault(bare_app, tmp_path)
    for provider in PROVIDERS:
        add_provider(provider, stub.url)
    return Load(bare_app, stub)


def test_killed_at_random_under_load_nothing_is_lost_or_doubled(
    database_url: str, engine: str, tmp_path: Path, nursery: Nursery, stub: StubProvider, load: Load
):
    seed = int(os.environ.get("PORTAL_SEED") or secrets.randbelow(10**6))
    say(f"seed {seed}, {KILLS} kills")
    chance = random.Random(seed)
    port = free_port()
    wake.register(port)
    try:
        with load.running():
            for number in range(KILLS):
                # Two names in turn: what one held comes back at its own next start, or to the other by its lease.
                life = Life(database_url, str(tmp_path), port, engine, f"worker-{number % 2}", LEASE_S)
                pid = nursery.start(life)
                time.sleep(chance.uniform(*LIFE_S))
                assert is_alive(pid), "the worker ended by itself"
                nursery.end(pid, signal.SIGKILL)
        last = nursery.start(Life(database_url, str(tmp_path), port, engine, "worker-last", LEASE_S))
        wait_until(lambda: waiting() == 0, 120)
        nursery.end(last, signal.SIGTERM)
    finally:
        wake._ports.discard(port)
    assert set(stub.effects) == load.expected
    again = len(stub.calls) - len(load.expected)
    say(f"{len(load.expected)} effects, {again} calls made again")
    # Called again under the same id: at most what was in hand at a kill.
    assert again <= KILLS * (2 * SEND_THREADS + 2)
    assert all(count <= KILLS for count in stub.tries.values())


@pytest.mark.parametrize("engine_on", ["embedded-postgresql", "procrastinate-postgresql"])
def test_two_workers_share_the_load_and_one_takes_over_within_the_lease(
    database_url: str, engine: str, tmp_path: Path, nursery: Nursery, stub: StubProvider, load: Load
):
    first, second = (
        nursery.start(Life(database_url, str(tmp_path), 0, engine, name, LEASE_S)) for name in ("node-a", "node-b")
    )
    wake.register(0)
    try:
        for _ in range(10):
            load.add(20)
            wait_until(lambda: waiting() < 60, 60)
        calls = Counter((call.headers["x-worker"], call.headers["webhook-id"][:3] == "job") for call in stub.calls)
        with load.running():
            wait_until(lambda: has_work_when_stopped(first, "node-a"), 60)
            nursery.end(first, signal.SIGKILL)
        killed_at = time.monotonic()
        held = held_by("node-a")
        wait_until(lambda: not held_by("node-a"), 30)
        took_s = time.monotonic() - killed_at
        wait_until(lambda: waiting() == 0, 120)
        nursery.end(second, signal.SIGTERM)
    finally:
        wake._ports.discard(0)
    say(f"shares {dict(calls)}; {held} held by the dead, free after {took_s:.2f} s")
    shares = [calls[name, is_job] for name in ("node-a", "node-b") for is_job in (False, True)]
    assert min(shares) > 0, "both deliver, both run jobs"
    assert set(stub.effects) == load.expected
    # The lease, the pause between two looks (at most a quarter of it, or cron's second), and a very busy machine.
    assert took_s < LEASE_S + 1.0 + 10.0


def has_work_when_stopped(pid: int, name: str) -> bool:
    """Stop the process for good if it holds something at this moment."""
    os.kill(pid, signal.SIGSTOP)
    if held_by(name):
        return True
    os.kill(pid, signal.SIGCONT)
    return False


def held_by(name: str) -> int:
    db.session.remove()
    messages = db.session.query(outbox.OutboxMessage).filter_by(lease_owner=name, state="leased").count()
    return messages + db.session.query(Job).filter_by(lease_owner=name, state="leased").count()
