"""One trench: its saving, who pays what, and what stands in the way."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.cases.dig_plans import coarse_line, near_works, plan_dig, protected_roads
from portal.cases.trenches import union_saving
from portal.catalog.ground import GroundRules, PlannedWorks, Road

LON, LAT = 107.40, 40.76
NORTH_M, EAST_M = 111_041.0, 84_413.0
RULES = GroundRules(trench_fen_per_m=48_000, new_road_years=5, overhauled_road_years=3)
ON = dt.date(2026, 12, 1)


def place(east, north=0.0):
    return LON + east / EAST_M, LAT + north / NORTH_M


def street(length, aside=0.0, start=0.0):
    return (place(start, aside), place(start + length, aside))


def test_two_lines_in_one_trench_halve_its_price():
    plan = plan_dig({"water": street(100), "power": street(100, 1)}, 48_000)
    assert plan is not None
    assert plan.saving.saved_m == pytest.approx(100, abs=0.2)
    assert plan.saved_fen == round(plan.saving.saved_m * 48_000)
    assert plan.price_fen + plan.saved_fen == 2 * 4_800_000
    assert [share.provider for share in plan.shares] == ["power", "water"]
    assert len({share.share_fen for share in plan.shares}) == 1


def test_lines_in_different_streets_save_nothing():
    plan = plan_dig({"water": street(100), "power": street(100, 50)}, 48_000)
    assert plan is not None
    assert (plan.saving.saved_m, plan.saved_fen) == (0.0, 0)
    assert plan_dig({}, 48_000) is None


@st.composite
def routes(draw):
    lines = draw(st.lists(st.tuples(st.integers(5, 400), st.integers(0, 60), st.integers(0, 200)), max_size=6))
    return {f"p{n}": street(length, aside / 10, start) for n, (length, aside, start) in enumerate(lines)}


@given(routes(), st.integers(0, 100_000))
def test_savings_are_the_single_trenches_less_their_union_in_metres_and_in_fen(drawn, fen_per_m):
    plan = plan_dig(drawn, fen_per_m)
    if not drawn:
        assert plan is None
        return
    assert plan is not None
    singles = [union_saving({p: route}).single_m for p, route in drawn.items()]
    assert abs(sum(singles) - plan.saving.single_m) <= 0.05 * len(singles) + 1e-9  # each is rounded to 0.1 m
    assert plan.saving.saved_m == round(plan.saving.single_m - plan.saving.union_m, 1)
    assert plan.saving.saved_m >= 0
    assert max(singles) <= plan.saving.union_m + 0.1
    assert plan.saved_fen == min(round(plan.saving.saved_m * 10) * fen_per_m // 10, plan.price_fen + plan.saved_fen)
    assert sum(share.share_fen for share in plan.shares) == plan.price_fen
    assert sum(share.saved_fen for share in plan.shares) == plan.saved_fen
    assert all(share.saved_fen >= 0 for share in plan.shares)


def road(**changed):
    about = {"code": "r", "name": "金川大道", "division": "150802", "built": "new", "finished_on": dt.date(2024, 10, 1)}
    return Road(**{**about, "line": street(500), **changed})


def test_a_new_road_is_protected_for_five_years_and_an_overhauled_one_for_three():
    (found,) = protected_roads([street(50, 3)], ON, [road()], RULES)
    assert found.until_on == dt.date(2029, 10, 1)
    assert protected_roads([street(50, 3)], dt.date(2029, 10, 1), [road()], RULES) == ()
    overhauled = road(built="overhauled", finished_on=dt.date(2024, 2, 29))
    (found,) = protected_roads([street(50)], ON, [overhauled], RULES)
    assert found.until_on == dt.date(2027, 2, 28)


def test_a_trench_beside_the_road_opens_nothing():
    assert protected_roads([street(50, 40)], ON, [road()], RULES) == ()
    assert protected_roads([], ON, [road()], RULES) == ()


def test_works_nearby_at_the_same_time_are_named_the_nearest_first():
    def works(code, aside, until_on):
        about = {"name": "雨污分流", "division": "150802", "owner": "住建局", "from_on": dt.date(2026, 11, 1)}
        return PlannedWorks(code=code, line=street(100, aside), until_on=until_on, **about)

    late, far = dt.date(2026, 12, 31), works("far", 500, dt.date(2026, 12, 31))
    planned = [works("second", 80, late), works("first", 20, late), far, works("over", 5, dt.date(2026, 11, 20))]
    found = near_works([street(50)], ON, dt.date(2026, 12, 20), planned, 200)
    assert [(one.code, round(one.distance_m)) for one in found] == [("first", 20), ("second", 80)]


@given(st.lists(st.tuples(st.floats(107, 108), st.floats(40, 41)), min_size=2, max_size=5))
def test_the_public_sees_a_stretch_not_the_line(route):
    seen = coarse_line(route)
    assert 1 <= len(seen) <= 2
    assert all(round(lon, 3) == lon and round(lat, 3) == lat for lon, lat in seen)
