"""The engine for many machines: Procrastinate runs the jobs and the clock, the pump delivers.

What is a job (papers, answers to apply, settlements) is carried to whichever worker is free; what comes round by
itself (looking at the clocks, sweeping for work of the dead) is deferred by the workers together, once for all of
them. Deliveries stay with the pump: the outbox row is their queue already, with order, breaker and lease.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor

import procrastinate
import structlog
from flask import Flask
from procrastinate.jobs import Status

from portal.journey import jobs
from portal.worker.bells import open_bell, postgres_address
from portal.worker.carrying import JOBS_QUEUE, RUN_JOB
from portal.worker.loop import Loop, Ticking
from portal.worker.port import Duties, Part
from portal.worker.pump import DRAIN_S, IDLE_S, Pump
from portal.worker.running import HeldJobs, run_job

_log = structlog.get_logger("worker")
CLOCK_QUEUE = "clock"  # of its own, so that long jobs never hold up what watches over them
_POLL_S = 0.5  # for carriers whose time comes without a notice
_HEARTBEAT_S = 10.0
_AFTER_ERROR_S = 1.0
_STEPS_S = (1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30)  # what a cron line can say of seconds


class ProcrastinateJobs:
    """Procrastinate's workers in a thread with an event loop of their own; they outlive a restarted database."""

    def __init__(self, app: Flask, duties: Duties, held: HeldJobs, address: str) -> None:
        self._app, self._duties, self._held = app, duties, held
        connector = procrastinate.PsycopgConnector(conninfo=address, min_size=1, max_size=duties.job_threads + 6)
        self._queue = procrastinate.App(connector=connector)
        self._register()
        self._closing = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._pool = ThreadPoolExecutor(duties.job_threads + 1, thread_name_prefix="job")
        self._loop.set_default_executor(self._pool)
        self._workers: list[asyncio.Task[None]] = []
        self._thread = threading.Thread(target=self._run, name="procrastinate", daemon=True)

    def reclaim(self) -> int:
        """`HeldJobs` does it."""
        return 0

    def turn(self) -> float:
        """Begin to fetch at the first turn; it needs no other."""
        if self._thread.ident is None:
            self._thread.start()
        return IDLE_S

    def drain(self) -> None:
        """Fetch nothing more, let what runs come to its end (at most `DRAIN_S`)."""
        self._closing.set()
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._cancel)
            self._thread.join(DRAIN_S + 5)

    def run_carried(self, job_id: str) -> None:
        """Run the job a carrier names, if it still waits."""
        duties = self._duties
        with self._app.app_context():
            job = jobs.claim_job(job_id, owner=duties.owner, wire_at=duties.clock.wire_now(), lease=duties.lease)
            if job is not None:
                with self._held.hold(job):
                    run_job(duties, job)

    def tick(self, timestamp: int) -> None:
        """Look at the clocks."""
        clock = self._duties.clock
        with self._app.app_context():
            assert self._duties.tick is not None
            self._duties.tick(clock.business_now(), clock.wire_now())

    async def sweep(self, timestamp: int) -> None:
        """Throw away what dead workers were carrying, then make due again the jobs they held.

        A thrown-away carrier loses nothing: the job's row says whether it still has to be run, and is carried again.
        """
        manager = self._queue.job_manager
        await manager.prune_stalled_workers(_stalled_after_s(self._duties))
        for carrier in await manager.get_stalled_jobs(seconds_since_heartbeat=_stalled_after_s(self._duties)):
            assert carrier.id is not None
            with contextlib.suppress(procrastinate.exceptions.ConnectorException):  # its worker lives and was faster
                await manager.finish_job_by_id_async(carrier.id, status=Status.FAILED, delete_job=True)
        await asyncio.get_running_loop().run_in_executor(None, self._sweep_rows)

    def _sweep_rows(self) -> None:
        with self._app.app_context():
            jobs.sweep_jobs(wire_at=self._duties.clock.wire_now())

    def _register(self) -> None:
        self._queue.task(name=RUN_JOB, queue=JOBS_QUEUE)(self.run_carried)
        sweep = self._queue.task(name="sweep", queue=CLOCK_QUEUE, queueing_lock="sweep")(self.sweep)
        self._queue.periodic(cron=cron_line(self._duties.sweep_every_s))(sweep)
        if self._duties.tick is not None and ticks_by_cron(self._duties):
            tick = self._queue.task(name="tick", queue=CLOCK_QUEUE, queueing_lock="tick")(self.tick)
            self._queue.periodic(cron=cron_line(self._duties.tick_every_s))(tick)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        while not self._closing.is_set():
            try:
                self._loop.run_until_complete(self._work())
            except Exception:  # the engine outlives a restarted database
                _log.error("queue broke off", error=traceback.format_exc())
                self._closing.wait(_AFTER_ERROR_S)
        self._pool.shutdown(wait=False)
        self._loop.close()

    async def _work(self) -> None:
        async with self._queue.open_async():
            sizes = {JOBS_QUEUE: self._duties.job_threads, CLOCK_QUEUE: 1}
            self._workers = [asyncio.create_task(self._fetch(queue, size)) for queue, size in sizes.items()]
            if self._closing.is_set():
                self._cancel()
            done, rest = await asyncio.wait(self._workers, return_when=asyncio.FIRST_COMPLETED)
            self._cancel()
            ended = await asyncio.gather(*done, *rest, return_exceptions=True)
            for outcome in ended:
                if isinstance(outcome, Exception):
                    raise outcome

    async def _fetch(self, queue: str, concurrency: int) -> None:
        await self._queue.run_worker_async(
            queues=[queue],
            name=self._duties.owner,
            concurrency=concurrency,
            fetch_job_polling_interval=_POLL_S,
            delete_jobs="always",  # what became of the job is in its own row
            install_signal_handlers=False,
            shutdown_graceful_timeout=DRAIN_S,
            update_heartbeat_interval=min(_HEARTBEAT_S, self._duties.renew_every_s),
            stalled_worker_timeout=_stalled_after_s(self._duties),
        )

    def _cancel(self) -> None:
        for task in self._workers:
            if not task.cancelling():  # asked once it ends in good order; asked twice it would drop what runs
                task.cancel()


def cron_line(seconds: float) -> str:
    """The cron line, with seconds, that comes round about every `seconds`, at most once a second."""
    step = max(one for one in _STEPS_S if one <= max(1.0, seconds))
    return f"* * * * * */{step}"


def ticks_by_cron(duties: Duties) -> bool:
    """Whether the clock can be looked at by cron. The demo's calendar moves faster: its own loop looks."""
    return duties.tick_every_s >= 1


def _stalled_after_s(duties: Duties) -> float:
    """A busy machine may be late with its heartbeat; what hurries is in the job's own lease, not here."""
    return max(3 * _HEARTBEAT_S, duties.lease.total_seconds())


def run_procrastinate(app: Flask, duties: Duties, *, port: int, stop_event: threading.Event) -> None:
    """Run this engine until `stop_event` is set. Raises AlreadyRunning."""
    bell = open_bell(app, duties.owner, port)
    try:
        with app.app_context():
            address = postgres_address()
        pump, held = Pump(duties, bell.ring), HeldJobs(duties)
        parts: list[Part] = [pump, ProcrastinateJobs(app, duties, held, address), held]
        if not ticks_by_cron(duties):
            parts.append(Ticking(duties))
        Loop(app, bell, pump, parts).run(stop_event)
    finally:
        bell.close()
