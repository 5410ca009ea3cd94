"""The embedded engine: one loop that claims and records, threads that send, threads that run jobs.

The loop alone talks to the outbox tables, so outcomes are committed in groups and never fight for the write lock.
It claims a little ahead of the threads; what it holds and has not sent is leased, so a crash gives it back.
"""

from __future__ import annotations

import threading
import time
import traceback

import structlog
from flask import Flask

from portal.journey import delivery, jobs
from portal.journey.delivery_outcomes import Attempt, record_outcomes
from portal.worker.port import Duties
from portal.worker.running import JobRunners
from portal.worker.sending import SLOW_S, Senders
from portal.worker.wake import Bell

_log = structlog.get_logger("worker")
_GROUP_S = 0.006  # how long outcomes are gathered for one commit while the threads are busy
_IDLE_S = 1.0
_DRAIN_S = 20.0  # a little more than a sending may take
_AFTER_ERROR_S = 1.0


class Engine:
    """One worker process. `run` returns after `stop_event` is set and what had begun is recorded."""

    def __init__(self, app: Flask, duties: Duties, bell: Bell) -> None:
        self._app, self._duties, self._bell = app, duties, bell
        self._senders = Senders(duties.adapters, duties.clock, duties.send_threads, bell.ring)
        self._runners = JobRunners(app, duties, bell.ring)
        self._in_hand = 0  # messages claimed and not yet recorded
        self._unrecorded: list[Attempt] = []
        self._next_tick_s = 0.0
        self._next_sweep_s = 0.0

    def run(self, stop_event: threading.Event) -> None:
        """Work until told to stop. An error of the database is logged and tried again, never fatal."""
        with self._app.app_context():
            self._reclaim()
        while not stop_event.is_set():
            try:
                with self._app.app_context():
                    pause_s = self._turn()
            except Exception:  # the loop outlives a full disk or a restarted database
                _log.error("turn failed", error=traceback.format_exc())  # text only: no values of variables
                pause_s = _AFTER_ERROR_S
            self._bell.wait(pause_s)
            if self._in_hand > self._duties.send_threads // 4:
                time.sleep(_GROUP_S)
        self._drain()

    def _reclaim(self) -> None:
        now = self._duties.clock.wire_now()
        messages = delivery.reclaim_deliveries(owner=self._duties.owner, wire_at=now)
        held = jobs.reclaim_jobs(owner=self._duties.owner, wire_at=now)
        if messages or held:
            _log.info("reclaimed", messages=messages, jobs=held)

    def _turn(self) -> float:
        """One round: record, claim, run; answers how long nothing needs to be done (seconds)."""
        self._tick()
        self._record()
        self._claim_messages()
        self._claim_jobs()
        return self._until_next()

    def _tick(self) -> None:
        duties, now = self._duties, self._duties.clock.wire_now()
        seconds = now.timestamp()
        if seconds >= self._next_sweep_s:
            self._next_sweep_s = seconds + duties.sweep_every_s
            delivery.sweep_deliveries(wire_at=now)
            jobs.sweep_jobs(wire_at=now)
        if duties.tick is not None and seconds >= self._next_tick_s:
            self._next_tick_s = seconds + duties.tick_every_s
            try:
                duties.tick(duties.clock.business_now(), now)
            except Exception:  # what the clock brings about must not hold up deliveries; it is tried at the next tick
                _log.error("tick failed", error=traceback.format_exc())

    def _record(self) -> None:
        self._unrecorded += self._senders.collect()
        if not self._unrecorded:
            return
        duties = self._duties
        record_outcomes(
            self._unrecorded,
            owner=duties.owner,
            wire_at=duties.clock.wire_now(),
            retry_scale=duties.retry_scale,
            jitter=duties.jitter,
        )
        self._in_hand -= len(self._unrecorded)
        self._unrecorded = []

    def _claim_messages(self) -> None:
        """Claim when less than half a set of threads' work is waiting, up to two sets in hand."""
        threads = self._duties.send_threads
        self._senders.grow()
        room = 2 * threads - (self._in_hand - self._senders.stuck())
        if self._senders.waiting() >= threads // 2 or room <= 0:
            return
        found = delivery.claim_deliveries(limit=room, owner=self._duties.owner, wire_at=self._duties.clock.wire_now())
        self._in_hand += len(found)
        for message in found:
            self._senders.send(message)

    def _claim_jobs(self) -> None:
        """Take a write lock only when there is something to take."""
        room, now = self._runners.room(), self._duties.clock.wire_now()
        next_at = jobs.next_job_at()
        if room and next_at is not None and next_at <= now:
            for job in jobs.claim_jobs(limit=room, owner=self._duties.owner, wire_at=now):
                self._runners.run(job)

    def _until_next(self) -> float:
        """Seconds until something is due by itself; with many messages in hand one of them will ring before."""
        if self._in_hand - self._senders.stuck() >= self._duties.send_threads:
            return SLOW_S
        now = self._duties.clock.wire_now()
        times = [delivery.next_delivery_at(now)]
        if self._runners.room():
            times.append(jobs.next_job_at())
        idle_s = SLOW_S if self._in_hand else _IDLE_S
        return min([idle_s, *(max(0.0, (at - now).total_seconds()) for at in times if at is not None)])

    def _drain(self) -> None:
        """Let what has been begun end and write it down; what has not been begun is leased and comes back."""
        self._senders.drop_waiting()
        self._senders.join(_DRAIN_S)
        self._runners.close(_DRAIN_S)
        with self._app.app_context():
            self._record()
            self._reclaim()


def run_worker(app: Flask, duties: Duties, *, port: int, stop_event: threading.Event) -> None:
    """Run the embedded engine until `stop_event` is set. Raises OSError when another worker holds `port`."""
    bell = Bell(port)
    try:
        Engine(app, duties, bell).run(stop_event)
    finally:
        bell.close()
