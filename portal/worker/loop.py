"""The loop both engines stand on, and the embedded engine: one thread that claims and records, threads that work.

The loop alone talks to the outbox tables, so outcomes are committed in groups and never fight for the write lock.
"""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Sequence

import structlog
from flask import Flask

from portal.worker.bells import open_bell
from portal.worker.job_loop import JobLoop
from portal.worker.port import Duties, Every, Part
from portal.worker.pump import IDLE_S, Pump
from portal.worker.running import HeldJobs
from portal.worker.wake import Bell

_log = structlog.get_logger("worker")
_GROUP_S = 0.012  # how long outcomes are gathered for one commit while the threads are busy
_AFTER_ERROR_S = 1.0


class Ticking:
    """Looks at the clocks now and then. An error there must not hold up deliveries; it is tried at the next tick."""

    def __init__(self, duties: Duties) -> None:
        self._duties = duties
        self._every = Every(duties.tick_every_s)

    def reclaim(self) -> int:
        """Ticks hold nothing."""
        return 0

    def turn(self) -> float:
        """Tick when it is time."""
        duties, now = self._duties, self._duties.clock.wire_now()
        if duties.tick is None:
            return IDLE_S
        if self._every.is_due(now):
            try:
                duties.tick(duties.clock.business_now(), now)
            except Exception:
                _log.error("tick failed", error=traceback.format_exc())
        return self._every.left_s(now)

    def drain(self) -> None:
        """Nothing has begun."""


class Loop:
    """Lets its parts take turns until told to stop; sleeps on the bell in between."""

    def __init__(self, app: Flask, bell: Bell, pump: Pump, parts: Sequence[Part]) -> None:
        self._app, self._bell, self._pump, self._parts = app, bell, pump, parts

    def run(self, stop_event: threading.Event) -> None:
        """Work until told to stop. An error of the database is logged and tried again, never fatal."""
        self._reclaim()
        while not stop_event.is_set():
            try:
                with self._app.app_context():
                    pause_s = min(part.turn() for part in self._parts)
            except Exception:  # the loop outlives a full disk or a restarted database
                _log.error("turn failed", error=traceback.format_exc())  # text only: no values of variables
                pause_s = _AFTER_ERROR_S
            self._bell.wait(pause_s)
            if self._pump.is_busy:
                time.sleep(_GROUP_S)
        with self._app.app_context():
            for part in self._parts:
                part.drain()
        self._reclaim()

    def _reclaim(self) -> None:
        with self._app.app_context():
            count = sum(part.reclaim() for part in self._parts)
        if count:
            _log.info("reclaimed", count=count)


def run_embedded(app: Flask, duties: Duties, *, port: int, stop_event: threading.Event) -> None:
    """Run the embedded engine until `stop_event` is set. Raises AlreadyRunning."""
    bell = open_bell(app, duties.owner, port)
    try:
        pump, held = Pump(duties, bell.ring), HeldJobs(duties)
        jobs = JobLoop(app, duties, held, bell.ring)
        Loop(app, bell, pump, (Ticking(duties), pump, jobs, held)).run(stop_event)
    finally:
        bell.close()
