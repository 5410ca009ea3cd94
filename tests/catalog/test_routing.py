"""Who serves a site: every division and utility, every sample, and the ways an address can say where it is."""

from __future__ import annotations

import pytest

from portal.catalog.routing import place, route
from tests.catalog.city import CATALOG, OPERATORS, SAMPLES, UTILITIES

DIVISIONS = {
    "150802": "linhe",
    "150821": "wuyuan",
    "150822": "dengkou",
    "150823": "qianqi",
    "150824": "zhongqi",
    "150825": "houqi",
    "150826": "hanghou",
}
SEATS = {
    "150802": ("150802005", (107.40, 40.75)),
    "150821": ("150821100", (108.27, 41.09)),
    "150822": ("150822100", (107.01, 40.33)),
    "150823": ("150823100", (108.65, 40.74)),
    "150824": ("150824100", (108.52, 41.57)),
    "150825": ("150825100", (107.07, 41.08)),
    "150826": ("150826100", (107.15, 40.89)),
}
COUNTRYSIDE = {
    "150802": ("150802106", (107.30, 41.10)),
    "150821": ("150821106", (108.04, 41.01)),
    "150822": ("150822103", (106.80, 40.45)),
    "150823": ("150823107", (109.60, 41.05)),
    "150824": ("150824104", (107.59, 42.26)),
    "150825": ("150825102", (106.50, 41.50)),
    "150826": ("150826500", (106.75, 40.80)),
}


def served_by(utility: str, division: str, street: str, point: tuple[float, float]) -> list[str]:
    routed = route(CATALOG, utility, division, street, "某处", OPERATORS, location=point)
    return [provider.code for provider in routed.providers]


@pytest.mark.parametrize("division", DIVISIONS)
def test_in_town_all_five_are_served(division: str):
    name = DIVISIONS[division]
    street, point = SEATS[division]
    assert served_by("water", division, street, point) == [f"water-{name}"]
    assert served_by("power", division, street, point) == ["power-bayannur"]
    assert served_by("gas", division, street, point) == [f"gas-{name}"]
    assert served_by("heating", division, street, point) == [f"heat-{name}"]
    assert served_by("network", division, street, point) == [f"network-{operator}" for operator in OPERATORS]


@pytest.mark.parametrize("division", DIVISIONS)
def test_in_the_country_pipe_gas_and_central_heat_are_told_before_filing(division: str):
    street, point = COUNTRYSIDE[division]
    for utility in ("water", "power", "network"):
        assert served_by(utility, division, street, point)
    for utility in ("gas", "heating"):
        routed = route(CATALOG, utility, division, street, "某村", location=point)
        assert routed.providers == ()
        assert routed.not_served is not None
        assert routed.not_served.utility == utility
        assert routed.not_served.nearest_m is not None
        assert routed.not_served.nearest_m > 5000
        assert routed.not_served.alternative


@pytest.mark.parametrize(
    ("sample", "served", "not_served"),
    [
        ("01", {"power": 1, "water": 1, "gas": 1, "heating": 1, "network": 2}, []),
        ("02", {"power": 1, "water": 1, "gas": 1, "heating": 1, "network": 1}, []),
        ("03", {"power": 1, "water": 1, "network": 1}, []),
        ("04", {"power": 1, "water": 1, "gas": 1, "heating": 1, "network": 3}, []),
        ("05", {"power": 1, "water": 1, "gas": 1, "heating": 1, "network": 4}, []),
        ("06", {"power": 1, "water": 1, "network": 1}, []),
        ("07", {"power": 1, "water": 1, "heating": 1}, []),
        ("08", {"power": 1, "water": 1, "network": 1}, ["gas"]),
    ],
)
def test_samples(sample: str, served: dict[str, int], not_served: list[str]):
    body = SAMPLES[sample]
    site = body["site"]
    found, missing = {}, []
    for utility, section in body["utilities"].items():
        routed = route(
            CATALOG,
            utility,
            site["division"],
            site.get("street"),
            site["address"],
            tuple(section.get("operators", ())),
            location=(site["location"]["lon"], site["location"]["lat"]),
        )
        if routed.not_served:
            missing.append(utility)
        else:
            found[utility] = len(routed.providers)
    assert (found, missing) == (served, not_served)


def test_what_is_told_where_gas_does_not_reach():
    site = SAMPLES["08"]["site"]
    routed = route(CATALOG, "gas", site["division"], None, site["address"], location=(108.0412, 41.0127))
    assert routed.not_served is not None
    assert routed.not_served.planned_year == 2029
    assert "液化石油气" in routed.not_served.alternative
    assert 15_000 < (routed.not_served.nearest_m or 0) < 18_000


@pytest.mark.parametrize(
    ("division", "street", "address", "point", "is_served"),
    [
        ("150802", None, "经济技术开发区纬三路", (107.60, 41.20), True),  # the name of a park says more than the point
        ("150802", "150802102", "经济技术开发区纬三路", None, True),  # … and more than the town it lies in
        ("150802", "150802102", "干召庙镇民主村", (107.40, 40.75), False),  # the street said more than the point
        ("150802", None, "干召庙镇民主村", (107.40, 40.75), False),  # as does a town the address names
        ("150802", None, "胜利北路18号", (107.40, 40.75), True),  # nothing named: the point
        ("150802", None, "某路18号", (107.60, 41.20), False),
        ("150802", None, "某路18号", None, True),  # nothing known at all: the survey will tell
        ("150802", None, "新华镇新乐村", None, False),  # 新华镇 is not 新华街道
        ("150802", None, "新华街道新华西街", None, True),
        ("150821", None, "五原县隆兴昌镇荣丰办事处一社", None, True),  # the longer name at the same place
    ],
)
def test_how_a_site_says_where_it_is(
    division: str, street: str | None, address: str, point: tuple[float, float] | None, is_served: bool
):
    routed = route(CATALOG, "gas", division, street, address, location=point)
    assert bool(routed.providers) is is_served
    assert (routed.not_served is None) is is_served


def test_only_chosen_operators_are_routed():
    assert [p.operator for p in route(CATALOG, "network", "150824", None, "x", ("unicom",)).providers] == ["unicom"]
    assert route(CATALOG, "network", "150824", None, "x", ()).providers == ()


def test_a_division_of_another_city_is_judged_by_the_point():
    inside = route(CATALOG, "water", "110000", None, "某处", location=(107.40, 40.75))
    assert [provider.code for provider in inside.providers] == ["water-linhe"]
    assert route(CATALOG, "water", "110000", None, "某处").providers == ()
    assert route(CATALOG, "water", "110000", None, "某处", location=(116.4, 39.9)).providers == ()


@pytest.mark.parametrize("sample", sorted(SAMPLES))
def test_samples_lie_where_they_say(sample: str):
    site = SAMPLES[sample]["site"]
    placed = place(CATALOG, site["location"]["lon"], site["location"]["lat"], site["division"])
    assert placed.inside_city
    assert placed.agrees_with_division


@pytest.mark.parametrize("division", DIVISIONS)
def test_each_town_lies_in_its_division_and_in_no_far_one(division: str):
    lon, lat = SEATS[division][1]
    agreeing = [code for code in DIVISIONS if place(CATALOG, lon, lat, code).agrees_with_division]
    assert division in agreeing
    assert len(agreeing) <= 2


@pytest.mark.parametrize(
    ("name", "lon", "lat"),
    [("Beijing", 116.4, 39.9), ("Baotou", 109.84, 40.65), ("Wuhai", 106.80, 39.67), ("Ordos", 109.78, 39.61)],
)
def test_other_cities_are_outside(name: str, lon: float, lat: float):
    assert not place(CATALOG, lon, lat, "150802").inside_city, name


def test_every_utility_is_provided_everywhere():
    for utility in UTILITIES:
        assert {d for p in CATALOG.providers if p.utility == utility for d in p.divisions} == set(DIVISIONS)
