"""Service levels as a table: facts in, level and stages out; and what must hold for all of them."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from portal.catalog.levels import service_level
from tests.catalog.city import CATALOG, SAMPLES, UTILITIES, level_facts

FULL = ("survey", "reply", "review", "works", "acceptance", "connection")
NO_REVIEW = ("survey", "reply", "works", "acceptance", "connection")
NO_LINE = ("reply", "connection")
OTHER_KINDS = ("reduce", "alter", "relocate", "transfer", "change_class", "suspend", "close")
KVA = {"added_kva": 100, "voltage": "380V", "sources": "single"}
HV = {"added_kva": 2000, "voltage": "10kV", "sources": "single"}

POWER: list[tuple[dict[str, Any], str]] = [
    ({**KVA, "outside_line_m": 0}, "power-lv-zero-no-line"),
    ({**KVA, "outside_line_m": 1}, "power-lv-zero"),
    ({**KVA, "outside_line_m": None}, "power-lv-zero"),
    ({**KVA}, "power-lv-zero"),
    ({**KVA, "added_kva": 200, "outside_line_m": 0}, "power-lv-zero-no-line"),
    ({**KVA, "added_kva": 200.5, "outside_line_m": 0}, "power-lv-no-line"),
    ({**KVA, "existing_kva": 101, "outside_line_m": 0}, "power-lv-no-line"),
    ({**KVA, "existing_kva": 100, "outside_line_m": 0, "kind": "increase"}, "power-lv-zero-no-line"),
    ({**KVA, "added_kva": 250, "outside_line_m": 30}, "power-lv"),
    ({"added_kw": 38}, "power-lv-zero"),
    ({"added_kw": 38, "outside_line_m": 0}, "power-lv-zero-no-line"),
    ({"added_kw": 315}, "power-hv-single"),
    ({}, "power-lv-unsized"),
    ({"voltage": "380V", "outside_line_m": 0}, "power-lv-unsized"),
    ({**HV}, "power-hv-single"),
    ({**HV, "added_kva": 160}, "power-hv-single"),
    ({**HV, "outside_line_m": 0}, "power-hv-single"),
    ({**HV, "voltage": "110kV"}, "power-hv-single"),
    ({**HV, "sources": "dual"}, "power-hv-multi"),
    ({**HV, "sources": "multi"}, "power-hv-multi"),
    ({**HV, "sources": "dual", "kind": "temporary"}, "power-hv-multi"),
    ({**HV, "kind": "temporary"}, "power-temporary-hv"),
    ({"temporary_kva": 500, "kind": "temporary"}, "power-temporary-hv"),
    ({"temporary_kva": 80, "kind": "temporary"}, "power-temporary-lv"),
    ({"temporary_kva": 80, "kind": "temporary", "outside_line_m": 0}, "power-temporary-lv-no-line"),
    *[({**HV, "kind": kind}, "power-service") for kind in OTHER_KINDS],
]
OTHERS: list[tuple[str, dict[str, Any], str, tuple[str, ...]]] = [
    ("water", {"pipe_dn_mm": 25, "outside_line_m": 0}, "water-no-line", NO_LINE),
    ("water", {"pipe_dn_mm": 50, "outside_line_m": 12}, "water-line", NO_REVIEW),
    ("water", {"pipe_dn_mm": 80, "outside_line_m": 0}, "water-large", FULL),
    ("water", {"pipe_dn_mm": 25, "meters": 10, "outside_line_m": 0}, "water-estate", FULL),
    ("water", {}, "water-line", NO_REVIEW),
    (
        "gas",
        {"use": "commercial", "peak_m3_h": 12, "outside_line_m": 0},
        "gas-no-line",
        ("reply", "acceptance", "connection"),
    ),
    ("gas", {"use": "commercial", "peak_m3_h": 12, "outside_line_m": 5}, "gas-line", FULL),
    ("gas", {"use": "commercial", "peak_m3_h": 50, "outside_line_m": 0}, "gas-large", FULL),
    ("gas", {"use": "industrial", "peak_m3_h": 5, "outside_line_m": 0}, "gas-industrial", FULL),
    ("gas", {"use": "residential", "households": 10, "outside_line_m": 0}, "gas-estate", FULL),
    ("gas", {"kind": "transfer"}, "gas-service", ("reply", "acceptance", "connection")),
    ("heating", {"heated_area_m2": 180, "outside_line_m": 0, "exchange_station": "none"}, "heating-no-line", NO_LINE),
    ("heating", {"heated_area_m2": 180, "outside_line_m": 9}, "heating-line", NO_REVIEW),
    ("heating", {"heated_area_m2": 5000, "outside_line_m": 0}, "heating-large", FULL),
    ("heating", {"heated_area_m2": 400, "exchange_station": "own"}, "heating-station", FULL),
    ("heating", {"heated_area_m2": 400, "exchange_station": "shared"}, "heating-station", FULL),
    ("network", {"service": "broadband", "outside_line_m": 0}, "network-no-line", NO_LINE),
    (
        "network",
        {"service": "broadband", "outside_line_m": 60},
        "network-line",
        ("survey", "reply", "works", "connection"),
    ),
    ("network", {"service": "leased_line", "outside_line_m": 60}, "network-leased-line", NO_REVIEW),
    ("network", {"service": "fibre_to_building", "outside_line_m": 0}, "network-building", NO_REVIEW),
    ("network", {"service": "fibre_to_building", "households": 1200}, "network-estate", FULL),
]


@pytest.mark.parametrize(("facts", "code"), POWER)
def test_power(facts: dict[str, Any], code: str):
    assert service_level(CATALOG, "power", {"kind": "new", **facts}).code == code


@pytest.mark.parametrize(("utility", "facts", "code", "stages"), OTHERS)
def test_the_other_utilities(utility: str, facts: dict[str, Any], code: str, stages: tuple[str, ...]):
    level = service_level(CATALOG, utility, {"kind": "new", **facts})
    assert (level.code, level.stages) == (code, stages)


@pytest.mark.parametrize(("utility", "kind"), list(itertools.product(UTILITIES, OTHER_KINDS)))
def test_what_needs_no_new_supply_is_short(utility: str, kind: str):
    stages = service_level(CATALOG, utility, {"kind": kind, "outside_line_m": 900}).stages
    assert stages == (("reply", "acceptance", "connection") if utility == "gas" else NO_LINE)


@pytest.mark.parametrize(
    ("code", "cap", "average", "best"),
    [
        ("power-lv", 1, None, None),
        ("power-lv-no-line", 1, None, None),
        ("power-hv-single", 8, 25, 17),
        ("power-temporary-hv", 8, None, None),
        ("power-hv-multi", 11, None, None),
        ("power-lv-zero", None, 4, None),
        ("power-lv-zero-no-line", None, 2, None),
    ],
)
def test_the_policys_own_numbers(code: str, cap: int | None, average: float | None, best: float | None):
    level = CATALOG.level("power", code)
    assert (level.cap_days, level.average_days, level.best_days) == (cap, average, best)
    assert level.source == "policy"
    assert cap is None or level.own_days == cap


def test_zero_investment_is_low_voltage_up_to_200_and_nothing_else():
    assert {level.code for level in CATALOG.levels if level.zero_investment} == {
        "power-lv-zero",
        "power-lv-zero-no-line",
    }


def test_stages_that_rest_on_no_outside_line_are_checked():
    for level in CATALOG.levels:
        rests = any(condition.fact == "has_line" and condition.equals is False for condition in level.when)
        assert level.needs_line_check == rests, level.code
        assert not (rests and {"survey", "works"} & set(level.stages)), level.code


def test_gas_is_always_accepted_and_every_cap_holds():
    for level in CATALOG.levels:
        assert level.utility != "gas" or "acceptance" in level.stages
        assert level.cap_days is None or level.own_days <= level.cap_days
        assert level.basis
        assert level.source


def test_a_corrected_line_brings_the_stages_back():
    facts = level_facts("02", "power")
    assert service_level(CATALOG, "power", facts).stages == NO_LINE
    assert service_level(CATALOG, "power", {**facts, "outside_line_m": 35.0}).stages == (
        "survey",
        "reply",
        "works",
        "connection",
    )


@pytest.mark.parametrize("sample", ["01", "04", "05"])
def test_large_samples_take_all_stages(sample: str):
    for utility in set(SAMPLES[sample]["utilities"]) - {"network"}:
        assert service_level(CATALOG, utility, level_facts(sample, utility)).stages == FULL


def test_the_street_restaurant_has_no_survey_review_or_works():
    stages = {u: service_level(CATALOG, u, level_facts("02", u)).stages for u in SAMPLES["02"]["utilities"]}
    assert stages.pop("gas") == ("reply", "acceptance", "connection")
    assert set(stages.values()) == {NO_LINE}
    assert service_level(CATALOG, "power", level_facts("02", "power")).zero_investment


@pytest.mark.parametrize("sample", sorted(SAMPLES))
def test_every_utility_of_every_sample_has_a_level(sample: str):
    for utility in SAMPLES[sample]["utilities"]:
        level = service_level(CATALOG, utility, level_facts(sample, utility))
        assert CATALOG.level(utility, level.code) is level


def test_an_unknown_utility_has_none():
    with pytest.raises(LookupError, match="steam"):
        service_level(CATALOG, "steam", {"kind": "new"})
