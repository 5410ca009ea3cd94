"""Which papers a situation calls for: the samples, the edges of the rules, and what every rule tells."""

from __future__ import annotations

from typing import Any

import pytest

from portal.cases.application import check_application
from portal.catalog.materials import MaterialRule, materials_for
from tests.catalog.city import CATALOG, ON, SAMPLES

NEW = {"kind": "new", "applicant_kind": "enterprise", "has_agent": False, "utilities": frozenset({"power"})}


def papers(facts: dict[str, Any], class_: str) -> set[str]:
    return {rule.paper for rule in materials_for(CATALOG, facts) if rule.class_ == class_}


def rule_of(facts: dict[str, Any], paper: str) -> MaterialRule:
    return next(rule for rule in materials_for(CATALOG, facts) if rule.paper == paper)


@pytest.mark.parametrize(
    ("kind", "accepted"),
    [
        ("enterprise", {"business_licence"}),
        ("institution", {"business_licence"}),
        ("sole_trader", {"business_licence", "id_card"}),
        ("person", {"id_card"}),
    ],
)
def test_who_you_are(kind: str, accepted: set[str]):
    rule = rule_of({**NEW, "applicant_kind": kind}, "identity")
    assert (set(rule.kinds), rule.class_) == (accepted, "main")


@pytest.mark.parametrize(("kind", "class_"), [("new", "main"), ("transfer", "main"), ("close", "waived")])
def test_the_right_to_the_site(kind: str, class_: str):
    rule = rule_of({**NEW, "kind": kind}, "right_to_site")
    assert (rule.kinds, rule.class_) == (("property_right", "lease"), class_)


def test_an_agent_needs_a_letter_and_nobody_else():
    assert rule_of({**NEW, "has_agent": True}, "authorisation").class_ == "main"
    assert rule_of(NEW, "authorisation").class_ == "waived"


@pytest.mark.parametrize(
    "facts",
    [
        {**NEW, "kind": "transfer"},
        {**NEW, "kind": "increase", "combined_with": frozenset({"transfer"})},
        {**NEW, "kind": "change_class", "kinds": {"power": "change_class", "water": "transfer"}},
    ],
)
def test_a_transfer_needs_the_old_holders_consent_and_settled_bills(facts: dict[str, Any]):
    assert rule_of(facts, "owner_consent").class_ == "main"
    assert (rule_of(facts, "settlement").class_, rule_of(facts, "settlement").due_stage) == ("owed", "connection")


def test_a_tenant_owes_the_owners_consent_and_an_owner_does_not():
    assert rule_of({**NEW, "given": frozenset({"lease"})}, "owner_consent").class_ == "owed"
    assert rule_of({**NEW, "given": frozenset({"property_right"})}, "owner_consent").class_ == "waived"
    assert rule_of(NEW, "settlement").class_ == "waived"


@pytest.mark.parametrize(
    ("facts", "owed"),
    [
        ({}, set()),
        ({"investment_wan": 99, "floor_area_m2": 300}, set()),
        ({"investment_wan": 100}, {"red_line_map", "site_plan", "construction_permit"}),
        ({"floor_area_m2": 301}, {"red_line_map", "site_plan", "construction_permit"}),
        ({"power_voltage": "10kV"}, {"load_calculation"}),
        ({"power_voltage": "380V", "power_kva": 201}, {"load_calculation"}),
        ({"power_voltage": "380V", "power_kva": 200}, set()),
        ({"power_kva": 1000}, {"load_calculation", "equipment_list"}),
        ({"power_kva": 1000, "households": 1200}, {"load_calculation"}),
        ({"water_dn": 80}, {"hydraulic_calculation"}),
        ({"water_dn": 50}, set()),
        ({"kind": "relocate", "investment_wan": 9000, "power_voltage": "10kV", "water_dn": 200}, set()),
    ],
)
def test_what_is_owed(facts: dict[str, Any], owed: set[str]):
    assert papers({**NEW, **facts}, "owed") == owed


def test_heating_drawings_are_for_heating_of_large_buildings():
    heating = {**NEW, "utilities": frozenset({"power", "heating"}), "floor_area_m2": 3000}
    assert "heating_drawings" in papers(heating, "owed")
    assert "heating_drawings" in papers({**heating, "floor_area_m2": 2999}, "waived")
    assert "heating_drawings" in papers({**heating, "utilities": frozenset({"power"})}, "waived")


def test_permits_are_owed_until_works_and_drawings_until_review():
    large = {**NEW, "investment_wan": 20_000, "power_voltage": "10kV", "power_kva": 2000, "water_dn": 200}
    due = {rule.paper: rule.due_stage for rule in materials_for(CATALOG, large) if rule.class_ == "owed"}
    assert {paper for paper, stage in due.items() if stage == "works"} == {"planning_permit", "construction_permit"}
    assert {stage for paper, stage in due.items() if not paper.endswith("permit")} == {"review"}


def test_one_rule_a_paper_and_each_says_why_for_whom_and_what_without():
    for facts in (NEW, {**NEW, "kind": "transfer"}, {}):
        rules = materials_for(CATALOG, facts)
        assert len({rule.paper for rule in rules}) == len(rules) == 13
    for rule in CATALOG.materials:
        assert all((rule.title, rule.why, rule.for_whom, rule.without_it))
        assert all(kind in CATALOG.material_names for kind in rule.kinds)


@pytest.mark.parametrize(
    ("sample", "missing"),
    [
        ("01", {"建筑工程施工许可证"}),
        ("02", {"产权人同意书"}),
        ("03", {"建筑工程施工许可证"}),
        ("04", set()),
        ("05", set()),
        ("06", {"建设工程规划许可证", "建筑工程施工许可证", "主要设备清单"}),
        ("07", set()),
        ("08", {"营业执照或者经营者身份证件"}),
    ],
)
def test_samples_file_with_what_they_have(sample: str, missing: set[str]):
    checked = check_application(SAMPLES[sample], catalog=CATALOG, on=ON)
    assert checked.errors == ()
    assert {owed.title for owed in checked.owed} == missing
