"""What an engine is given to run: everything it may know of the portal, so that another engine can take its place.

There are two: the embedded loop (`loop.py`), and Procrastinate on PostgreSQL (`procrastinate_engine.py`). Both are
made of parts that take turns in one thread; the same tests hold both to the same promises.
"""

from __future__ import annotations

import datetime as dt
import random
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from flask import Flask

from portal.exchange.port import Adapters
from portal.kernel.clock import Clock

# A job: payload, business time, wire time. It is a use case of its own and may be run again after a crash.
JobKind = Callable[[Mapping[str, Any], dt.datetime, dt.datetime], object]
Tick = Callable[[dt.datetime, dt.datetime], object]


class AlreadyRunning(RuntimeError):
    """A worker of this name runs already; a second one would take its work for left behind."""


@dataclass(frozen=True, slots=True)
class Duties:
    """What the worker does. `owner` names it across restarts: leases held under this name are its own.

    `lease`: how long others leave alone what this worker holds, from its last sign of life on.
    """

    adapters: Adapters
    job_kinds: Mapping[str, JobKind]
    clock: Clock
    owner: str
    retry_scale: float = 1.0
    tick: Tick | None = None
    tick_every_s: float = 1.0
    lease: dt.timedelta = dt.timedelta(seconds=30)
    send_threads: int = 32
    job_threads: int = 2
    jitter: Callable[[], float] = field(default=random.random)

    @property
    def renew_every_s(self) -> float:
        """A third of the lease: two signs of life may be late before somebody else takes over."""
        return self.lease.total_seconds() / 3

    @property
    def sweep_every_s(self) -> float:
        """How often to look for leases of workers that died: a quarter of the lease, at most 15 s."""
        return min(15.0, self.lease.total_seconds() / 4)


class Part(Protocol):
    """One piece of an engine's loop. All of it runs in the loop's thread, inside an application context."""

    def reclaim(self) -> int:
        """At boot and at the end: give back what this worker's name still holds. Answers how much."""
        ...

    def turn(self) -> float:
        """Do what is due; answers after how many seconds something may be due without anybody ringing."""
        ...

    def drain(self) -> None:
        """The end: finish what has begun, drop what has not."""
        ...


class Engine(Protocol):
    """Runs `duties` until `stop_event` is set, then returns when what had begun is recorded.

    `port` is where a worker on SQLite is woken (0: any). Raises AlreadyRunning.
    """

    def __call__(self, app: Flask, duties: Duties, *, port: int, stop_event: threading.Event) -> None:
        """Run."""
        ...


class Every:
    """True at the first asking and then once every `seconds`."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._next = 0.0

    def is_due(self, now: dt.datetime) -> bool:
        """Whether it is time (again); asking counts."""
        if now.timestamp() < self._next:
            return False
        self._next = now.timestamp() + self._seconds
        return True

    def left_s(self, now: dt.datetime) -> float:
        """Seconds until it is due."""
        return max(0.0, self._next - now.timestamp())
