"""500 applications fan out to 5 providers each: the durable way through outbox and worker, beside bare threads.

Both sides use the same HTTP client with 32 threads against the same stub (50 ms, its own process), in turns, in one
process; rates are medians over the rounds. The bare side keeps nothing: it is the ceiling, not an alternative.
"""

from __future__ import annotations

import datetime as dt
import json
import queue
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import Flask
from sqlalchemy import func, select

import portal.tables  # noqa: F401 - registers every table
from benchmarks.figures import Figure, compare
from portal.exchange import access, outbox
from portal.exchange.signatures import new_secret
from portal.exchange.tables import OutboxMessage
from portal.kernel.clock import RealClock
from portal.kernel.crypto import current_vault, init_vault
from portal.kernel.database import db, init_database, transaction
from portal.kernel.ids import new_id
from portal.worker.loop import run_embedded
from portal.worker.port import Duties
from providers import ADAPTERS, make_adapters
from providers.transports.http import HttpDoor

APPLICATIONS = 500
UTILITIES = tuple(ADAPTERS)
THREADS = 32
LATENCY_S = 0.05
ROUNDS = 3
AT = dt.datetime(2026, 11, 23, 1, 0, tzinfo=dt.UTC)
# As large as the task document of a middling case.
BODY = json.dumps({"type": "task.issued", "data": {"task_id": "", "part": {"note": "x" * 1500}}}).encode()


@contextmanager
def stub_provider() -> Iterator[str]:
    """The stub in a process of its own; yields its URL."""
    command = [sys.executable, "-m", "benchmarks.stub_server", str(LATENCY_S)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.kill()


def measure() -> list[Figure]:
    """Rate and CPU of both sides, and what a submit costs."""
    bare: list[tuple[float, float]] = []
    durable: list[tuple[float, float]] = []
    submits: list[float] = []
    with stub_provider() as url:
        for _ in range(ROUNDS):
            bare.append(run_bare(url))
            rate, cpu_ms, latencies = run_durable(url)
            durable.append((rate, cpu_ms))
            submits += latencies
    rates = [statistics.median(side[0] for side in runs) for runs in (durable, bare)]
    costs = [statistics.median(side[1] for side in runs) for runs in (durable, bare)]
    return [
        compare("fan-out durable vs bare threads [sqlite FULL]", rates[0], "tasks/s", rates[1]),
        compare("fan-out bare threads vs 32 / 50 ms", rates[1], "tasks/s", THREADS / LATENCY_S),
        compare("CPU per delivered task, durable vs bare [sqlite FULL]", costs[0], "ms", costs[1]),
        Figure("submit: enqueue transaction of 5 messages, p50", round(statistics.median(submits), 3), "ms"),
    ]


def run_bare(url: str) -> tuple[float, float]:
    """Tasks per second and CPU ms per task of plain threads over the client."""
    door, todo = HttpDoor(), queue.SimpleQueue[bool]()
    total = APPLICATIONS * len(UTILITIES)
    for _ in range(total):
        todo.put(True)

    def work() -> None:
        while not todo.empty():
            try:
                todo.get_nowait()
            except queue.Empty:
                return
            answer = door.call("POST", url, {"Content-Type": "application/json"}, BODY)
            assert answer.status == 202

    threads = [threading.Thread(target=work) for _ in range(THREADS)]
    begun, cpu = time.perf_counter(), time.process_time()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return total / (time.perf_counter() - begun), (time.process_time() - cpu) * 1000 / total


def run_durable(url: str) -> tuple[float, float, list[float]]:
    """The same through outbox and worker on a fresh SQLite file; and the submits' latencies in ms."""
    with tempfile.TemporaryDirectory() as folder:
        app = Flask("benchmark")
        init_database(app, f"sqlite:///{folder}/bench.db")
        init_vault(app, Path(folder))
        with app.app_context():
            db.create_all()
            _set_up(url)
            latencies = [_submit() for _ in range(APPLICATIONS)]
            rate, cpu_ms = _drain(app)
            db.session.remove()
            db.engine.dispose()
    return rate, cpu_ms, latencies


def _set_up(url: str) -> None:
    with transaction() as session:
        for utility in UTILITIES:
            access.set_access(
                session,
                current_vault(),
                provider=utility,
                utility=utility,
                level="push",
                push_url=url,
                signing_secrets=[new_secret()],
            )


def _submit() -> float:
    begun = time.perf_counter()
    wire_at = RealClock().wire_now()
    with transaction() as session:
        for utility in UTILITIES:
            outbox.enqueue(
                session,
                destination=f"provider:{utility}",
                kind="task.issued",
                body=BODY,
                task_id=new_id(),
                at=AT,
                wire_at=wire_at,
            )
    return (time.perf_counter() - begun) * 1000


def _drain(app: Flask) -> tuple[float, float]:
    """Run the worker until the last delivery is committed."""
    total, stop = APPLICATIONS * len(UTILITIES), threading.Event()
    duties = Duties(make_adapters(HttpDoor()), {}, RealClock(), "bench", send_threads=THREADS)
    worker = threading.Thread(target=run_embedded, args=(app, duties), kwargs={"port": 0, "stop_event": stop})
    begun, cpu = time.perf_counter(), time.process_time()
    worker.start()
    while _delivered() < total:
        time.sleep(0.1)
    seconds = time.perf_counter() - begun
    cpu_ms = (time.process_time() - cpu) * 1000 / total
    stop.set()
    worker.join()
    return total / seconds, cpu_ms


def _delivered() -> int:
    db.session.remove()
    query = select(func.count()).select_from(OutboxMessage).where(OutboxMessage.state == "delivered")
    return int(db.session.scalar(query) or 0)
