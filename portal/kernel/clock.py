"""Two clocks. *Business* time drives limits, documents and the accounting day; in the demo it is one stored
value. *Wire* time (signatures, leases, sessions) is always real. Only `app.py`, the worker and the command line
read either; everything below takes times as arguments.
"""

from __future__ import annotations

import datetime as dt
from typing import Protocol
from zoneinfo import ZoneInfo

UTC = dt.UTC
SHANGHAI = ZoneInfo("Asia/Shanghai")


class Clock(Protocol):
    """What the edge reads."""

    def business_now(self) -> dt.datetime:
        """Now in business time, aware, UTC."""
        ...

    def wire_now(self) -> dt.datetime:
        """Now in real time, aware, UTC."""
        ...


class RealClock:
    """Both clocks are the machine's."""

    def business_now(self) -> dt.datetime:
        """The machine's time."""
        return dt.datetime.now(UTC)

    def wire_now(self) -> dt.datetime:
        """The machine's time."""
        return dt.datetime.now(UTC)


def to_local(at: dt.datetime) -> dt.datetime:
    """The same instant on a wall clock in Asia/Shanghai."""
    return at.astimezone(SHANGHAI)


def local_date(at: dt.datetime) -> dt.date:
    """The calendar day in Asia/Shanghai on which `at` falls."""
    return to_local(at).date()


def parse_instant(text: str) -> dt.datetime:
    """An RFC 3339 time with offset as an aware UTC datetime. Raises ValueError without an offset."""
    at = dt.datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("a time needs its offset, as in 2026-11-23T09:00:00+08:00")
    return at.astimezone(UTC)


def format_instant(at: dt.datetime) -> str:
    """RFC 3339 with the Shanghai offset, to the second."""
    return to_local(at).isoformat(timespec="seconds")
