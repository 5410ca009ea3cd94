"""A small calendar for tests: Monday to Friday, with named rest days and worked weekends."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True)
class WeekCalendar:
    rest: frozenset[dt.date] = frozenset()
    worked: frozenset[dt.date] = frozenset()
    open_at: str = "08:30"
    cut_off: str = "17:30"

    def is_working_day(self, day: dt.date, /) -> bool:
        return day in self.worked or (day.weekday() < 5 and day not in self.rest)


def local(day: int, hour: int = 9, minute: int = 0, *, month: int = 11) -> dt.datetime:
    """A time in November 2026 in Shanghai; 23 is a Monday."""
    return dt.datetime(2026, month, day, hour, minute, tzinfo=SHANGHAI)
