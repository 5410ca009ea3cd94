"""500 applications fan out to 5 providers each: the durable way through outbox and worker, beside bare threads.

All sides use the same HTTP client with 32 threads against the same stub (50 ms, its own process), in turns, in one
process; rates are medians over the rounds. The bare side keeps nothing: it is the ceiling, not an alternative. The
`dispatch` rows have a job for each application besides: deliveries are the pump's on both engines, jobs are not.
"""

from __future__ import annotations

import datetime as dt
import json
import queue
import statistics
import threading
import time
from dataclasses import dataclass

from flask import Flask
from sqlalchemy import func, select

from benchmarks.engines import EMBEDDED, UTILITIES, Set, fresh_portal, on_postgres, stub_provider
from benchmarks.figures import Figure, compare
from portal.exchange import outbox
from portal.exchange.tables import Job, OutboxMessage
from portal.journey.jobs import queue_job
from portal.kernel.clock import RealClock
from portal.kernel.database import db, transaction
from portal.kernel.ids import new_id
from portal.worker.engines import ENGINES
from portal.worker.port import Duties
from providers import make_adapters
from providers.transports.http import HttpDoor

APPLICATIONS = 500
THREADS = 32
LATENCY_S = 0.05
ROUNDS = 3
AT = dt.datetime(2026, 11, 23, 1, 0, tzinfo=dt.UTC)
# As large as the task document of a middling case.
BODY = json.dumps({"type": "task.issued", "data": {"task_id": "", "part": {"note": "x" * 1500}}}).encode()


@dataclass(frozen=True)
class Run:
    """Deliveries per second, CPU ms of this process per delivery, and what each submit took (ms)."""

    rate: float
    cpu_ms: float
    submits: tuple[float, ...] = ()


def measure() -> list[Figure]:
    """Rate and CPU of all sides, what a submit costs, and jobs alone."""
    sides = (EMBEDDED, *on_postgres())
    runs: dict[str, list[Run]] = {}
    with stub_provider(LATENCY_S) as (url, _):
        for _ in range(ROUNDS):
            runs.setdefault("bare", []).append(run_bare(url))
            for side in sides:
                runs.setdefault(side.name, []).append(run_durable(url, side, with_jobs=side is not EMBEDDED))
    rate = {name: statistics.median(run.rate for run in found) for name, found in runs.items()}
    cpu = {name: statistics.median(run.cpu_ms for run in found) for name, found in runs.items()}
    submits = [took for run in runs[EMBEDDED.name] for took in run.submits]
    return [
        compare("fan-out durable vs bare threads [sqlite FULL]", rate[EMBEDDED.name], "tasks/s", rate["bare"]),
        compare("fan-out bare threads vs 32 / 50 ms", rate["bare"], "tasks/s", THREADS / LATENCY_S),
        compare("CPU per delivered task, durable vs bare [sqlite FULL]", cpu[EMBEDDED.name], "ms", cpu["bare"]),
        Figure("submit: enqueue transaction of 5 messages, p50", round(statistics.median(submits), 3), "ms"),
        *(compare(f"dispatch {side.name}", rate[side.name], "tasks/s", rate["bare"]) for side in sides[1:]),
        *_jobs_alone(),
    ]


def run_bare(url: str) -> Run:
    """Plain threads over the client."""
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
    return Run(total / (time.perf_counter() - begun), (time.process_time() - cpu) * 1000 / total)


def run_durable(url: str, side: Set, *, with_jobs: bool, messages: bool = True) -> Run:
    """The same through outbox and worker on an empty database."""
    with fresh_portal(side, url) as (app, _):
        submits = tuple(_submit(messages=messages, with_job=with_jobs) for _ in range(APPLICATIONS))
        rate, cpu_ms = _drain(app, side, APPLICATIONS * (len(UTILITIES) if messages else 1))
    return Run(rate, cpu_ms, submits)


def _jobs_alone() -> list[Figure]:
    """Jobs that do nothing: what each engine itself costs."""
    rates = [
        statistics.median(run_durable("http://127.0.0.1:9", side, with_jobs=True, messages=False).rate for _ in "123")
        for side in on_postgres()
    ]
    return [compare("jobs procrastinate vs embedded [postgres]", rates[1], "jobs/s", rates[0])] if rates else []


def _submit(*, messages: bool, with_job: bool) -> float:
    begun = time.perf_counter()
    wire_at = RealClock().wire_now()
    with transaction() as session:
        for utility in UTILITIES if messages else ():
            outbox.enqueue(
                session,
                destination=f"provider:{utility}",
                kind="task.issued",
                body=BODY,
                task_id=new_id(),
                at=AT,
                wire_at=wire_at,
            )
        if with_job:
            queue_job(session, kind="nothing", key=new_id(), payload={}, wire_at=wire_at)
    return (time.perf_counter() - begun) * 1000


def _drain(app: Flask, side: Set, total: int) -> tuple[float, float]:
    """Run the worker until the last delivery and the last job are committed."""
    stop = threading.Event()
    kinds = {"nothing": lambda *_: None}
    duties = Duties(make_adapters(HttpDoor()), kinds, RealClock(), "bench", send_threads=THREADS)
    worker = threading.Thread(target=ENGINES[side.engine], args=(app, duties), kwargs={"port": 0, "stop_event": stop})
    begun, cpu = time.perf_counter(), time.process_time()
    worker.start()
    while _left():
        time.sleep(0.1)
    seconds = time.perf_counter() - begun
    cpu_ms = (time.process_time() - cpu) * 1000 / total
    stop.set()
    worker.join()
    return total / seconds, cpu_ms


def _left() -> int:
    db.session.remove()
    messages = select(func.count()).select_from(OutboxMessage).where(OutboxMessage.state != "delivered")
    jobs = select(func.count()).select_from(Job).where(Job.state != "done")
    return int(db.session.scalar(messages) or 0) + int(db.session.scalar(jobs) or 0)
