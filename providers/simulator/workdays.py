"""When a provider's people work: weekdays in Shanghai time, at four desk times a day.

All desks share the desk times, so that one step of the simulated calendar lets everybody act at once.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")
DESK_TIMES = (dt.time(9, 30), dt.time(11, 0), dt.time(14, 30), dt.time(16, 30))
MORNING = (dt.time(9, 0), dt.time(11, 30))
AFTERNOON = (dt.time(14, 30), dt.time(17, 0))


@dataclass(frozen=True, slots=True)
class Workdays:
    """Monday to Friday except `closed_on`."""

    closed_on: frozenset[dt.date] = frozenset()

    def is_open(self, day: dt.date) -> bool:
        """Whether people work on `day`."""
        return day.weekday() < 5 and day not in self.closed_on

    def after(self, day: dt.date, count: int) -> dt.date:
        """The `count`-th working day after `day` (count ≥ 1)."""
        left = count
        while left:
            day += dt.timedelta(days=1)
            left -= self.is_open(day)
        return day

    def desk_times(self, start: dt.datetime) -> Iterator[dt.datetime]:
        """All desk times from `start` on, without end, as UTC."""
        local = start.astimezone(SHANGHAI)
        day = local.date()
        while True:
            if self.is_open(day):
                for time in DESK_TIMES:
                    at = dt.datetime.combine(day, time, SHANGHAI)
                    if at >= local:
                        yield at.astimezone(dt.UTC)
            day += dt.timedelta(days=1)

    def next_desk_time(self, start: dt.datetime) -> dt.datetime:
        """The first desk time at or after `start`."""
        return next(self.desk_times(start))

    def within(self, issued_at: dt.datetime, due_at: dt.datetime | None, share: float) -> dt.datetime:
        """The desk time `share` (0–1) of the way from issue to limit; at once where none is left before it."""
        if due_at is None:
            return self.next_desk_time(issued_at)
        times = []
        for at in self.desk_times(issued_at):
            if at >= due_at:
                break
            times.append(at)
        return times[int(share * len(times))] if times else issued_at


def span(day: dt.date, times: tuple[dt.time, dt.time]) -> tuple[dt.datetime, dt.datetime]:
    """From and to on one day, in Shanghai time."""
    return dt.datetime.combine(day, times[0], SHANGHAI), dt.datetime.combine(day, times[1], SHANGHAI)


def local_day(at: dt.datetime) -> dt.date:
    """The calendar day in Shanghai."""
    return at.astimezone(SHANGHAI).date()


def instant(at: dt.datetime) -> str:
    """RFC 3339 with the Shanghai offset."""
    return at.astimezone(SHANGHAI).isoformat(timespec="seconds")
