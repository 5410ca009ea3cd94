"""Fault switches: what a provider's system does wrong on purpose, settable at run time by POST /sim/faults."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

MAX_VALUE = 60_000


class BadFaults(ValueError):
    """A switch that does not exist or has a value of the wrong kind."""


@dataclass(frozen=True, slots=True)
class Faults:
    """All off by default.

    `down`: that many of the next requests get no answer at all; `slow_ms`: every answer waits; `error_500_every`:
    every n-th push is answered 500 before it is stored; `garbage_every`: every n-th push is stored, then answered
    with bytes that are no HTTP; `busy_every`: every n-th push gets 503 with Retry-After; `duplicate_reports`: every
    report is sent twice; `out_of_order`: pushes are held for a moment and worked newest first, and tasks are not
    signed for; `forget_every`: every n-th read-back says 404; `late_days`: replies come that many working days late.
    """

    down: int = 0
    slow_ms: int = 0
    error_500_every: int = 0
    garbage_every: int = 0
    busy_every: int = 0
    duplicate_reports: bool = False
    out_of_order: bool = False
    forget_every: int = 0
    late_days: int = 0


class FaultBox:
    """The switches of one server with the counters they need. Safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults = Faults()
        self._pushes = 0
        self._reads = 0

    @property
    def now(self) -> Faults:
        """The switches as they stand."""
        return self._faults

    def set(self, raw: Mapping[str, Any]) -> Faults:
        """Change the switches named in `raw`, leave the others. Raises BadFaults."""
        known = asdict(Faults())
        for name, value in raw.items():
            if name not in known:
                raise BadFaults(f"{name}: no such switch; there are {', '.join(known)}")
            if type(value) is not type(known[name]) or not 0 <= value <= MAX_VALUE:
                raise BadFaults(f"{name}: true, false or a number up to {MAX_VALUE}, as the switch needs")
        with self._lock:
            self._faults = replace(self._faults, **raw)
            return self._faults

    def takes_down(self) -> bool:
        """Whether this request goes unanswered; counts it."""
        with self._lock:
            if self._faults.down <= 0:
                return False
            self._faults = replace(self._faults, down=self._faults.down - 1)
            return True

    def push_fault(self) -> str | None:
        """`error`, `busy` or `garbage` when this push is due for one."""
        with self._lock:
            self._pushes += 1
            every = (
                ("error", self._faults.error_500_every),
                ("busy", self._faults.busy_every),
                ("garbage", self._faults.garbage_every),
            )
            return next((name for name, n in every if n and self._pushes % n == 0), None)

    def forgets(self) -> bool:
        """Whether this read-back finds nothing."""
        with self._lock:
            self._reads += 1
            return bool(self._faults.forget_every) and self._reads % self._faults.forget_every == 0
