"""The one visit, against trying every quarter of an hour."""

from __future__ import annotations

import datetime as dt

from hypothesis import given, settings
from hypothesis import strategies as st

from portal.cases.scheduling import Slot, find_visit
from tests.cases.days import local

HOUR = dt.timedelta(hours=1)
QUARTER = dt.timedelta(minutes=15)
BEGIN, END = local(24, 8), local(26, 18)
ALL_DAY = Slot(local(24, 9), local(24, 17))


def plan(slots, wishes=(), **limits):
    return find_visit(slots, wishes, **{"not_before": BEGIN, "not_after": END} | limits)


def test_the_earliest_time_that_suits_everybody():
    found = plan({"water": [ALL_DAY], "power": [Slot(local(24, 10, 30), local(24, 12))]})
    assert (found.start_at, found.end_at) == (local(24, 10, 30), local(24, 11, 30))
    assert found.providers == {"water", "power"}
    assert found.absent == frozenset()


def test_a_wish_that_suits_everybody_wins_over_an_earlier_time():
    found = plan({"water": [ALL_DAY], "power": [ALL_DAY]}, [Slot(local(24, 14), local(24, 16))])
    assert found.start_at == local(24, 14)
    assert "符合您希望的时间" in found.reason


def test_a_wish_that_does_not_suit_everybody_loses():
    found = plan(
        {"water": [ALL_DAY], "power": [Slot(local(24, 9), local(24, 11))]}, [Slot(local(24, 14), local(24, 16))]
    )
    assert found.start_at == local(24, 9)
    assert found.reason.startswith("您希望的时间内")


def test_when_no_time_suits_all_most_of_them_come_and_the_reason_says_so():
    morning, evening = Slot(local(25, 9), local(25, 10)), Slot(local(24, 16), local(24, 18))
    found = plan({"water": [morning], "power": [morning], "gas": [evening]})
    assert (found.start_at, found.absent) == (local(25, 9), {"gas"})
    assert "3 家单位未能约到共同的时间" in found.reason
    assert "2 家到场" in found.reason


def test_nobody_free_means_no_visit():
    assert plan({"water": [Slot(local(24, 9), local(24, 9, 45))]}) is None
    assert plan({}) is None
    assert plan({"water": [ALL_DAY]}, not_before=local(24, 16, 30)) is None


def test_slots_that_touch_count_as_one():
    halves = [Slot(local(24, 9), local(24, 9, 30)), Slot(local(24, 9, 30), local(24, 10))]
    assert plan({"water": halves}).start_at == local(24, 9)


def test_a_search_that_begins_at_an_odd_minute_begins_at_the_next_quarter():
    assert plan({"water": [ALL_DAY]}, not_before=local(24, 10, 7)).start_at == local(24, 10, 15)


quarters = st.integers(0, 60 * 4).map(lambda n: BEGIN + n * QUARTER)


@st.composite
def slot_lists(draw: st.DrawFn) -> list[Slot]:
    starts = draw(st.lists(quarters, max_size=4))
    return [Slot(start, start + draw(st.integers(1, 20)) * QUARTER) for start in starts]


def is_free(spans: list[Slot], start: dt.datetime) -> bool:
    """Every quarter of the hour lies in some span: independent of joining."""
    return all(
        any(span.start_at <= start + n * QUARTER and start + (n + 1) * QUARTER <= span.end_at for span in spans)
        for n in range(4)
    )


@given(st.dictionaries(st.sampled_from("abcde"), slot_lists(), max_size=5), slot_lists())
@settings(max_examples=150, deadline=None)
def test_no_other_time_would_have_been_better(slots, wishes):
    found = plan(slots, wishes)
    starts = [BEGIN + n * QUARTER for n in range(60 * 4) if BEGIN + n * QUARTER + HOUR <= END]
    free = {start: {p for p, spans in slots.items() if is_free(spans, start)} for start in starts}
    most = max((len(who) for who in free.values()), default=0)
    if most == 0:
        assert found is None
        return
    best = [start for start in starts if len(free[start]) == most]
    wished = [start for start in best if is_free(wishes, start)] if most == len(slots) else []
    assert found.start_at == min(wished or best)
    assert found.providers == free[found.start_at]
    assert found.absent == set(slots) - found.providers
