"""The demo driver walks a whole case through real pages, and says who is waited for when it cannot."""

from __future__ import annotations

import json

import pytest

from providers.simulator.demo_config import parse_demo_config
from providers.simulator.driver import run_demo
from providers.simulator.summary import FIELDS
from tests.simulator.site import CASE, Site

BODY = {
    "kind": "new",
    "channel": "web",
    "applicant": {"kind": "enterprise", "name": "好公司", "uscc": "91150802MA13K7X265"},
    "site": {"boundary": {"type": "Polygon", "coordinates": []}},
    "utilities": {"network": {"operators": ["telecom", "unicom"], "bandwidth_mbps": 500}},
    "materials": [{"kind": "property_right", "source": "upload", "file": "right.pdf"}],
    "merged_bill": True,
}


@pytest.fixture
def site():
    site = Site()
    yield site
    site.stop()


def config_for(site, tmp_path, body, **changes):
    path = tmp_path / "application.json"
    path.write_text(json.dumps(body), encoding="utf-8")
    people = [
        {"role": "applicant", "login": "other", "password": "right", "subject": "别人"},
        {"role": "applicant", "login": "good", "password": "right", "subject": "91150802MA13K7X265"},
        {"role": "clerk", "login": "clerk", "password": "right"},
        {"role": "supervisor", "login": "supervisor", "password": "right"},
        {"role": "lead_agency", "login": "agency", "password": "right"},
    ]
    return parse_demo_config(
        {
            "portal_url": site.url,
            "gateway_url": site.gateway_url,
            "people": people,
            "applications": [str(path)],
            "out_dir": str(tmp_path / "out"),
            "progress": False,
            "wall_limit_s": 30,
            **changes,
        }
    )


def summary_of(config):
    return json.loads((config.out_dir / "summary.json").read_text(encoding="utf-8"))


def test_a_case_goes_from_filing_to_reconciled_money(site, tmp_path):
    config = config_for(site, tmp_path, BODY)
    assert run_demo(config) == 0
    assert site.done == ["accepted", "confirm", "sign", "paid", "decided", "flow"]
    (entry,) = summary_of(config)
    assert list(entry) == list(FIELDS)
    assert entry["accepted"] is True
    assert entry["stage"] == "closed"
    assert entry["documents"] == [
        {"kind": "joint_bill", "file": "joint_bill.pdf", "sha256": entry["documents"][0]["sha256"]}
    ]
    assert (config.out_dir / CASE / "joint_bill.pdf").read_bytes().startswith(b"%PDF-")


def test_the_form_says_what_the_file_says(site, tmp_path):
    run_demo(config_for(site, tmp_path, BODY))
    filed = site.filed
    assert filed["csrf_token"] == ["t1"]
    assert filed["applicant.name"] == ["好公司"]
    assert filed["utilities.network"] == ["1"]
    assert filed["utilities.network.operators"] == ["telecom", "unicom"]
    assert filed["utilities.network.bandwidth_mbps"] == ["500"]
    assert filed["merged_bill"] == ["yes"]
    assert json.loads(filed["site.boundary"][0])["type"] == "Polygon"
    assert filed["materials.0.kind"] == ["property_right"]
    assert "channel" not in filed
    assert site.files["materials.0.bytes"].startswith(b"%PDF-")


def test_a_refused_application_ends_well_with_its_errors(site, tmp_path):
    config = config_for(site, tmp_path, BODY | {"applicant": {"name": "坏", "uscc": "91150802MA13K7X265"}})
    assert run_demo(config) == 0
    (entry,) = summary_of(config)
    assert entry["accepted"] is False
    assert entry["errors"] == [{"field": "applicant.uscc", "message": "校验码不对"}]
    assert entry["case_no"] is None


def test_a_case_that_stays_open_fails_the_run_and_names_what_is_awaited(site, tmp_path, capsys):
    site.never_flows = True
    config = config_for(site, tmp_path, BODY)
    assert run_demo(config) == 1
    assert "nobody can act and nothing is planned" in capsys.readouterr().out.replace("\n", " ")
    assert summary_of(config)[0]["stage"] == "connection"


def test_nobody_signs_in_for_an_unknown_applicant(site, tmp_path):
    config = config_for(site, tmp_path, BODY)
    with pytest.raises(LookupError, match="applicant"):
        config.person("applicant", "谁也不是")
