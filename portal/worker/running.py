"""The job threads: they run use cases, each in an application context of its own, and note how it went."""

from __future__ import annotations

import queue
import threading
import traceback
from collections.abc import Callable

import structlog
from flask import Flask

from portal.journey import jobs
from portal.kernel import failpoints
from portal.worker.port import Duties

_log = structlog.get_logger("worker")


class JobRunners:
    """A few threads that run claimed jobs."""

    def __init__(self, app: Flask, duties: Duties, ring: Callable[[], None]) -> None:
        self._app, self._duties, self._ring = app, duties, ring
        self._todo: queue.SimpleQueue[jobs.ClaimedJob | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._open = 0
        self._threads = [
            threading.Thread(target=self._run, name=f"job-{n}", daemon=True) for n in range(duties.job_threads)
        ]
        for thread in self._threads:
            thread.start()

    def room(self) -> int:
        """How many more jobs may be claimed now."""
        with self._lock:
            return len(self._threads) - self._open

    def run(self, job: jobs.ClaimedJob) -> None:
        """Queue one claimed job."""
        with self._lock:
            self._open += 1
        self._todo.put(job)

    def close(self, timeout_s: float) -> None:
        """Finish what has begun and end the threads."""
        for _ in self._threads:
            self._todo.put(None)
        for thread in self._threads:
            thread.join(timeout_s)

    def _run(self) -> None:
        while (job := self._todo.get()) is not None:
            try:
                with self._app.app_context():
                    self._run_one(job)
            except Exception:  # the outcome could not be stored: the lease runs out and the job runs again
                _log.error("job outcome not stored", kind=job.kind, key=job.key, error=traceback.format_exc())
            finally:
                with self._lock:
                    self._open -= 1
                self._ring()

    def _run_one(self, job: jobs.ClaimedJob) -> None:
        duties, clock = self._duties, self._duties.clock
        try:
            failpoints.hit("jobs.before-run")
            duties.job_kinds[job.kind](job.payload, clock.business_now(), clock.wire_now())
            failpoints.hit("jobs.after-run")
        except BaseException as broken:  # some libraries raise past Exception; the error is the job's, kept and shown
            error = f"{type(broken).__name__}: {broken}"
            _log.warning("job failed", kind=job.kind, key=job.key, attempt=job.attempt, error=error)
            jobs.fail_job(
                job, owner=duties.owner, error=error, wire_at=clock.wire_now(), retry_scale=duties.retry_scale
            )
        else:
            jobs.finish_job(job, owner=duties.owner, wire_at=clock.wire_now())
