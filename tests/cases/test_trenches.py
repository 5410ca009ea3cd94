"""One trench instead of many: what the union saves."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.cases.trenches import union_saving

# Linhe: one degree of latitude is 111 041 m here, one of longitude 84 413 m (ellipsoid, computed by hand).
LON, LAT = 107.40, 40.76
NORTH_M, EAST_M = 111_041.0, 84_413.0


def east(metres: float, north: float = 0.0) -> tuple[float, float]:
    """The position `metres` east and `north` metres north of a point in Linhe."""
    return LON + metres / EAST_M, LAT + north / NORTH_M


def straight(length: float, north: float = 0.0) -> list[tuple[float, float]]:
    return [east(0, north), east(length, north)]


def test_one_route_saves_nothing():
    saving = union_saving({"water": straight(300)})
    assert saving.single_m == pytest.approx(300, abs=0.3)
    assert (saving.union_m, saving.saved_m) == (saving.single_m, 0)


def test_no_route_is_no_trench():
    assert union_saving({}).saved_m == 0


def test_metres_hold_in_both_directions():
    north = union_saving({"water": [east(0), east(0, 1000)]})
    assert north.single_m == pytest.approx(1000, abs=1)


@pytest.mark.parametrize("count", [2, 3, 5])
def test_identical_routes_are_dug_once(count):
    saving = union_saving({f"p{i}": straight(250) for i in range(count)})
    assert saving.saved_m == pytest.approx((count - 1) * 250, abs=0.5)


def test_a_route_beside_the_trench_joins_it_and_one_across_the_road_does_not():
    assert union_saving({"a": straight(200), "b": straight(200, north=1.5)}).saved_m == pytest.approx(200, abs=1)
    assert union_saving({"a": straight(200), "b": straight(200, north=8)}).saved_m == 0


def test_only_the_shared_part_is_saved():
    saving = union_saving({"a": straight(300), "b": [east(0), east(120), east(120, 80)]})
    assert saving.saved_m == pytest.approx(122, abs=1)  # up to where the corridor's edge is left


def test_crossing_is_not_sharing():
    saving = union_saving({"a": straight(200), "b": [east(100, -50), east(100, 50)]})
    assert saving.saved_m == 0


@pytest.mark.parametrize("routes", [{"a": [east(0)]}, {"a": []}])
def test_a_route_without_length_is_refused(routes):
    with pytest.raises(ValueError, match="two positions"):
        union_saving(routes)


def test_a_corridor_has_a_width():
    with pytest.raises(ValueError, match="corridor"):
        union_saving({"a": straight(10)}, corridor_m=0)


points = st.tuples(st.floats(-400, 400), st.floats(-400, 400)).map(lambda p: east(*p))
route_sets = st.dictionaries(st.sampled_from("abcde"), st.lists(points, min_size=2, max_size=5), max_size=4)


@given(route_sets, st.floats(0.5, 5))
def test_the_saving_is_the_difference_and_never_negative(routes, corridor):
    saving = union_saving(routes, corridor)
    assert saving.saved_m >= 0
    assert saving.union_m >= 0
    assert math.isclose(saving.saved_m, saving.single_m - saving.union_m, abs_tol=0.051)


@given(route_sets)
def test_the_order_of_the_providers_does_not_matter(routes):
    renamed = {f"x{name}": routes[name] for name in sorted(routes, reverse=True)}
    assert union_saving(renamed) == union_saving(routes)
