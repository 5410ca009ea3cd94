"""Limits and clocks in working days (domain facts §3, "Counting"): when something is due, what is used, which light.

The day after dispatch is day 1; only working days count, shifted weekends included. What happens after the cut-off
hour or on a rest day counts as having happened on the next working day. A limit of n days ends with the cut-off of
day n, a limit of 0 with that of the same day; a fraction is that share of the working hours of its day, so that
`used_days` reaches n exactly at `due_at` of n.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from typing import Literal, Protocol

from portal.kernel.clock import SHANGHAI, UTC, to_local

Days = Decimal | int | float
Light = Literal["green", "yellow", "red"]
YELLOW_SHARE = Decimal("0.7")
LAST_DAY_COUNTS_OVER = 3  # limits over this many days also turn yellow with one day left
_ONE_DAY = dt.timedelta(days=1)
_TICK = dt.timedelta(microseconds=1)


class WorkingDays(Protocol):
    """The city's calendar: which days are worked, and from when to when (`HH:MM`, Asia/Shanghai)."""

    @property
    def open_at(self) -> str:
        """Start of the working hours."""
        ...

    @property
    def cut_off(self) -> str:
        """End of the working hours; what comes later counts from the next working day."""
        ...

    def is_working_day(self, day: dt.date, /) -> bool:
        """Whether `day` is worked."""
        ...


@dataclass(frozen=True, slots=True)
class PauseSpan:
    """A stopped clock; `end_at` is None while it is still stopped."""

    start_at: dt.datetime
    end_at: dt.datetime | None = None


def due_at(calendar: WorkingDays, from_at: dt.datetime, days: Days) -> dt.datetime:
    """The last instant (aware, UTC) at which something dispatched at `from_at` with `days` working days is in time.

    Raises ValueError for a negative number of days.
    """
    limit = Decimal(str(days))
    if limit < 0:
        raise ValueError(f"a limit is not negative: {days}")
    whole = int(limit.to_integral_value(ROUND_CEILING))
    day = _day_zero(calendar, from_at)
    for _ in range(whole):
        day = _next_working_day(calendar, day)
    return _close_of(calendar, day) - _share(_working_day(calendar), whole - limit)


def used_days(
    calendar: WorkingDays, from_at: dt.datetime, to_at: dt.datetime, pauses: Sequence[PauseSpan] = ()
) -> Decimal:
    """Working days used from the dispatch at `from_at` until `to_at`, pauses taken out; 0 on the day of dispatch."""
    start = _day_one(calendar, from_at)
    used = _running(calendar, start, to_at, pauses)
    return Decimal(used // _TICK) / Decimal(_working_day(calendar) // _TICK)


def moved_due_at(
    calendar: WorkingDays, *, issued_at: dt.datetime, due_at: dt.datetime, now: dt.datetime, pauses: Sequence[PauseSpan]
) -> dt.datetime:
    """`due_at` put off by the working time the pauses took from it; an open pause counts until `now`."""
    for start, end in _merged(pauses, _clock_start(calendar, issued_at, due_at), now):
        if start > due_at:
            break
        due_at = _forward(calendar, due_at, _worked(calendar, start, end))
    return due_at


def after_working_time(calendar: WorkingDays, from_at: dt.datetime, length: dt.timedelta) -> dt.datetime:
    """The instant at which `length` of working hours have passed since `from_at`: rests and nights do not count."""
    return _forward(calendar, from_at, length)


def working_time(calendar: WorkingDays, from_at: dt.datetime, to_at: dt.datetime) -> dt.timedelta:
    """Working hours between two instants; nothing when the second is the earlier one."""
    return _worked(calendar, from_at, to_at)


def light(
    calendar: WorkingDays,
    *,
    issued_at: dt.datetime,
    due_at: dt.datetime,
    limit_days: Days,
    now: dt.datetime,
    pauses: Sequence[PauseSpan] = (),
    ended_at: dt.datetime | None = None,
) -> Light:
    """green below 70 % of the limit; yellow from 70 %, or with ≤ 1 day left of more than 3; red beyond it.

    `due_at` rules over `limit_days` where an extension moved it. An ended task is red or green by its end.
    """
    moment = now if ended_at is None else ended_at
    if moment > moved_due_at(calendar, issued_at=issued_at, due_at=due_at, now=moment, pauses=pauses):
        return "red"
    if ended_at is not None:
        return "green"
    start = _clock_start(calendar, issued_at, due_at)
    used, allowed = _running(calendar, start, moment, pauses), _worked(calendar, start, due_at)
    last_day = Decimal(str(limit_days)) > LAST_DAY_COUNTS_OVER and allowed - used <= _working_day(calendar)
    return "yellow" if last_day or used >= _share(allowed, YELLOW_SHARE) else "green"


def _share(length: dt.timedelta, share: Decimal) -> dt.timedelta:
    return dt.timedelta(microseconds=int(Decimal(length // _TICK) * share))


def _at_hour(day: dt.date, hour: str) -> dt.datetime:
    return dt.datetime.combine(day, dt.time.fromisoformat(hour), SHANGHAI).astimezone(UTC)


def _open_of(calendar: WorkingDays, day: dt.date) -> dt.datetime:
    return _at_hour(day, calendar.open_at)


def _close_of(calendar: WorkingDays, day: dt.date) -> dt.datetime:
    return _at_hour(day, calendar.cut_off)


def _working_day(calendar: WorkingDays) -> dt.timedelta:
    any_day = dt.date(2026, 1, 5)
    return _close_of(calendar, any_day) - _open_of(calendar, any_day)


def _next_working_day(calendar: WorkingDays, day: dt.date) -> dt.date:
    day += _ONE_DAY
    while not calendar.is_working_day(day):
        day += _ONE_DAY
    return day


def _day_zero(calendar: WorkingDays, at: dt.datetime) -> dt.date:
    """The working day on which something that happened at `at` counts as having happened."""
    day = to_local(at).date()
    if calendar.is_working_day(day) and at <= _close_of(calendar, day):
        return day
    return _next_working_day(calendar, day)


def _day_one(calendar: WorkingDays, at: dt.datetime) -> dt.datetime:
    return _open_of(calendar, _next_working_day(calendar, _day_zero(calendar, at)))


def _clock_start(calendar: WorkingDays, issued_at: dt.datetime, due_at: dt.datetime) -> dt.datetime:
    """When the clock of this limit starts to run: with day 1, or at once where the limit ends before that."""
    day_one = _day_one(calendar, issued_at)
    return day_one if due_at > day_one else issued_at


def _worked(calendar: WorkingDays, from_at: dt.datetime, to_at: dt.datetime) -> dt.timedelta:
    """Working hours between two instants."""
    total, day, last = dt.timedelta(), to_local(from_at).date(), to_local(to_at).date()
    while day <= last:
        if calendar.is_working_day(day):
            start, end = max(from_at, _open_of(calendar, day)), min(to_at, _close_of(calendar, day))
            total += max(end - start, dt.timedelta())
        day += _ONE_DAY
    return total


def _running(
    calendar: WorkingDays, from_at: dt.datetime, to_at: dt.datetime, pauses: Sequence[PauseSpan]
) -> dt.timedelta:
    """Working hours between two instants, without those of the pauses."""
    paused = (_worked(calendar, start, end) for start, end in _merged(pauses, from_at, to_at))
    return _worked(calendar, from_at, to_at) - sum(paused, dt.timedelta())


def _merged(
    pauses: Iterable[PauseSpan], from_at: dt.datetime, to_at: dt.datetime
) -> Iterator[tuple[dt.datetime, dt.datetime]]:
    """The pauses cut to [from_at, to_at], in order; where they overlap the time stands once."""
    reached = from_at
    for pause in sorted(pauses, key=lambda pause: pause.start_at):
        start, end = max(pause.start_at, reached), min(pause.end_at or to_at, to_at)
        if start < end:
            yield start, end
            reached = end


def _forward(calendar: WorkingDays, moment: dt.datetime, length: dt.timedelta) -> dt.datetime:
    """The instant at which `length` of working hours have passed since `moment`."""
    while length > dt.timedelta():
        day = to_local(moment).date()
        if not calendar.is_working_day(day) or moment >= _close_of(calendar, day):
            day = _next_working_day(calendar, day)
        start = max(moment, _open_of(calendar, day))
        step = min(length, _close_of(calendar, day) - start)
        moment, length = start + step, length - step
    return moment
