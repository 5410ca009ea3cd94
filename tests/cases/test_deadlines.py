"""Limits and clocks, against a reference that steps through the minutes one by one."""

from __future__ import annotations

import datetime as dt
import os
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.cases.deadlines import PauseSpan, due_at, light, moved_due_at, used_days
from portal.kernel.clock import local_date
from tests.cases.days import SHANGHAI, WeekCalendar, local

SCALE = 20 if os.environ.get("PORTAL_SOAK") else 1
PLAIN = WeekCalendar()
# A holiday on Wednesday and Thursday, made up for on the Saturday before: shifted weekends count.
SHIFTED = WeekCalendar(
    rest=frozenset({dt.date(2026, 11, 25), dt.date(2026, 11, 26)}), worked=frozenset({dt.date(2026, 11, 21)})
)
MINUTE = dt.timedelta(minutes=1)
MINUTES_A_DAY = 9 * 60


@pytest.mark.parametrize(
    ("begun", "days", "due"),
    [
        (local(23, 9), 0, local(23, 17, 30)),  # the same day's close
        (local(23, 9), 1, local(24, 17, 30)),  # the day after dispatch is day 1
        (local(23, 17, 30), 1, local(24, 17, 30)),  # at the cut-off still belongs to the day
        (local(23, 17, 31), 1, local(25, 17, 30)),  # after it does not
        (local(23, 7), 1, local(24, 17, 30)),
        (local(21, 12), 0, local(23, 17, 30)),  # a Saturday counts as the Monday
        (local(20, 18), 1, local(24, 17, 30)),
        (local(20, 9), 1, local(23, 17, 30)),
        (local(23, 9), 8, local(3, 17, 30, month=12)),
        (local(23, 9), 0.5, local(24, 13, 0)),
        (local(23, 9), Decimal("1.5"), local(25, 13, 0)),
    ],
)
def test_due_at_counts_working_days_from_the_day_after(begun, days, due):
    assert due_at(PLAIN, begun, days) == due


def test_shifted_weekends_count_and_holidays_do_not():
    assert due_at(SHIFTED, local(20, 9), 1) == local(21, 17, 30)
    assert due_at(SHIFTED, local(24, 9), 1) == local(27, 17, 30)


def test_a_negative_limit_is_a_mistake():
    with pytest.raises(ValueError, match="not negative"):
        due_at(PLAIN, local(23), -1)


def slow_day_zero(calendar: WeekCalendar, at: dt.datetime) -> dt.date:
    here = at.astimezone(SHANGHAI)
    day = here.date()
    if calendar.is_working_day(day) and here.time() <= dt.time(17, 30):
        return day
    day += dt.timedelta(days=1)
    while not calendar.is_working_day(day):
        day += dt.timedelta(days=1)
    return day


def slow_minutes(calendar, begun, until, pauses) -> int:
    """Minutes of working time after the day of dispatch, none of them in a pause."""
    zero, minutes = slow_day_zero(calendar, begun), 0
    at = dt.datetime.combine(zero + dt.timedelta(days=1), dt.time(), SHANGHAI)
    while at < until:
        at_work = calendar.is_working_day(at.date()) and dt.time(8, 30) <= at.time() < dt.time(17, 30)
        if at_work and not any(p.start_at <= at and (p.end_at is None or at < p.end_at) for p in pauses):
            minutes += 1
        at += MINUTE
    return minutes


calendars = st.sampled_from([PLAIN, SHIFTED])
minutes_of_november = st.integers(0, 6 * 24 * 60).map(lambda m: local(19, 0) + m * MINUTE)


@st.composite
def pause_lists(draw: st.DrawFn) -> list[PauseSpan]:
    spans = []
    for _ in range(draw(st.integers(0, 3))):
        start = draw(minutes_of_november)
        length = draw(st.one_of(st.none(), st.integers(1, 2 * 24 * 60)))
        spans.append(PauseSpan(start, None if length is None else start + length * MINUTE))
    return spans


@given(calendars, minutes_of_november, minutes_of_november, pause_lists())
@settings(max_examples=60 * SCALE, deadline=None)
def test_used_days_agrees_with_counting_minutes(calendar, begun, until, pauses):
    used = used_days(calendar, begun, until, pauses)
    assert used == Decimal(slow_minutes(calendar, begun, until, pauses)) / MINUTES_A_DAY


@given(calendars, minutes_of_november, st.integers(1, 24))
@settings(max_examples=60 * SCALE, deadline=None)
def test_used_days_reaches_the_limit_exactly_when_it_is_due(calendar, begun, halves):
    due = due_at(calendar, begun, Decimal(halves) / 2)
    assert used_days(calendar, begun, due) == Decimal(halves) / 2
    assert used_days(calendar, begun, due - MINUTE) < Decimal(halves) / 2


@given(calendars, minutes_of_november, st.integers(0, 20), st.integers(0, 20))
def test_a_longer_limit_is_never_due_earlier(calendar, begun, first, second):
    low, high = sorted((first, second))
    assert due_at(calendar, begun, low) <= due_at(calendar, begun, high)
    assert calendar.is_working_day(local_date(due_at(calendar, begun, low)))


@given(calendars, minutes_of_november, st.integers(1, 4), pause_lists(), minutes_of_november)
@settings(max_examples=80 * SCALE, deadline=None)
def test_red_means_that_more_was_used_than_allowed(calendar, begun, days, pauses, now):
    due = due_at(calendar, begun, days)
    shown = light(calendar, issued_at=begun, due_at=due, limit_days=days, now=now, pauses=pauses)
    used = used_days(calendar, begun, now, pauses)
    if used > days:
        assert shown == "red"
    elif used < days:
        assert shown != "red"


@pytest.mark.parametrize(
    ("now", "shown"),
    [
        (local(24, 9), "green"),
        (local(3, 9, month=12), "yellow"),  # one day of eight left
        (local(2, 17, 0, month=12), "yellow"),  # more than 70 % used
        (local(1, 9, month=12), "green"),
        (local(3, 17, 30, month=12), "yellow"),
        (local(3, 17, 31, month=12), "red"),  # the night after the limit is not in time
    ],
)
def test_the_light_of_an_eight_day_limit(now, shown):
    begun = local(23)
    due = due_at(PLAIN, begun, 8)
    assert light(PLAIN, issued_at=begun, due_at=due, limit_days=8, now=now) == shown


def test_one_day_left_says_nothing_where_the_limit_is_three_days():
    begun = local(23)
    due = due_at(PLAIN, begun, 3)
    assert light(PLAIN, issued_at=begun, due_at=due, limit_days=3, now=local(25, 17, 30)) == "green"
    assert light(PLAIN, issued_at=begun, due_at=due, limit_days=3, now=local(26, 9, 30)) == "yellow"
    due = due_at(PLAIN, begun, Decimal("3.2"))  # 70 % are 2.24 days; the last day begins at 2.2
    assert light(PLAIN, issued_at=begun, due_at=due, limit_days=3.2, now=local(26, 10, 18)) == "yellow"
    assert light(PLAIN, issued_at=begun, due_at=due, limit_days=3.2, now=local(26, 10, 17)) == "green"


def test_a_same_day_limit_is_measured_in_the_hours_that_were_left():
    begun = local(23, 13, 30)
    due = due_at(PLAIN, begun, 0)

    def at(now, pauses=()):
        return light(PLAIN, issued_at=begun, due_at=due, limit_days=0, now=now, pauses=pauses)

    assert at(local(23, 16)) == "green"
    assert at(local(23, 16, 30)) == "yellow"
    assert at(local(23, 17, 31)) == "red"
    asked = PauseSpan(local(23, 14, 30), local(24, 10))
    assert at(local(24, 10, 30), [asked]) == "green"
    assert at(local(24, 13, 0), [asked]) == "yellow"
    assert at(local(24, 13, 1), [asked]) == "red"


def test_a_pause_stops_the_clock_and_overlapping_pauses_count_once():
    begun = local(23)
    pauses = [PauseSpan(local(24, 8, 30), local(25, 17, 30)), PauseSpan(local(25, 8, 30), local(26, 17, 30))]
    assert used_days(PLAIN, begun, local(27, 17, 30), pauses) == 1
    due = due_at(PLAIN, begun, 1)
    moved = moved_due_at(PLAIN, issued_at=begun, due_at=due, now=local(28), pauses=pauses)
    assert moved == local(27, 17, 30)


def test_a_pause_after_the_limit_repairs_nothing():
    begun = local(23)
    due = due_at(PLAIN, begun, 1)
    for stopped_at in (local(24, 20), local(25, 9)):
        late = [PauseSpan(stopped_at, None)]
        assert light(PLAIN, issued_at=begun, due_at=due, limit_days=1, now=local(27), pauses=late) == "red"


def test_an_ended_task_keeps_the_light_of_its_end():
    begun = local(23)
    due = due_at(PLAIN, begun, 1)
    in_time = light(PLAIN, issued_at=begun, due_at=due, limit_days=1, now=local(27), ended_at=local(24, 17))
    too_late = light(PLAIN, issued_at=begun, due_at=due, limit_days=1, now=local(27), ended_at=local(25, 9))
    assert (in_time, too_late) == ("green", "red")


def test_an_extension_moves_the_limit():
    begun = local(23)
    extended = local(27, 17, 30)
    assert light(PLAIN, issued_at=begun, due_at=extended, limit_days=1, now=local(25)) == "green"
