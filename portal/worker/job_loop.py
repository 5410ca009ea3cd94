"""The embedded engine's own way to run jobs: claim rows of the job table, run them in a few threads."""

from __future__ import annotations

import queue
import threading
import traceback
from collections.abc import Callable

import structlog
from flask import Flask

from portal.journey import jobs
from portal.worker.port import Duties, Every
from portal.worker.pump import DRAIN_S, IDLE_S
from portal.worker.running import HeldJobs, run_job

_log = structlog.get_logger("worker")


class JobLoop:
    """The jobs' part of the embedded loop."""

    def __init__(self, app: Flask, duties: Duties, held: HeldJobs, ring: Callable[[], None]) -> None:
        self._app, self._duties, self._held, self._ring = app, duties, held, ring
        self._todo: queue.SimpleQueue[jobs.ClaimedJob | None] = queue.SimpleQueue()
        self._sweep = Every(duties.sweep_every_s)
        self._lock = threading.Lock()
        self._open = 0
        self._threads = [
            threading.Thread(target=self._run, name=f"job-{n}", daemon=True) for n in range(duties.job_threads)
        ]
        for thread in self._threads:
            thread.start()

    def reclaim(self) -> int:
        """`HeldJobs` does it."""
        return 0

    def turn(self) -> float:
        """Sweep; claim when a thread is free and something is due; answers how long nothing needs to be done."""
        duties, now = self._duties, self._duties.clock.wire_now()
        if self._sweep.is_due(now):
            jobs.sweep_jobs(wire_at=now)
        room = self._room()
        next_at = jobs.next_job_at() if room else None
        # A write lock is taken only when there is something to take.
        if next_at is not None and next_at <= now:
            for job in jobs.claim_jobs(limit=room, owner=duties.owner, wire_at=now, lease=duties.lease):
                self._put(job)
            next_at = jobs.next_job_at() if self._room() else None
        own = min(IDLE_S, self._sweep.left_s(now))
        return own if next_at is None else min(own, max(0.0, (next_at - now).total_seconds()))

    def drain(self) -> None:
        """Finish what has begun and end the threads."""
        for _ in self._threads:
            self._todo.put(None)
        for thread in self._threads:
            thread.join(DRAIN_S)

    def _room(self) -> int:
        with self._lock:
            return len(self._threads) - self._open

    def _put(self, job: jobs.ClaimedJob) -> None:
        with self._lock:
            self._open += 1
        self._todo.put(job)

    def _run(self) -> None:
        while (job := self._todo.get()) is not None:
            try:
                with self._app.app_context(), self._held.hold(job):
                    run_job(self._duties, job)
            except Exception:  # the outcome could not be stored: the lease runs out and the job runs again
                _log.error("job outcome not stored", kind=job.kind, key=job.key, error=traceback.format_exc())
            finally:
                with self._lock:
                    self._open -= 1
                self._ring()
