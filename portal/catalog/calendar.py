"""The working calendar: Monday to Friday, except for the days the State Council moved (调休), kept as rows to edit."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import structlog
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from portal.catalog.model import CalendarYear
from portal.catalog.tables import CalendarDay

_log = structlog.get_logger("catalog")
_ONE_DAY = dt.timedelta(days=1)
_FRIDAY = 4
_LOOK_AHEAD = dt.timedelta(days=90)


@dataclass(frozen=True)
class Calendar:
    """`days` are the exceptions to Monday–Friday (day → worked); a year with none of them is not known.

    Hours are local (`HH:MM`); what comes after `cut_off` counts from the next working day.
    """

    days: Mapping[dt.date, bool]
    provisional_years: frozenset[int] = frozenset()
    open_at: str = "08:30"
    cut_off: str = "17:30"
    _warned: set[int] = field(default_factory=set, compare=False, repr=False)

    @cached_property
    def years(self) -> frozenset[int]:
        """The years the table covers."""
        return frozenset(day.year for day in self.days)

    def knows(self, year: int) -> bool:
        """Whether the table covers `year`."""
        return year in self.years

    def is_working_day(self, day: dt.date) -> bool:
        """Whether `day` is worked. A year the table lacks is taken as Monday–Friday, with a loud warning."""
        if day.year not in self.years:
            self._warn(day.year)
        return self.days.get(day, day.weekday() <= _FRIDAY)

    def add_working_days(self, day: dt.date, days: int) -> dt.date:
        """The `days`-th working day after `day`; with 0 `day` itself, or the next one worked. Raises ValueError."""
        if days < 0:
            raise ValueError(f"days must not be negative: {days}")
        while not days and not self.is_working_day(day):
            day += _ONE_DAY
        for _ in range(days):
            day += _ONE_DAY
            while not self.is_working_day(day):
                day += _ONE_DAY
        return day

    def working_days_between(self, after: dt.date, until: dt.date) -> int:
        """How many working days lie in (after, until]: the day after acceptance is day 1; 0 when none are."""
        total, day = 0, after
        while day < until:
            day += _ONE_DAY
            total += self.is_working_day(day)
        return total

    def gaps(self, on: dt.date) -> dict[int, str]:
        """Year → `missing` or `provisional`, for the years met from `on` until three months later."""
        years = range(on.year, (on + _LOOK_AHEAD).year + 1)
        missing = {year: "missing" for year in years if not self.knows(year)}
        return missing | {year: "provisional" for year in years if year in self.provisional_years}

    def _warn(self, year: int) -> None:
        if year not in self._warned:
            self._warned.add(year)
            _log.warning(
                "calendar_year_missing",
                year=year,
                effect="Monday to Friday count as working days, limits may be wrong",
                mend="add the year's holidays and make-up days to the table calendar_day",
            )


def exceptions_of(years: Iterable[CalendarYear]) -> dict[dt.date, bool]:
    """Day → worked, for all days that differ from Monday–Friday, and each New Year's Day."""
    return {day: worked for year in years for day, worked, _note in _days_of(year)}


def seed_calendar(session: Session, years: Iterable[CalendarYear]) -> int:
    """Step: bring in the years the table does not have, and official ones in place of provisional rows.

    Rows a person entered or changed (not provisional) always stay. Answers how many years were brought in.
    """
    marks: dict[int, set[bool]] = {}
    for day, provisional in session.execute(select(CalendarDay.day, CalendarDay.provisional)):
        marks.setdefault(day.year, set()).add(provisional)
    wanted = [year for year in years if year.year not in marks or (True in marks[year.year] and not year.provisional)]
    for year in wanted:
        first, last = dt.date(year.year, 1, 1), dt.date(year.year, 12, 31)
        session.execute(
            delete(CalendarDay).where(CalendarDay.day.between(first, last), CalendarDay.provisional.is_(True))
        )
        kept = set(session.scalars(select(CalendarDay.day).where(CalendarDay.day.between(first, last))))
        session.add_all(
            CalendarDay(day=day, is_working=worked, note=note, provisional=year.provisional)
            for day, worked, note in _days_of(year)
            if day not in kept
        )
    session.flush()
    return len(wanted)


def _days_of(year: CalendarYear) -> list[tuple[dt.date, bool, str]]:
    """(day, worked, note) of each exception."""
    # New Year's Day stands for the year, so that one whose holidays all fell on weekends is known too.
    rest = {dt.date(year.year, 1, 1): "元旦", **year.rest}
    return [(day, worked, note) for worked, days in ((False, rest), (True, year.work)) for day, note in days.items()]


def load_calendar(session: Session, *, open_at: str, cut_off: str) -> Calendar:
    """The calendar as the table has it now; hours are local (`HH:MM`)."""
    rows = session.execute(select(CalendarDay.day, CalendarDay.is_working, CalendarDay.provisional)).all()
    return Calendar(
        days={row.day: row.is_working for row in rows},
        provisional_years=frozenset(row.day.year for row in rows if row.provisional),
        open_at=open_at,
        cut_off=cut_off,
    )
