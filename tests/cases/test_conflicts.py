"""Conflicts between providers' answers, against looking at every pair of points, days and orders."""

from __future__ import annotations

import datetime as dt
import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.cases.conflicts import (
    Answers,
    Rules,
    Spot,
    StatedCondition,
    TrenchLine,
    WorkWindow,
    find_conflicts,
)
from portal.catalog.ground import ConditionOrder, Contradiction, Cover, Exclusion, Spacing
from portal.catalog.reading import CITIES, load_catalog

LON, LAT = 107.40, 40.76
NORTH_M, EAST_M = 111_041.0, 84_413.0
TABLE = (
    Spacing(a="water", b="gas", beside_m=1.0, crossing_m=0.2, source="表一"),
    Spacing(a="water", b="network", beside_m=0.5, crossing_m=0.15, source="表一"),
    Spacing(a="gas", b="network", beside_m=1.5, crossing_m=0.3, source="表一"),
)
RULES = Rules(spacings=TABLE, accuracy_m=0.05)
GAS_LATER = Exclusion(a="gas", b="heating", why="动火")


def place(east, north=0.0):
    return LON + east / EAST_M, LAT + north / NORTH_M


def line(utility, *points, depth=1.5, diameter=0.0, provider=None):
    return TrenchLine(provider or f"{utility}-1", utility, tuple(place(*p) for p in points), depth, diameter)


def kinds(answers, rules=RULES):
    return [(c.kind, c.utilities) for c in find_conflicts(answers, rules)]


def test_lines_too_near_side_by_side_are_found_with_their_measure():
    answers = Answers(lines=(line("water", (0, 0), (100, 0), diameter=0.2), line("gas", (0, 0.9), (100, 0.9))))
    (found,) = find_conflicts(answers, RULES)
    assert (found.kind, found.utilities, found.providers) == ("beside", ("gas", "water"), ("gas-1", "water-1"))
    assert found.measured_m == pytest.approx(0.8, abs=0.01)
    assert (found.required_m, found.source) == (1.0, "表一")
    assert found.at is not None
    assert found.at[1] == pytest.approx(LAT, abs=1e-4)


def test_lines_far_enough_apart_or_of_one_utility_are_none():
    assert kinds(Answers(lines=(line("water", (0, 0), (100, 0)), line("gas", (0, 1), (100, 1))))) == []
    same = line("network", (0, 0), (100, 0)), line("network", (0, 0), (100, 0), provider="network-2")
    assert kinds(Answers(lines=same)) == []


def test_a_crossing_needs_room_between_the_pipes():
    over = line("gas", (50, -20), (50, 20), depth=1.0)
    for depth, diameter, found in ((1.5, 0.2, []), (1.3, 0.2, [("crossing", ("gas", "water"))])):
        under = line("water", (0, 0), (100, 0), depth=depth, diameter=diameter)
        assert kinds(Answers(lines=(over, under))) == found


def test_four_operators_in_one_duct_are_one_conflict():
    ducts = tuple(line("network", (0, 0.3), (90, 0.3), provider=f"network-{n}") for n in range(4))
    (found,) = find_conflicts(Answers(lines=(line("water", (0, 0), (100, 0)), *ducts)), RULES)
    assert found.providers == ("network-0", "network-1", "network-2", "network-3", "water-1")


def test_too_little_earth_above_a_line_is_found():
    rules = Rules(covers=(Cover(utility="water", least_m=1.2, source="冰冻线"),))
    found = find_conflicts(Answers(lines=(line("water", (0, 0), (9, 0), depth=1.3, diameter=0.3),)), rules)
    assert [(c.kind, c.measured_m, c.required_m) for c in found] == [("cover", 1.0, 1.2)]


def test_two_connections_in_one_place():
    a = Spot("gas-1", "gas", "接入点", place(0, 0))
    assert kinds(Answers(spots=(a, Spot("power-1", "power", "接入点", place(0.3, 0))))) == [("place", ("gas", "power"))]
    assert kinds(Answers(spots=(a, Spot("power-1", "power", "接入点", place(0.7, 0))))) == []
    rooms = Spot("gas-1", "gas", "表间", None, "一层 东侧"), Spot("power-1", "power", "表间", None, "一层东侧")
    assert kinds(Answers(spots=rooms)) == [("place", ("gas", "power"))]


def test_contradicting_conditions_of_two_providers():
    rules = Rules(contradictions=(Contradiction(a="separate_room", b="shared_room", why="不能同时满足"),))
    own = StatedCondition("power-1", "power", "separate_room")
    shared = StatedCondition("network-1", "network", "shared_room")
    assert kinds(Answers(conditions=(own, shared)), rules) == [("condition", ("network", "power"))]
    assert kinds(Answers(conditions=(own, StatedCondition("power-1", "power", "shared_room"))), rules) == []


def test_the_city_of_the_demo_has_a_standard_for_every_pair_of_different_utilities():
    catalog = load_catalog(CITIES / "150800")
    listed = {frozenset((row.a, row.b)) for row in catalog.spacings}
    assert listed == {
        frozenset(pair) for pair in itertools.combinations(("water", "power", "gas", "heating", "network"), 2)
    }
    assert all("GB 50289" in row.source for row in catalog.spacings)


# Against brute force: lines along a grid of streets, measured at many points.

UTILITIES = ("water", "gas", "network")
ACCURACY_M = 0.04  # no distance drawn below lies within a centimetre of a limit
EXACT = Rules(spacings=TABLE, accuracy_m=ACCURACY_M)


@st.composite
def street_lines(draw):
    found = []
    for n in range(draw(st.integers(0, 4))):
        aside = draw(st.integers(0, 40)) / 10
        begin, end = sorted(draw(st.tuples(st.integers(0, 20), st.integers(25, 60))))
        utility = draw(st.sampled_from(UTILITIES))
        is_east = draw(st.booleans())
        points = ((begin, aside), (end, aside)) if is_east else ((30 + aside, -begin - 5), (30 + aside, end))
        depth, diameter = draw(st.integers(8, 25)) / 10, draw(st.sampled_from((0.0, 0.1, 0.3)))
        found.append((line(utility, *points, depth=depth, diameter=diameter, provider=f"{utility}-{n}"), points))
    return found


def slowly(drawn):
    """Parallel or at right angles: the distance of two spans by hand, the crossing by the order of four numbers."""
    found = set()
    table = {frozenset((row.a, row.b)): row for row in TABLE}
    for (a, pa), (b, pb) in itertools.combinations(drawn, 2):
        row = table.get(frozenset((a.utility, b.utility))) if a.utility != b.utility else None
        if row is None:
            continue
        key = tuple(sorted((a.utility, b.utility)))
        lows = [tuple(min(p[axis], q[axis]) for axis in (0, 1)) for p, q in (pa, pb)]
        highs = [tuple(max(p[axis], q[axis]) for axis in (0, 1)) for p, q in (pa, pb)]
        gaps = [max(lows[0][x] - highs[1][x], lows[1][x] - highs[0][x], 0) for x in (0, 1)]
        apart = (gaps[0] ** 2 + gaps[1] ** 2) ** 0.5
        radii = (a.diameter_m + b.diameter_m) / 2
        is_parallel = (pa[0][0] == pa[1][0]) == (pb[0][0] == pb[1][0])
        if apart == 0 and not is_parallel:
            upper, lower = sorted((a, b), key=lambda one: (one.depth_m, one.depth_m - one.diameter_m))
            if lower.depth_m - lower.diameter_m - upper.depth_m < row.crossing_m - ACCURACY_M:
                found.add(("crossing", key))
        elif apart < row.beside_m + radii - ACCURACY_M:
            found.add(("beside", key))
    return found


@given(street_lines())
@settings(max_examples=200, deadline=None)
def test_no_pair_of_lines_is_missed_and_none_is_made_up(drawn):
    found = find_conflicts(Answers(lines=tuple(one for one, _ in drawn)), EXACT)
    assert {(c.kind, c.utilities) for c in found} == slowly(drawn)


@given(st.lists(st.tuples(st.sampled_from(("gas", "heating")), st.integers(1, 12), st.integers(0, 6)), max_size=4))
def test_works_that_exclude_each_other_are_found_by_looking_at_every_day(drawn):
    windows = tuple(
        WorkWindow(f"{u}-{n}", u, dt.date(2026, 11, start), dt.date(2026, 11, start) + dt.timedelta(days=days))
        for n, (u, start, days) in enumerate(drawn)
    )
    lines = tuple(line(w.utility, (0, n / 10), (50, n / 10), provider=w.provider) for n, w in enumerate(windows))
    days = [dt.date(2026, 11, 1) + dt.timedelta(days=n) for n in range(25)]
    both = any({"gas", "heating"} <= {w.utility for w in windows if w.start_on <= day <= w.end_on} for day in days)
    found = find_conflicts(Answers(lines=lines, windows=windows), Rules(exclusions=(GAS_LATER,)))
    assert bool(found) == both


def test_works_in_different_streets_do_not_exclude_each_other():
    on = dt.date(2026, 11, 25)
    windows = WorkWindow("gas-1", "gas", on, on), WorkWindow("heating-1", "heating", on, on)
    lines = line("gas", (0, 0), (50, 0)), line("heating", (0, 30), (50, 30))
    assert find_conflicts(Answers(lines=lines, windows=windows), Rules(exclusions=(GAS_LATER,))) == ()


ALL = ("water", "power", "gas", "heating", "network")
ORDERS = tuple(ConditionOrder(code=f"after_{u}", after=u) for u in ALL[:4])


@given(st.sets(st.tuples(st.sampled_from(ALL), st.sampled_from(ALL[:4])), max_size=7))
def test_orders_contradict_where_no_order_of_connection_fits(waits):
    stated = tuple(StatedCondition(f"{u}-1", u, f"after_{other}") for u, other in sorted(waits))
    is_possible = any(
        all(order.index(other) < order.index(u) for u, other in waits) for order in itertools.permutations(ALL)
    )
    found = find_conflicts(Answers(conditions=stated), Rules(orders=ORDERS))
    assert bool(found) == (not is_possible)
