"""Reports: every kind is taken as the protocol writes it, everything else is refused with its path."""

import datetime as dt
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.exchange.wire import REPORT_MODELS, check_for_utility, parse_report
from portal.kernel.errors import Invalid

BASE = {"occurred_at": "2026-11-23T09:00:00+08:00", "revision": 1, "provider_ref": "W-1", "operator": "李工"}
SHA = "a" * 64
QUOTE = {
    "fee_item": "water.pipe",
    "quantity": "12.5",
    "unit_price_fen": 999,
    "amount_fen": 12488,
    "payer": "user",
    "payee": "water-linhe",
    "boundary": "inside",
    "vat_rate": 9,
    "basis": "巴发改价字〔2023〕1号",
}
OPTION = {"code": "A", "title": "方案一", "summary": "从纬三路接入", "works_days": 12, "quote": [QUOTE]}
SAMPLES = {
    "received": {},
    "declined": {"reason_code": "outside_area", "basis": "规定", "would_change": "管网延伸后", "alternative": "自备井"},
    "question": {"items": [{"code": "q1", "text": "请补红线图", "material_kind": "red_line_map", "why": "定位用"}]},
    "line_check": {"outside_line_m": 120.5},
    "pause": {"reason_code": "testing", "evidence": "试验委托单"},
    "resume": {"reason_code": "testing"},
    "extension": {"until_on": "2026-12-01", "reason": "穿越河道", "evidence": "勘察报告"},
    "availability": {
        "slots": [{"start_at": "2026-11-24T09:00:00+08:00", "end_at": "2026-11-24T11:30:00+08:00"}],
        "people": ["李工", "王工"],
    },
    "findings": {
        "conclusion": "ready",
        "outside_line_m": 100,
        "access_point": {"location": {"lon": 107.3, "lat": 40.7}, "description": "路北检查井"},
        "pipe_dn_mm": 200,
        "trench": {
            "route": {"type": "LineString", "coordinates": [[107.3, 40.7], [107.31, 40.7]]},
            "depth_m": 1.8,
            "width_m": 0.8,
            "clearance_m": 0.5,
        },
    },
    "reply": {
        "verdict": "approve",
        "options": [OPTION],
        "investment_boundary": "红线外由供水企业投资",
        "valid_until_on": "2027-05-23",
    },
    "quote_final": {"quote": [QUOTE], "reason": "审图后管径变化"},
    "review": {"verdict": "pass", "round": 1, "drawings": [{"sha256": SHA, "version": 1}]},
    "works": {
        "status": "planned",
        "window": {"start_on": "2027-04-01", "end_on": "2027-04-20"},
        "user_works": {"contractor": "某安装公司", "licence_no": "D1", "chosen_by": "applicant"},
    },
    "acceptance": {"verdict": "pass", "mode": "site", "items": [{"code": "leak", "measured": 0.0, "ok": True}]},
    "connected": {
        "connected_at": "2027-06-20T10:00:00+08:00",
        "points": [{"account_no": "1", "meter_no": "2", "opening_reading": 0, "multiplier": "1"}],
    },
    "permit": {
        "permit_kind": "road_opening",
        "verdict": "granted",
        "permit_no": "P1",
        "valid_from_on": "2027-03-01",
        "valid_until_on": "2027-05-01",
    },
}


def parse(body):
    return parse_report(json.dumps(body).encode())


def errors(body) -> dict[str, str]:
    with pytest.raises(Invalid) as caught:
        parse(body)
    return {error.field: error.code for error in caught.value.errors}


def test_there_is_a_sample_for_every_kind():
    assert set(SAMPLES) == set(REPORT_MODELS)


@pytest.mark.parametrize("kind", SAMPLES)
def test_every_kind_is_taken(kind):
    report = parse({"kind": kind, **BASE, **SAMPLES[kind]})
    assert report.kind == kind
    assert report.occurred_at == dt.datetime(2026, 11, 23, 1, 0, tzinfo=dt.UTC)


@pytest.mark.parametrize("kind", SAMPLES)
def test_every_kind_refuses_an_unknown_field_and_a_missing_revision(kind):
    body = {"kind": kind, **BASE, **SAMPLES[kind], "state": "done"}
    del body["revision"]
    assert errors(body) == {"state": "extra_forbidden", "revision": "missing"}


def test_a_report_is_frozen():
    report = parse({"kind": "received", **BASE})
    with pytest.raises(ValueError, match="frozen"):
        report.revision = 2


def test_all_errors_are_told_each_with_its_path():
    option = {**OPTION, "quote": [{**QUOTE, "payer": "me", "quantity": "-1"}], "works_days": "3"}
    body = {"kind": "reply", **BASE, **SAMPLES["reply"], "options": [option], "valid_until_on": "soon"}
    assert set(errors(body)) == {
        "options.0.quote.0.payer",
        "options.0.quote.0.quantity",
        "options.0.works_days",
        "valid_until_on",
    }


def test_an_amount_that_does_not_add_up_has_its_own_code():
    body = {
        "kind": "reply",
        **BASE,
        **SAMPLES["reply"],
        "options": [{**OPTION, "quote": [{**QUOTE, "amount_fen": 12487}]}],
    }
    with pytest.raises(Invalid) as caught:
        parse(body)
    assert caught.value.code == "amount_mismatch"
    assert [e.field for e in caught.value.errors] == ["options.0.quote.0.amount_fen"]
    assert "12488" in caught.value.errors[0].message


@pytest.mark.parametrize(
    ("verdict", "missing"),
    [
        ("refuse", {"reason_code", "basis", "would_change", "alternative"}),
        ("not_served", {"not_served"}),
        ("conditional", {"conditions"}),
    ],
)
def test_a_verdict_needs_its_reasons(verdict, missing):
    body = {"kind": "reply", **BASE, **SAMPLES["reply"], "verdict": verdict}
    assert set(errors(body)) == missing


def test_the_provider_may_not_choose_the_applicants_contractor():
    user_works = {"contractor": "x", "licence_no": "y", "chosen_by": "provider"}
    body = {"kind": "works", **BASE, **SAMPLES["works"], "user_works": user_works}
    assert errors(body) == {"user_works.chosen_by": "chosen_by_provider"}


def test_gas_is_accepted_on_site_only():
    report = parse({"kind": "acceptance", **BASE, **SAMPLES["acceptance"], "mode": "remote"})
    check_for_utility(report, "water")
    with pytest.raises(Invalid):
        check_for_utility(report, "gas")


def test_five_thousand_points_and_not_one_more():
    points = [{"account_no": str(n), "meter_no": str(n)} for n in range(5001)]
    body = {"kind": "connected", **BASE, **SAMPLES["connected"]}
    assert len(parse({**body, "points": points[:5000]}).points) == 5000
    assert errors({**body, "points": points}) == {"points": "too_long"}


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b"null",
        b"{",
        b'{"kind": "received"',
        b"\xff\xfe",
        b'{"kind": NaN}',
        b'{"kind": "received", "kind": "reply"}',
        b'{"kind": "\\ud800"}',
        b'{"kind": "received", "operator": "\\u0000"}',
        b'{"a":' * 50 + b"1" + b"}" * 50,
        b"[" * 100_000,
        b'{"n": ' + b"9" * 5000 + b"}",
        b"{" + b" " * 1_048_576 + b"}",
        b'{"kind": ["received"]}',
    ],
)
def test_hostile_bytes_are_refused_in_one_way(raw):
    with pytest.raises(Invalid):
        parse_report(raw)


@pytest.mark.parametrize(
    "text", ["9999-12-31T23:59:59-08:00", "0001-01-01T00:00:00+08:00", "2026-11-23T09:00:00", 5, None]
)
def test_a_time_that_cannot_be_meant_is_refused(text):
    assert list(errors({"kind": "received", **BASE, "occurred_at": text})) == ["occurred_at"]


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=600, deadline=None)
@given(st.sampled_from(sorted(SAMPLES)), st.data())
def test_whatever_stands_in_a_field_the_answer_is_a_report_or_a_list_of_errors(kind, data):
    body = {"kind": kind, **BASE, **SAMPLES[kind]}
    body[data.draw(st.sampled_from(sorted(body)))] = data.draw(_json)
    raw = json.dumps(body).encode()
    report, wrong = parsed_or_refused(raw)
    if report is None:
        assert wrong
        assert all(isinstance(error.field, str) and error.message for error in wrong)
    else:
        json.dumps(report.model_dump(mode="json"), allow_nan=False).encode()


def parsed_or_refused(raw):
    try:
        return parse_report(raw), ()
    except Invalid as refused:
        return None, refused.errors


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_a_report_or_invalid(raw):
    with pytest.raises(Invalid):
        parse_report(raw)
