"""The joint reply: sums, marks and the sentence that must not promise more than the parts do."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.cases.merging import STATE_TEXTS, MissingPart, ReplyPart, merge_reply, to_content


def line(amount_fen, payer="user", item="water-meter"):
    return {
        "fee_item": item,
        "quantity": "1",
        "unit_price_fen": amount_fen,
        "amount_fen": amount_fen,
        "payer": payer,
        "payee": "供水公司",
        "boundary": "inside",
        "vat_rate": "9",
        "basis": "巴发改价字〔2023〕5号",
    }


def option(code, days, *lines, **more):
    return {"code": code, "title": f"方案{code}", "summary": "…", "works_days": days, "quote": list(lines)} | more


def part(provider, utility, verdict, **report):
    return ReplyPart.from_report(
        provider=provider, provider_name=f"{provider}公司", utility=utility, report={"verdict": verdict} | report
    )


def content_of(*parts, missing=()):
    return to_content(merge_reply(parts, missing))


def test_options_carry_their_total_for_the_user_and_their_marks():
    water = part(
        "water",
        "water",
        "approve",
        options=[
            option("A", 20, line(50_000), line(90_000, payer="provider")),
            option("B", 8, line(80_000), line(1_00), recommended_why="工期最短"),
        ],
    )
    shown = content_of(water)
    a, b = shown["providers"][0]["options"]
    assert (a["user_fen"], b["user_fen"]) == (50_000, 80_100)
    assert (a["is_cheapest"], a["is_fastest"], a["is_recommended"]) == (True, False, False)
    assert (b["is_cheapest"], b["is_fastest"], b["is_recommended"]) == (False, True, True)
    assert shown["totals"] == {"least_fen": 50_000, "most_fen": 80_100, "fastest_works_days": 8}


def test_options_of_one_price_are_both_the_cheapest_and_none_where_all_cost_the_same():
    three = [option("A", 20, line(100)), option("B", 8, line(100)), option("C", 8, line(200))]
    marks = [(o["is_cheapest"], o["is_fastest"]) for o in _options_of(three)]
    assert marks == [(True, False), (True, True), (False, True)]
    same = [option("A", 20, line(100)), option("B", 8, line(100))]
    assert [o["is_cheapest"] for o in _options_of(same)] == [False, False]


def _options_of(options):
    return content_of(part("water", "water", "approve", options=options))["providers"][0]["options"]


def test_a_single_option_is_no_choice():
    only = content_of(part("net", "network", "approve", options=[option("A", 3)]))["providers"][0]["options"][0]
    assert not only["is_cheapest"]
    assert not only["is_fastest"]


@pytest.mark.parametrize(
    ("verdicts", "missing", "state"),
    [
        (["approve", "approve"], 0, "all_approved"),
        (["approve", "not_concerned"], 0, "all_approved"),
        (["approve", "conditional"], 0, "some_conditional"),
        (["approve", "refuse"], 0, "some_refused"),
        (["conditional", "not_served"], 0, "some_refused"),
        (["refuse", "not_served"], 0, "none_approved"),
        (["approve"], 1, "some_missing"),
        (["refuse"], 1, "some_missing"),
    ],
)
def test_the_state_is_honest(verdicts, missing, state):
    parts = [part(f"p{i}", "water", verdict) for i, verdict in enumerate(verdicts)]
    late = [MissingPart(f"m{i}", "供热公司", "heating") for i in range(missing)]
    shown = content_of(*parts, missing=late)
    assert (shown["state"], shown["state_text"]) == (state, STATE_TEXTS[state])


def test_the_summary_counts_everybody_and_names_the_late():
    shown = content_of(
        part("p", "power", "approve"),
        part("w", "water", "conditional"),
        part("g", "gas", "not_served", not_served={"nearest_m": 4200, "planned_year": 2028, "alternative": "瓶装气"}),
        missing=[MissingPart("h", "临河热力公司", "heating")],
    )
    assert shown["summary"] == (
        "共 4 家单位：1 家同意接入，1 家附条件同意接入，1 家暂无管网覆盖，"
        "1 家尚未答复（临河热力公司），答复后另行补充。"
    )
    assert [p["utility"] for p in shown["providers"]] == ["water", "power", "gas"]
    assert shown["providers"][2]["nearest_m"] == 4200
    assert shown["late"] == [{"provider": "h", "provider_name": "临河热力公司", "utility": "heating"}]


def test_equal_conditions_stand_once_with_everybody_who_asks():
    road = {"code": "road", "text": "取得道路挖掘许可", "before_stage": "works"}
    other = {"code": "road", "text": "与园区协商路由", "before_stage": "works"}
    shown = content_of(
        part("w", "water", "conditional", conditions=[road, other]),
        part("p", "power", "conditional", conditions=[road | {"text": " 取得道路挖掘许可 "}]),
    )
    assert [(c["text"], c["providers"]) for c in shown["conditions"]] == [
        ("取得道路挖掘许可", ["w", "p"]),
        ("与园区协商路由", ["w"]),
    ]


def test_a_refusal_keeps_its_reasons():
    refused = content_of(
        part("g", "gas", "refuse", reason_code="no_capacity", basis="…", would_change="扩容后", alternative="电采暖")
    )["providers"][0]
    assert refused["verdict_text"] == "不予接入"
    assert (refused["reason_code"], refused["would_change"]) == ("no_capacity", "扩容后")


def test_published_names_stand_beside_the_fee_codes():
    water = ReplyPart.from_report(
        provider="w",
        provider_name="供水公司",
        utility="water",
        report={"verdict": "approve", "options": [option("A", 1, line(100))]},
        titles={"water-meter": "水表费"},
    )
    assert water.options[0].quote[0].title == "水表费"


def test_nobody_answers_twice():
    with pytest.raises(ValueError, match="answered twice: w"):
        merge_reply([part("w", "water", "approve")], [MissingPart("w", "供水公司", "water")])


amounts = st.lists(st.integers(0, 10**9), max_size=4)


@given(st.lists(st.lists(amounts, min_size=1, max_size=4), max_size=6))
def test_totals_bound_every_choice_and_the_content_is_plain_json(providers):
    parts = [
        part(f"p{i}", "water", "approve", options=[option(str(n), n, *map(line, own)) for n, own in enumerate(options)])
        for i, options in enumerate(providers)
    ]
    shown = content_of(*parts)
    assert json.loads(json.dumps(shown)) == shown
    first = sum(p["options"][0]["user_fen"] for p in shown["providers"])
    assert shown["totals"]["least_fen"] <= first <= shown["totals"]["most_fen"]
    assert first == sum(sum(options[0]) for options in providers)
    for shown_part in shown["providers"]:
        own = shown_part["options"]
        prices = [option["user_fen"] for option in own]
        marked = [option["user_fen"] for option in own if option["is_cheapest"]]
        assert marked == ([] if len(set(prices)) < 2 else [p for p in prices if p == min(prices)])
