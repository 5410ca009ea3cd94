"""The desk's forms reach everything the protocol has: what is entered becomes a report that the checks take."""

from __future__ import annotations

import json
from typing import Any

import pytest

from forms.desk_report_fields import FORMS
from forms.desk_reports import Facts, fields_of, report_of
from portal.exchange.wire import REPORT_MODELS, parse_report
from portal.kernel.errors import Invalid
from tests.conftest import AT

SHA = "a" * 64
DOCUMENT = {"drawings": [{"kind": "design_drawing", "sha256": SHA, "version": 1}], "paused": None}
FACTS = Facts(revision=1, operator="张三", at=AT, payee="公司", document=DOCUMENT, items={})
SITE = {"conclusion": "ready", "outside_line_m": "20", "access_point.description": "东墙"}
TRENCH = {"trench.route": "107.4,40.7\n107.41，40.7", "trench.depth_m": "1.6", "trench.width_m": "0.8"}
PLAN = {"title": "近", "summary": "近", "works_days": "9", "access_point.description": "北侧", "recommended_why": "近"}
ENTERED: dict[str, dict[str, str]] = {
    "findings": SITE | TRENCH | {"trench.clearance_m": "1", "pipe_dn_mm": "100", "obstacles": "树、电杆"},
    "reply": {"verdict": "approve", "valid_until_on": "2027-06-30", "investment_boundary": "红线"}
    | {f"options.{n}.{name}": value for n in (0, 1) for name, value in PLAN.items()},
    "works": {"status": "planned", "window.start_on": "2026-12-01", "window.end_on": "2026-12-02"}
    | {f"user_works.{name}": "甲" for name in ("contractor", "designer", "licence_no")}
    | {"user_works.chosen_by": "applicant"},
    "review": {"verdict": "rework"}
    | {
        f"comments.{n}.{name}": value
        for n in (0, 3)
        for name, value in {"location": "轴3", "clause": "5.2", "severity": "major", "text": "改"}.items()
    },
    "question": {"items.0.code": "lease", "items.0.text": "租期？", "items.0.why": "合同"}
    | {"items.0.field": "site.address", "items.0.reason_if_late": "现场才发现"},
    "connected": {"connected_at": "2026-12-01T09:00"}
    | {f"points.0.{name}": "1" for name in ("account_no", "meter_no", "opening_reading", "multiplier", "seal_no")},
}


def parsed(kind: str, given: dict[str, str]) -> dict[str, Any]:
    entered = report_of(kind, given, FACTS)
    return parse_report(json.dumps(entered.report).encode()).model_dump(mode="json", exclude_none=True)


@pytest.mark.parametrize("kind", ENTERED)
def test_what_is_entered_is_a_report(kind: str):
    assert set(ENTERED[kind]) <= {name for _, name in fields_of(kind)}
    assert parsed(kind, ENTERED[kind])["kind"] == kind


def test_a_trench_two_plans_and_several_comments_arrive_whole():
    found = parsed("findings", ENTERED["findings"])
    assert found["trench"]["route"]["coordinates"] == [[107.4, 40.7], [107.41, 40.7]]
    assert found["obstacles"] == ["树", "电杆"]
    assert [option["code"] for option in parsed("reply", ENTERED["reply"])["options"]] == ["A", "B"]
    assert [comment["drawing_sha256"] for comment in parsed("review", ENTERED["review"])["comments"]] == [SHA, SHA]


@pytest.mark.parametrize("route", ["107.4 40.7", "107.4,40.7", "107.4,40.7\n200,40.7"])
def test_a_route_that_is_no_line_is_named_at_its_field(route: str):
    entered = report_of("findings", ENTERED["findings"] | {"trench.route": route}, FACTS)
    with pytest.raises(Invalid) as refused:
        parse_report(json.dumps(entered.report).encode())
    assert set(entered.field_errors(refused.value.errors)) == {"trench.route"}


def test_every_report_of_a_provider_has_a_form():
    assert set(REPORT_MODELS) - set(FORMS) == {"permit"}  # the permit offices have their own page
