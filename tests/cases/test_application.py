"""One application, all its mistakes at once: every rule with a document that breaks only it."""

from __future__ import annotations

import copy
import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest

import portal.catalog
from portal.cases.application import Checked, check_application
from portal.catalog.reading import load_catalog

SAMPLES = Path(__file__).parents[1] / "samples"
CATALOG = load_catalog(Path(portal.catalog.__file__).parent / "cities" / "150800")
ON = dt.date(2026, 11, 23)
BODIES = {path.stem[:2]: json.loads(path.read_text("utf-8")) for path in (SAMPLES / "applications").glob("*.json")}
INVALID = json.loads((SAMPLES / "applications-invalid.json").read_text("utf-8"))
NEVER = object()


def check(body: object, **options: Any) -> Checked:
    return check_application(body, catalog=CATALOG, on=ON, **options)


def changed(name: str, *changes: tuple[str, Any]) -> dict[str, Any]:
    """A sample with values put at dotted paths (NEVER removes)."""
    body = copy.deepcopy(BODIES[name])
    for path, value in changes:
        *way, last = path.split(".")
        holder: Any = body
        for key in way:
            holder = holder[int(key)] if isinstance(holder, list) else holder.setdefault(key, {})
        if value is NEVER:
            del holder[last]
        elif isinstance(holder, list):
            holder[int(last)] = value
        else:
            holder[last] = value
    return body


def without_material(name: str, *kinds: str) -> dict[str, Any]:
    body = copy.deepcopy(BODIES[name])
    body["materials"] = [material for material in body["materials"] if material["kind"] not in kinds]
    return body


def fields(checked: Checked) -> set[str]:
    return {error.field for error in checked.errors}


def noted(checked: Checked) -> set[str]:
    return {note.code for note in checked.notes}


@pytest.mark.parametrize("name", sorted(BODIES))
def test_samples_are_taken(name: str):
    checked = check(BODIES[name])
    assert checked.errors == ()
    assert checked.application is not None
    if name != "08":  # 08 gets the load class filled in
        assert checked.document == BODIES[name]


@pytest.mark.parametrize("case", INVALID, ids=[case["name"] for case in INVALID])
def test_each_known_mistake_is_named(case: dict[str, Any]):
    checked = check(case["application"])
    assert case["must_name"] in fields(checked)
    assert checked.application is None
    assert all("\u4e00" <= error.message[0] <= "\u9fff" for error in checked.errors)


BROKEN = [
    ("01", [("applicant.uscc", NEVER)], "applicant.uscc"),
    ("01", [("applicant.uscc", "123")], "applicant.uscc"),
    ("01", [("applicant.kind", "person")], "applicant.id_no"),
    ("01", [("applicant.contact.id_no", "15282119791105204x0")], "applicant.contact.id_no"),
    ("01", [("applicant.contact.id_no", "152821197911052041")], "applicant.contact.id_no"),
    ("01", [("applicant.contact.mobile", "12345")], "applicant.contact.mobile"),
    ("01", [("site.contact", {"name": "x", "id_no": "1"})], "site.contact.id_no"),
    ("07", [("previous_holder", NEVER)], "previous_holder"),
    ("07", [("previous_holder.uscc", "91150802MA0H5K6L48")], "previous_holder.uscc"),
    ("07", [("utilities.water.account_no", NEVER)], "utilities.water.account_no"),
    ("07", [("utilities.power.account_no", NEVER)], "utilities.power.account_no"),
    ("02", [("utilities.power.kind", "increase")], "utilities.power.account_no"),
    ("01", [("utilities.power.load_class", NEVER)], "utilities.power.load_class"),
    ("01", [("utilities.power.added_kva", NEVER)], "utilities.power.added_kva"),
    ("06", [("utilities.power.voltage", NEVER)], "utilities.power.voltage"),
    ("01", [("utilities.water.pipe_dn_mm", NEVER)], "utilities.water.pipe_dn_mm"),
    ("01", [("utilities.gas.pressure", NEVER)], "utilities.gas.pressure"),
    ("01", [("utilities.heating.heated_area_m2", NEVER)], "utilities.heating.heated_area_m2"),
    ("01", [("utilities.network.service", NEVER)], "utilities.network.service"),
    ("01", [("utilities.network.operators", NEVER)], "utilities.network.operators"),
    ("01", [("utilities.heating.first_season", "2027-2029")], "utilities.heating.first_season"),
    ("08", [("utilities.gas.not_sure", ["pressure"])], "utilities.gas.peak_m3_h"),
    ("01", [("project.planned_finish_on", "2027-03-19")], "project.planned_finish_on"),
    ("01", [("project.planned_finish_on", "2127-03-19")], "project.planned_finish_on"),
    ("01", [("project.planned_start_on", "2027-02-30")], "project.planned_start_on"),
    ("01", [("project.code", "2613-150802-04-01-318264")], "project.code"),
    ("01", [("project.code", "x")], "project.code"),
    (
        "01",
        [("utilities.power.temporary_wanted_on", "2027-04-15"), ("utilities.power.temporary_until_on", "2027-04-14")],
        "utilities.power.temporary_until_on",
    ),
    ("01", [("site.division", "110000")], "site.division"),
    ("03", [("site.street", "150802001")], "site.street"),
    ("03", [("site.street", "150821999")], "site.street"),
    ("03", [("site.location.lon", 73.0)], "site.location"),
    ("03", [("site.location", NEVER)], "site.location"),
    ("01", [("site.boundary.coordinates", [])], "site.boundary"),
    ("01", [("site.boundary.coordinates", [[[107, 40], [107, 41], [108, 41], [107, 42]]])], "site.boundary"),
    ("01", [("site.boundary.coordinates", [[[107, "x"], [107, 41], [108, 41], [107, "x"]]])], "site.boundary"),
    ("08", [("survey_wishes.0.end_at", "2026-11-26T09:00:00+08:00")], "survey_wishes.0.end_at"),
    ("08", [("survey_wishes.0.end_at", "2026-11-26T12:00:00")], "survey_wishes.0.end_at"),
    ("01", [("materials.0.kind", "selfie")], "materials.0.kind"),
    ("01", [("materials.0.source", NEVER)], "materials.0.source"),
    ("01", [("materials.2.source", "promised")], "materials.2.source"),
    ("02", [("consents.promise_terms", False)], "consents.promise_terms"),
    ("02", [("consents.promise_terms", NEVER)], "consents.promise_terms"),
    ("01", [("favourite_colour", "blue")], "favourite_colour"),
    ("01", [("site.planet", "Earth")], "site.planet"),
    ("01", [("channel", "fax")], "channel"),
    ("01", [("project.name", "a\x00b")], "project.name"),
    ("01", [("project.name", "\ud800x")], "project.name"),
    ("01", [("merged_bill", None)], "merged_bill"),
]


@pytest.mark.parametrize(("name", "changes", "field"), BROKEN)
def test_a_broken_rule_is_named_and_nothing_else(name: str, changes: list[tuple[str, Any]], field: str):
    assert fields(check(changed(name, *changes))) == {field}


@pytest.mark.parametrize("kinds", [("business_licence", "id_card"), ("property_right",)])
def test_a_missing_main_paper_names_the_materials(kinds: tuple[str, ...]):
    assert fields(check(without_material("01", *kinds))) == {"materials"}


def test_an_owed_paper_may_follow_against_a_promise_only():
    body = without_material("01", "site_plan", "construction_permit")
    owed = {owed.kinds: (owed.reason, owed.due_stage) for owed in check(body).owed}
    assert owed == {("site_plan",): ("missing", "review"), ("construction_permit",): ("missing", "works")}
    body["consents"]["promise_terms"] = False
    (error,) = check(body).errors
    assert error.field == "consents.promise_terms"
    assert "总平面图" in error.message


def test_an_agent_needs_the_letter():
    assert fields(check(without_material("04", "authorisation_letter"))) == {"materials"}


def test_mistakes_in_all_sections_come_together():
    body = changed(
        "01",
        ("kind", "magic"),
        ("applicant.uscc", "91150802MA13K7X266"),
        ("project.planned_finish_on", "2020-01-01"),
        ("site.location.lon", 116.4),
        ("site.location.lat", 39.9),
        ("utilities.power.added_kva", -5),
        ("utilities.water.daily_m3", "much"),
        ("notice_version", NEVER),
        ("extra", 1),
    )
    assert fields(check(body)) == {
        "kind",
        "applicant.uscc",
        "project.planned_finish_on",
        "site.location",
        "utilities.power.added_kva",
        "utilities.water.daily_m3",
        "notice_version",
        "extra",
    }


@pytest.mark.parametrize("body", [None, [], "x", 3, {}, {"kind": []}, [[[]]]])
def test_anything_gets_an_answer(body: object):
    assert check(body).errors


def test_nesting_without_end_is_refused():
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    checked = check(changed("01", ("site.boundary.coordinates", deep)))
    assert {error.code for error in checked.errors} == {"too_deep"}


def test_the_channel_is_the_credentials():
    assert fields(check(BODIES["01"], channel="gov_portal")) == {"channel"}
    taken = check(changed("01", ("channel", NEVER)), channel="gov_portal")
    assert taken.document is not None
    assert taken.document["channel"] == "gov_portal"
    assert taken.application is not None
    assert taken.application.channel == "gov_portal"


def test_a_clerk_may_override_a_check_character_and_nothing_more():
    wrong = changed("01", ("applicant.uscc", "91150802MA13K7X266"))
    override = frozenset({"applicant.uscc"})
    assert fields(check(wrong)) == {"applicant.uscc"}
    taken = check(wrong, overrides=override)
    assert taken.errors == ()
    assert "uscc_check" in noted(taken)
    assert fields(check(changed("01", ("applicant.uscc", "9115")), overrides=override)) == {"applicant.uscc"}
    assert fields(check(changed("01", ("applicant.uscc", NEVER)), overrides=override)) == {"applicant.uscc"}


def test_who_is_not_sure_is_taken_and_what_is_assumed_is_told():
    checked = check(BODIES["08"])
    assert checked.document is not None
    assert checked.document["utilities"]["power"]["load_class"] == "general_commercial"
    assert "load_class_assumed" in noted(checked)
    person = changed("08", ("applicant.kind", "person"), ("applicant.id_no", "150823197609301552"))
    person["materials"].append({"kind": "id_card", "source": "upload"})
    document = check(person).document
    assert document is not None
    assert document["utilities"]["power"]["load_class"] == "residential"


def test_the_load_class_is_not_assumed_for_who_knows_the_size():
    body = changed("08", ("utilities.power.added_kva", 50), ("utilities.power.not_sure", ["voltage", "sources"]))
    assert fields(check(body)) == {"utilities.power.load_class"}


def test_a_licence_without_consent_is_noted_and_owed():
    checked = check(BODIES["08"])
    assert "letter_consent" in noted(checked)
    assert [owed.reason for owed in checked.owed if "business_licence" in owed.kinds] == ["consent"]


def test_a_promised_paper_is_owed():
    checked = check(BODIES["02"])
    assert [owed.reason for owed in checked.owed if "owner_consent" in owed.kinds] == ["promised"]


def test_file_names_are_bytes_still_owed():
    body = changed("02", ("materials.2.file", "0123456789abcdef0123456789abcdef"))
    assert check(body).owed_bytes == ()
    assert check(BODIES["02"]).owed_bytes == ("lease.pdf",)


def test_what_has_no_network_is_told_and_the_rest_goes_on():
    checked = check(BODIES["08"])
    assert [item.utility for item in checked.not_served] == ["gas"]
    only_gas = changed("08", *((f"utilities.{name}", NEVER) for name in ("power", "water", "network")))
    assert fields(check(only_gas)) == {"utilities"}


@pytest.mark.parametrize(
    ("name", "changes", "code"),
    [
        ("01", [("applicant.invoice.tax_no", "91150802MA0N12340C")], "tax_no"),
        ("01", [("project.code", "2605-110000-04-01-318264")], "project_region"),
        ("01", [("utilities.water.wanted_on", "2026-11-22")], "date_past"),
        ("07", [("utilities.power.new_class", NEVER)], "new_class_missing"),
        ("03", [("site.location.lon", 107.40), ("site.location.lat", 40.75)], "point_division"),
        ("03", [("site.property_unit_no", "150802001001GB00001F00010001")], "unit_division"),
    ],
)
def test_doubts_are_notes_for_the_clerk(name: str, changes: list[tuple[str, Any]], code: str):
    checked = check(changed(name, *changes))
    assert checked.errors == ()
    assert code in noted(checked)
