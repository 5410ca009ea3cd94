"""The working calendar: Monday to Friday, except for the days the State Council moved (调休), kept as rows to edit."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.catalog.model import CalendarException
from portal.catalog.tables import CalendarDay

_log = logging.getLogger(__name__)
_ONE_DAY = dt.timedelta(days=1)
_FRIDAY = 4


@dataclass(frozen=True)
class Calendar:
    """`days` are the exceptions to Monday–Friday, `years` those the table covers; hours are local (`HH:MM`)."""

    days: Mapping[dt.date, bool]
    years: frozenset[int]
    provisional_years: frozenset[int] = frozenset()
    open_at: str = "08:30"
    cut_off: str = "17:30"
    _warned: set[int] = field(default_factory=set, compare=False)

    def knows(self, year: int) -> bool:
        """Whether the table covers `year`."""
        return year in self.years

    def is_working_day(self, day: dt.date) -> bool:
        """Whether `day` is worked. A year the table lacks is taken as Monday–Friday, with a loud warning."""
        if day.year not in self.years and day.year not in self._warned:
            self._warned.add(day.year)
            _log.warning("the working calendar has no year %d: add it; until then Monday to Friday count", day.year)
        return self.days.get(day, day.weekday() <= _FRIDAY)

    def add_working_days(self, day: dt.date, days: int) -> dt.date:
        """The working day `days` (≥ 0) after `day`; 0 gives `day` or the next working day."""
        if days < 0:
            raise ValueError(f"days must not be negative: {days}")
        while not self.is_working_day(day):
            day += _ONE_DAY
        for _ in range(days):
            day += _ONE_DAY
            while not self.is_working_day(day):
                day += _ONE_DAY
        return day

    def working_days_between(self, after: dt.date, until: dt.date) -> int:
        """How many working days lie in (after, until]: the day after acceptance is day 1."""
        total, day = 0, after
        while day < until:
            day += _ONE_DAY
            total += self.is_working_day(day)
        return total


def exceptions_of(years: Iterable[CalendarException]) -> dict[dt.date, bool]:
    """Day → worked, for all days that differ from Monday–Friday."""
    days: dict[dt.date, bool] = {}
    for year in years:
        days |= dict.fromkeys(year.rest, False)
        days |= dict.fromkeys(year.work, True)
    return days


def seed_calendar(session: Session, years: Iterable[CalendarException]) -> int:
    """Step: add the days of years the table does not have yet; what was edited stays. Answers how many years."""
    have = {day.year for day in session.scalars(select(CalendarDay.day))}
    added = [year for year in years if year.year not in have]
    for year in added:
        # New Year's Day stands for the year, so that one without exceptions is known too.
        days = {dt.date(year.year, 1, 1): False, **exceptions_of([year])}
        for day, is_working in days.items():
            session.add(CalendarDay(day=day, is_working=is_working, provisional=year.provisional))
    session.flush()
    return len(added)


def load_calendar(session: Session, *, open_at: str, cut_off: str) -> Calendar:
    """The calendar as the table has it now."""
    rows = session.execute(select(CalendarDay.day, CalendarDay.is_working, CalendarDay.provisional)).all()
    return Calendar(
        days={row.day: row.is_working for row in rows},
        years=frozenset(row.day.year for row in rows),
        provisional_years=frozenset(row.day.year for row in rows if row.provisional),
        open_at=open_at,
        cut_off=cut_off,
    )
