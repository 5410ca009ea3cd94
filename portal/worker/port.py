"""What an engine is given to run: everything it may know of the portal, so that another engine can take its place.

The embedded loop (`loop.py`) is one; a queue on PostgreSQL over many machines can be a second one with the same parts.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from portal.exchange.port import Adapters
from portal.kernel.clock import Clock

# A job: payload, business time, wire time. It is a use case of its own and may be run again after a crash.
JobKind = Callable[[Mapping[str, Any], dt.datetime, dt.datetime], object]
Tick = Callable[[dt.datetime, dt.datetime], object]


@dataclass(frozen=True, slots=True)
class Duties:
    """What the worker does. `owner` names it across restarts: leases held under this name are its own."""

    adapters: Adapters
    job_kinds: Mapping[str, JobKind]
    clock: Clock
    owner: str
    retry_scale: float = 1.0
    tick: Tick | None = None
    tick_every_s: float = 1.0
    sweep_every_s: float = 15.0
    send_threads: int = 32
    job_threads: int = 2
    jitter: Callable[[], float] = field(default=random.random)
