"""A wrong file is refused with the file, the line or key, and the reason; a right one reads the same everywhere."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from portal.cases.identifiers import check_uscc, warn_uscc
from portal.catalog.model import Catalog
from portal.catalog.reading import CatalogError, content_of, load_catalog
from tests.catalog.city import CATALOG, FOLDER, OPERATORS, UTILITIES


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(FOLDER, tmp_path / "150800"))


def refused(folder: Path, name: str, old: str, new: str) -> CatalogError:
    """The error after one replacement in one file; the text replaced must be there."""
    path = folder / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(CatalogError) as caught:
        load_catalog(folder)
    return caught.value


WRONG = [
    # file, what stands there, what is put there, key, words of the reason
    ("city.toml", "[hours]", "[hours", "line 14", "Expected"),
    ("city.toml", 'open_at = "08:30"', 'open_at = "24:30"', "hours.open_at", "match"),
    ("city.toml", 'open_at = "08:30"', 'opens_at = "08:30"', "hours.open_at", "required"),
    ("city.toml", "[hours]", "[our_hours]", "hours", "missing"),
    ("city.toml", 'lead_agency = "lead-agency"', 'lead_agency = "nobody"', "city.lead_agency", "nobody"),
    ("city.toml", 'from_day = "11-01"', 'from_day = "13-01"', "city.frozen_ground.from_day", "match"),
    ("divisions.json", '"code": "150802001"', '"code": 150802001', "divisions.0.streets.0.code", "string"),
    ("divisions.json", '"districts"', '"counties"', "districts", "missing"),
    ("divisions.json", '"150821100"', '"150822100"', "divisions.1.streets.0.code", "150821"),
    ("areas.toml", '"150802001", ', '"150802099", ', "areas.0.streets", "(town-linhe) '150802099' is not known"),
    ("areas.toml", 'division = "150802"', 'division = "150899"', "divisions.0", "outline"),
    ("areas.toml", "lon = 107.405", "lon = 40.757", "areas.0.circles.0.lon", "greater than or equal to 73"),
    ("providers.toml", 'uscc = "91', 'uscc = "I1', "providers.0.uscc", "(water-linhe)"),
    ("providers.toml", 'pay_before = "works"', 'pay_before = "never"', "providers.0.pay_before", "'works'"),
    ("providers.toml", 'areas = ["town-linhe"]', 'areas = ["town-nowhere"]', "providers.7.areas", "town-nowhere"),
    ("providers.toml", 'operator = "telecom"', 'operator = "pigeon"', "providers.22.operator", "pigeon"),
    ("providers.toml", 'operator = "telecom"', "", "providers.22.operator", "network"),
    ("providers.toml", 'merchant_id = "1900015082"', 'merchant_id = "1900015081"', "providers", "1900015081"),
    (
        "providers.toml",
        'divisions = ["150822"]',
        'divisions = ["150821"]',
        "providers",
        "nobody provides water in 磴口县",
    ),
    ("providers.toml", 'hotline = "0478-96001"', 'phone = "0478-96001"', "providers.0.hotline", "required"),
    ("offices.toml", '"occupation"', '"parking"', "offices.1.permit_kinds", "parking"),
    ("offices.toml", "limit_days = 1", "limit_days = 0", "offices.0.limit_days", "greater than 0"),
    ("levels.toml", "cap_days = 11", "cap_days = 10", "levels.1", "(power-hv-multi)"),
    ("levels.toml", "cap_days = 11", "cap_day = 11", "levels.1.cap_day", "not permitted"),
    ("levels.toml", 'fact = "total_kva"', 'fact = "total_kw"', "levels.6.when.0.fact", "use one of"),
    ("levels.toml", '"survey", "reply", "review"', '"reply", "survey", "review"', "levels.1", "order"),
    ("levels.toml", "limits = { survey = 1, ", "limits = { ", "levels.1", "exactly the stages"),
    (
        "levels.toml",
        'stages = ["reply", "acceptance", "connection"]\nlimits = { reply = 1, acceptance = 1, connection = 1 }',
        'stages = ["reply", "connection"]\nlimits = { reply = 1, connection = 1 }',
        "levels.16.stages",
        "never skipped",
    ),
    ("levels.toml", "at_most = 200", "at_most = 200, known = true", "levels.6.when.0", "one test"),
    (
        "levels.toml",
        'title = "宽带（有外线）"\n',
        'title = "宽带（有外线）"\nwhen = [{ fact = "service", known = true }]\n',
        "levels",
        "network must have no conditions",
    ),
    ("fees.toml", "max_price_fen = 32000", "max_price_fen = 3200", "fees.0", "below"),
    ("fees.toml", "until_on = 2025-12-31", "until_on = 2026-01-01", "fees.5", "two prices"),
    ("fees.toml", "price_fen = 18000", "price_fen = 180.5", "fees.0.price_fen", "integer"),
    ("fees.toml", 'providers = ["heat-linhe"', 'providers = ["heat-lin"', "fees.18.providers", "heat-lin"),
    ("fees.toml", "cancelled_on = 2021-03-01\n", "", "fees.28", "cancelled"),
    ("fees.toml", "from_on = 2026-01-01", "from_on = 2026-13-01", "line 16", "Expected newline"),
    ("materials.toml", 'kinds = ["id_card"]', 'kinds = ["selfie"]', "materials.0.kinds", "(identity) 'selfie'"),
    ("materials.toml", 'due_stage = "connection"', "", "materials.8", "due_stage"),
    ("materials.toml", 'fact = "water_dn"', 'fact = "water_size"', "materials.27.when.1.fact", "water_dn"),
    ("codes.toml", '{ code = "testing"', '{ code = "test_run"', "codes.pauses", "testing"),
    ("codes.toml", '{ code = "missing_paper"', '{ code = "safety"', "codes", "'safety' stands there 2 times"),
    ("calendar.json", '{"year": 2005', '{"year": 2005,', "line 3", "property name"),
    ("calendar.json", '"2026-01-04"', '"2026-01-02"', "calendar_days.22", "both worked and free"),
    ("calendar.json", '"2026-01-04"', '"2025-01-04"', "calendar_days.22", "not a day of 2026"),
]


@pytest.mark.parametrize(("name", "old", "new", "key", "words"), WRONG, ids=[f"{row[0]}-{row[3]}" for row in WRONG])
def test_wrong_files_are_refused(folder: Path, name: str, old: str, new: str, key: str, words: str):
    error = refused(folder, name, old, new)
    assert (error.file, words in error.reason) == (_file_told(name, key), True), str(error)
    assert error.key.startswith(key), str(error)
    assert str(error).startswith(f"{error.file}: {error.key}: ")


def _file_told(name: str, key: str) -> str:
    # A division without an outline is told where the division stands.
    return "divisions.json" if key == "divisions.0" else name


@pytest.mark.parametrize("name", ["levels.toml", "calendar.json", "divisions.json"])
def test_a_missing_file_is_named(folder: Path, name: str):
    (folder / name).unlink()
    with pytest.raises(CatalogError, match=f"^{name}: the file is missing$"):
        load_catalog(folder)


def test_bytes_that_are_no_text(folder: Path):
    (folder / "fees.toml").write_bytes(b"# \xff\n")
    with pytest.raises(CatalogError, match=r"^fees.toml: byte 2: the file is not UTF-8$"):
        load_catalog(folder)


@pytest.mark.parametrize("text", ["[]", "3", "null"])
def test_a_file_that_holds_something_else(folder: Path, text: str):
    (folder / "calendar.json").write_text(text, encoding="utf-8")
    with pytest.raises(CatalogError, match=r"^calendar.json: the file must hold one object$"):
        load_catalog(folder)


def test_several_faults_are_counted(folder: Path):
    path = folder / "offices.toml"
    path.write_text(path.read_text(encoding="utf-8").replace("limit_days = 1", "limit_days = 0"), encoding="utf-8")
    with pytest.raises(CatalogError, match=r"\(and 2 more\)"):
        load_catalog(folder)


def test_the_version_is_made_from_the_content(folder: Path):
    assert load_catalog(folder).version == CATALOG.version
    path = folder / "city.toml"
    path.write_text("# a comment changes nothing\n" + path.read_text(encoding="utf-8"), encoding="utf-8")
    assert load_catalog(folder).version == CATALOG.version
    path.write_text(path.read_text(encoding="utf-8").replace("08:30", "09:00"), encoding="utf-8")
    assert load_catalog(folder).version != CATALOG.version


def test_stored_and_read_back_it_is_the_same():
    assert Catalog.model_validate(json.loads(json.dumps(content_of(CATALOG)))) == CATALOG


def test_the_city_as_shipped():
    assert [utility.code for utility in CATALOG.utilities] == list(UTILITIES)
    assert "".join(utility.name for utility in CATALOG.utilities) == "水电气暖网"
    assert tuple(operator.code for operator in CATALOG.operators) == OPERATORS
    assert len(CATALOG.divisions) == 7
    assert CATALOG.lead_agency.name == "巴彦淖尔市政务服务与数据管理局"
    assert CATALOG.office("urban-management").permit_kinds == ("road_opening", "occupation", "greenery")
    assert {office.limit_days for office in CATALOG.offices} == {1}


def test_firms_have_possible_numbers_and_differ():
    for provider in CATALOG.providers:
        assert check_uscc(provider.uscc) is None, provider.code
        assert warn_uscc(provider.uscc) is None, provider.code
    assert len({provider.name for provider in CATALOG.providers}) == len(CATALOG.providers) == 26


def test_whose_bill_is_merged():
    apart = {provider.code for provider in CATALOG.providers if not provider.merged_bill}
    assert apart == {"network-cable_tv", "heat-houqi"}
    assert all("79号" in p.merged_basis for p in CATALOG.providers if p.utility in ("water", "power", "gas"))


def test_look_ups():
    assert CATALOG.code_text("frozen_ground") == "冻土期不能开挖"
    assert CATALOG.code_text("something_new") == "something_new"
    assert CATALOG.division("110000") is None
    assert CATALOG.streets_of(CATALOG.provider("water-linhe")) is None
    assert "150821100" in (CATALOG.streets_of(CATALOG.provider("gas-wuyuan")) or ())
    for wrong in (CATALOG.provider, CATALOG.office, CATALOG.utility):
        with pytest.raises(KeyError):
            wrong("nobody")
    with pytest.raises(KeyError):
        CATALOG.level("water", "power-lv")
