"""A team's day, against trying every order."""

from __future__ import annotations

import datetime as dt
import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from portal.cases.day_routes import Stop, order_day
from portal.cases.scheduling import travel_time
from tests.cases.days import local

BASE, LEAVES = (107.40, 40.75), local(24, 8)
HALF_HOUR = dt.timedelta(minutes=30)


def stop(code, east=0.0, *, from_at=LEAVES, until_at=LEAVES + dt.timedelta(hours=10)):
    return Stop(code, (107.40 + east, 40.75), from_at, until_at, HALF_HOUR)


def test_sites_along_a_road_are_visited_one_after_the_other():
    route = order_day([stop("far", 0.3), stop("near", 0.1), stop("middle", 0.2)], base=BASE, leaves_at=LEAVES)
    assert route.order == ("near", "middle", "far")
    assert route.late == ()


def test_an_appointment_comes_before_a_short_way():
    first = stop("far", 0.3, until_at=LEAVES + dt.timedelta(hours=1))
    route = order_day([stop("near", 0.1), first], base=BASE, leaves_at=LEAVES)
    assert route.order == ("far", "near")


def test_who_cannot_be_reached_in_time_is_named():
    gone = stop("gone", 0.1, until_at=LEAVES - HALF_HOUR)
    assert order_day([gone], base=BASE, leaves_at=LEAVES).late == ("gone",)
    assert order_day([], base=BASE, leaves_at=LEAVES).order == ()


@st.composite
def days(draw: st.DrawFn, max_size: int = 5) -> list[Stop]:
    stops = []
    for n in range(draw(st.integers(0, max_size))):
        from_at = LEAVES + dt.timedelta(minutes=15) * draw(st.integers(0, 20))
        until_at = from_at + dt.timedelta(minutes=15) * draw(st.integers(0, 16))
        place = (107.3 + draw(st.integers(0, 20)) / 100, 40.7 + draw(st.integers(0, 10)) / 100)
        stops.append(Stop(f"s{n}", place, from_at, until_at, HALF_HOUR))
    return stops


def follow(order):
    place, now, way, late = BASE, LEAVES, dt.timedelta(), 0
    for one in order:
        step = travel_time(place, one.place)
        begin = max(now + step, one.from_at)
        late += begin > one.until_at
        place, now, way = one.place, begin + one.duration, way + step
    return late, way, now


@given(days())
@settings(max_examples=100, deadline=None)
def test_no_other_order_is_better(stops):
    route = order_day(stops, base=BASE, leaves_at=LEAVES)
    by_code = {one.code: one for one in stops}
    assert follow([by_code[code] for code in route.order]) == min(map(follow, itertools.permutations(stops)))
    assert len(route.late) == follow([by_code[code] for code in route.order])[0]


@given(st.lists(st.integers(0, 40), min_size=10, max_size=14, unique=True))
@settings(max_examples=20, deadline=None)
def test_a_full_day_keeps_everybody_and_goes_no_longer_way_than_as_they_come(easts):
    stops = [stop(f"s{n}", east / 100, until_at=LEAVES + dt.timedelta(days=1)) for n, east in enumerate(easts)]
    route = order_day(stops, base=BASE, leaves_at=LEAVES)
    assert sorted(route.order) == sorted(one.code for one in stops)
    assert route.travel <= follow(stops)[1]
