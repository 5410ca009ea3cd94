"""Running jobs, on either engine: run one claimed job and note how it went; renew the leases of those that run."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from portal.journey import jobs
from portal.kernel import failpoints
from portal.worker.port import Duties, Every

_log = structlog.get_logger("worker")


def run_job(duties: Duties, job: jobs.ClaimedJob) -> None:
    """Run it now, in this thread. Raises only when the outcome could not be stored: then the lease runs out."""
    clock = duties.clock
    try:
        failpoints.hit("jobs.before-run")
        duties.job_kinds[job.kind](job.payload, clock.business_now(), clock.wire_now())
        failpoints.hit("jobs.after-run")
    except BaseException as broken:  # some libraries raise past Exception; the error is the job's, kept and shown
        error = f"{type(broken).__name__}: {broken}"
        _log.warning("job failed", kind=job.kind, key=job.key, attempt=job.attempt, error=error)
        jobs.fail_job(job, owner=duties.owner, error=error, wire_at=clock.wire_now(), retry_scale=duties.retry_scale)
    else:
        jobs.finish_job(job, owner=duties.owner, wire_at=clock.wire_now())


class HeldJobs:
    """The jobs this worker runs right now: a part of the loop that gives a sign of life for each of them."""

    def __init__(self, duties: Duties) -> None:
        self._duties = duties
        self._renewal = Every(duties.renew_every_s)
        self._lock = threading.Lock()
        self._held: dict[str, int] = {}  # id → attempt

    @contextmanager
    def hold(self, job: jobs.ClaimedJob) -> Iterator[None]:
        """While the block runs, the job's lease is renewed."""
        with self._lock:
            self._held[job.id] = job.attempt
        try:
            yield
        finally:
            with self._lock:
                self._held.pop(job.id, None)

    def reclaim(self) -> int:
        """What a worker of this name held when it was killed is run again now."""
        return jobs.reclaim_jobs(owner=self._duties.owner, wire_at=self._duties.clock.wire_now())

    def turn(self) -> float:
        """Renew."""
        duties, now = self._duties, self._duties.clock.wire_now()
        if self._renewal.is_due(now):
            with self._lock:
                held = dict(self._held)
            if held:
                jobs.renew_jobs(held, owner=duties.owner, wire_at=now, lease=duties.lease)
        return self._renewal.left_s(now)

    def drain(self) -> None:
        """Nothing: whoever runs the jobs ends them."""
