"""The joint visit, against trying every quarter of an hour and every way to split it."""

from __future__ import annotations

import datetime as dt
import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from portal.cases.scheduling import (
    Booking,
    Calls,
    Crew,
    Slot,
    WeeklyHours,
    free_spans,
    standing_slots,
    travel_time,
)
from portal.cases.visit_plans import APART, Search, fewest_visits, propose_visits
from portal.kernel.clock import SHANGHAI
from tests.cases.days import local

HOUR = dt.timedelta(hours=1)
QUARTER = dt.timedelta(minutes=15)
BEGIN, END = local(24, 8), local(25, 18)
ALL_DAY = Slot(local(24, 9), local(24, 17))
SITE, FAR = (107.40, 40.75), (107.60, 40.75)  # about 17 km apart
CALLS = Calls(place=SITE)
SEARCH = Search(BEGIN, END)


def crews(**slots):
    return {name: [Crew(name, tuple(own))] for name, own in slots.items()}


def test_the_earliest_time_that_suits_everybody_comes_first():
    found = propose_visits(crews(water=[ALL_DAY], power=[Slot(local(24, 10, 30), local(24, 12))]), [], CALLS, SEARCH)
    assert [plan.visits[0].start_at for plan in found] == [local(24, 10, 30)]
    assert found[0].visits[0].providers == ("power", "water")


def test_three_proposals_are_a_choice():
    found = propose_visits(crews(water=[ALL_DAY], power=[ALL_DAY]), [], CALLS, SEARCH)
    assert [plan.visits[0].start_at for plan in found] == [local(24, 9), local(24, 11), local(24, 13)]


def test_a_wish_that_suits_everybody_wins_over_an_earlier_time():
    wish = [Slot(local(24, 14), local(24, 16))]
    found = propose_visits(crews(water=[ALL_DAY], power=[ALL_DAY]), wish, CALLS, SEARCH)
    assert [plan.visits[0].start_at for plan in found] == [local(24, 14), local(24, 9), local(24, 11)]
    assert [plan.is_wished for plan in found] == [True, False, False]
    assert "符合您希望的时间" in found[0].reason


def test_what_was_declined_and_what_is_near_it_does_not_come_again():
    search = Search(BEGIN, END, frozenset({local(24, 9), local(24, 11)}))
    found = propose_visits(crews(water=[ALL_DAY]), [], CALLS, search)
    assert [plan.visits[0].start_at for plan in found] == [local(24, 13), local(24, 15)]


def test_one_visit_is_made_by_one_crew():
    halves = [Crew("a", (Slot(local(24, 9), local(24, 9, 30)),)), Crew("b", (Slot(local(24, 9, 30), local(24, 10)),))]
    assert propose_visits({"water": halves}, [], CALLS, SEARCH) == ()
    one = Crew("a", halves[0].slots + halves[1].slots)
    assert propose_visits({"water": [one]}, [], CALLS, SEARCH)[0].visits[0].start_at == local(24, 9)


def test_only_a_crew_with_the_skill_comes():
    able = Crew("b", (Slot(local(24, 14), local(24, 16)),), skills=frozenset({"high_voltage"}))
    calls = Calls(place=SITE, skills={"power": frozenset({"high_voltage"})})
    found = propose_visits({"power": [Crew("a", (ALL_DAY,)), able]}, [], calls, SEARCH)
    assert found[0].visits[0].start_at == local(24, 14)


def test_the_way_from_another_site_is_kept_free():
    assert travel_time(SITE, FAR) == dt.timedelta(minutes=35)
    busy = Crew("a", (ALL_DAY,), bookings=(Booking(local(24, 10), local(24, 11), FAR),))
    assert free_spans(busy, CALLS) == [Slot(local(24, 11, 35), local(24, 17))]
    near = Crew("a", (ALL_DAY,), bookings=(Booking(local(24, 10), local(24, 11), SITE),))
    assert free_spans(near, CALLS) == [Slot(local(24, 9), local(24, 10)), Slot(local(24, 11), local(24, 17))]


def test_without_a_common_time_the_fewest_visits_reach_everybody_and_the_reason_says_so():
    morning, evening = Slot(local(25, 9), local(25, 10)), Slot(local(24, 16), local(24, 18))
    everybody = crews(water=[morning], power=[morning], gas=[evening], heating=[])
    assert propose_visits(everybody, [], CALLS, SEARCH) == ()
    plan = fewest_visits(everybody, [], CALLS, SEARCH)
    assert plan is not None
    assert [(v.start_at, v.providers) for v in plan.visits] == [
        (local(24, 16), ("gas",)),
        (local(25, 9), ("power", "water")),
    ]
    assert plan.absent == ("heating",)
    assert "最少需要上门 2 次" in plan.reason
    assert "另有 1 家" in plan.reason


def test_nobody_free_means_no_visit():
    assert fewest_visits(crews(water=[Slot(local(24, 9), local(24, 9, 45))]), [], CALLS, SEARCH) is None
    assert propose_visits({}, [], CALLS, SEARCH) == ()
    late = Search(local(24, 16, 30), local(24, 18))
    assert propose_visits(crews(water=[ALL_DAY]), [], CALLS, late) == ()


def test_standing_hours_become_slots_on_working_days_only():
    week = [WeeklyHours(1, dt.time(9), dt.time(12)), WeeklyHours(1, dt.time(14), dt.time(17))]
    days = [dt.date(2026, 11, 24), dt.date(2026, 11, 25)]  # a Tuesday and a Wednesday
    slots = standing_slots(week, days, SHANGHAI, not_before=local(24, 10))
    assert slots == (Slot(local(24, 10), local(24, 12)), Slot(local(24, 14), local(24, 17)))


quarters = st.integers(0, 4 * 33).map(lambda n: BEGIN + n * QUARTER)


@st.composite
def slot_lists(draw: st.DrawFn) -> list[Slot]:
    starts = draw(st.lists(quarters, max_size=3))
    return [Slot(start, start + draw(st.integers(1, 24)) * QUARTER) for start in starts]


providers = st.dictionaries(st.sampled_from("abcd"), slot_lists(), max_size=4)
searches = st.builds(Search, st.just(BEGIN), st.sampled_from([END, local(24, 17)]), st.frozensets(quarters, max_size=2))
GRID = [BEGIN + n * QUARTER for n in range(4 * 34)]


def suits(spans, start):
    """Every quarter of the hour lies in some span: independent of joining."""
    return all(
        any(s.start_at <= start + n * QUARTER and start + (n + 1) * QUARTER <= s.end_at for s in spans)
        for n in range(4)
    )


def possible(search):
    return [
        at
        for at in GRID
        if at + HOUR <= search.not_after and all(abs(at - declined) >= APART for declined in search.declined)
    ]


@given(providers, slot_lists(), searches)
@settings(max_examples=200, deadline=None)
def test_no_better_joint_visit_could_have_been_proposed(slots, wishes, search):
    found = propose_visits({name: [Crew(name, tuple(own))] for name, own in slots.items()}, wishes, CALLS, search)
    fit = [at for at in possible(search) if slots and all(suits(own, at) for own in slots.values())]
    slow: list[tuple[bool, dt.datetime]] = []
    for rank in sorted((not suits(wishes, at), at) for at in fit):
        if all(abs(rank[1] - other) >= APART for _, other in slow):
            slow.append(rank)
    assert [(not plan.is_wished, plan.visits[0].start_at) for plan in found] == slow[:3]
    assert all(plan.visits[0].providers == tuple(sorted(slots)) for plan in found)


@given(providers, slot_lists(), searches)
@settings(max_examples=120, deadline=None)
def test_no_fewer_visits_could_reach_everybody(slots, wishes, search):
    plan = fewest_visits({name: [Crew(name, tuple(own))] for name, own in slots.items()}, wishes, CALLS, search)
    free = {at: frozenset(p for p, own in slots.items() if suits(own, at)) for at in possible(search)}
    sets = {coming: at for at, coming in reversed(free.items()) if coming}
    everybody = frozenset().union(*sets) if sets else frozenset()
    if not everybody:
        assert plan is None
        return
    assert plan is not None
    fewest = next(
        n
        for n in range(1, len(everybody) + 1)
        if any(frozenset().union(*some) == everybody for some in itertools.combinations(sets, n))
    )
    assert len(plan.visits) == fewest
    told = [provider for visit in plan.visits for provider in visit.providers]
    assert sorted(told) == sorted(everybody)
    assert set(plan.absent) == set(slots) - everybody
    assert all(suits(slots[p], visit.start_at) for visit in plan.visits for p in visit.providers)
