"""What single kinds must say, and what their values refuse."""

from __future__ import annotations

import copy

import pytest
from pydantic import ValidationError

from portal.documents.clauses import standard_clauses
from portal.documents.kinds import KINDS
from portal.documents.render import render_pdf
from tests.documents.papers_to_print import MAKERS, long_values, short_values
from tests.documents.reading import squeezed

URL = "https://yikou.example/verify/7QK2M9XR4H"


def read(kind: str, values: dict) -> str:
    return squeezed(render_pdf(kind, values, verify_url=URL))


@pytest.mark.parametrize("kind", MAKERS)
def test_an_unknown_field_is_refused(kind: str) -> None:
    with pytest.raises(ValidationError, match="colour"):
        KINDS[kind].model.model_validate(short_values(kind) | {"colour": "red"})


@pytest.mark.parametrize("kind", MAKERS)
def test_values_survive_storage(kind: str) -> None:
    once = KINDS[kind].model.model_validate(long_values(kind))
    assert KINDS[kind].model.model_validate(once.model_dump(mode="json")) == once


def test_the_bill_gives_subtotals_total_and_capital_numerals() -> None:
    text = read("joint_bill", short_values("joint_bill"))
    assert text.count("123,750,031.26") == 4  # two subtotals, and once more each in the summary
    assert "¥247,500,062.52" in text
    assert "贰亿肆仟柒佰伍拾万零陆拾贰元伍角贰分" in text


def test_the_bill_says_what_is_paid_apart() -> None:
    values = short_values("joint_bill")
    values["payees"][1]["merged"] = False
    text = read("joint_bill", values)
    assert "其中合并缴纳123,750,031.26元，单独缴纳123,750,031.26元" in text


def test_a_bill_of_nothing_says_so() -> None:
    text = read("joint_bill", short_values("joint_bill") | {"payees": [], "total_fen": 0})
    assert "零元整" in text
    assert "本次没有需要您缴纳的费用" in text


def test_a_bill_that_does_not_add_up_is_refused() -> None:
    with pytest.raises(ValidationError, match="sum to"):
        KINDS["joint_bill"].model.model_validate(short_values("joint_bill") | {"total_fen": 1})


def test_a_receipt_whose_shares_do_not_add_up_is_refused() -> None:
    values = copy.deepcopy(short_values("payment_receipt"))
    values["orders"][0]["shares"][0]["amount_fen"] += 1
    with pytest.raises(ValidationError, match="shares"):
        KINDS["payment_receipt"].model.model_validate(values)


def test_the_receipt_is_no_invoice() -> None:
    text = read("payment_receipt", short_values("payment_receipt"))
    assert "本凭证不是发票" in text
    assert "4200002026122408153300018822" in text
    assert "2026年12月24日08:15:33" in text


@pytest.mark.parametrize("title", ["供用电合同", "供用水合同", "供用气合同", "供用热合同", "网络接入服务协议"])
def test_each_contract_bears_its_own_title(title: str) -> None:
    assert title in read("supply_contract", short_values("supply_contract") | {"title": title})


def test_contract_clauses_are_frozen_with_the_values() -> None:
    stored = KINDS["supply_contract"].model.model_validate(short_values("supply_contract")).model_dump(mode="json")
    assert [(c["title"], c["text"]) for c in stored["clauses"]] == list(standard_clauses("power"))
    stored["clauses"] = [{"title": "当年约定", "text": "按当年的条文执行。"}]
    text = read("supply_contract", stored)
    assert "第一条当年约定按当年的条文执行。" in text
    assert "供电质量" not in text


def test_an_unknown_utility_gets_the_common_clauses() -> None:
    titles = [title for title, _ in standard_clauses("hydrogen")]
    assert titles[0] == "供应服务"
    assert "争议解决" in titles
    assert len(titles) == len(standard_clauses("water"))


def test_an_unsigned_contract_waits_for_both_sides() -> None:
    assert read("supply_contract", short_values("supply_contract")).count("（待签署）") == 2
    signed = read("supply_contract", long_values("supply_contract"))
    assert "待签署" not in signed
    assert "签署人孙伟" in signed
    assert "2026年12月2日（周三）16:40" in signed


def test_a_later_reply_is_a_numbered_supplement_and_names_who_is_late() -> None:
    kind = KINDS["joint_reply"]
    assert kind.title_for(kind.model.model_validate(long_values("joint_reply"))) == "联合答复书（第 1 号补充）"
    text = read("joint_reply", long_values("joint_reply"))
    assert "逾期未答复" in text
    assert "未在期限内答复，期限为2026年11月30日" in text
    assert "最近管网约2,600米。计划2028年通达。替代办法：可选用其他运营商。" in text


def test_options_stand_side_by_side_with_what_the_user_pays() -> None:
    values = short_values("joint_reply")
    options = KINDS["joint_reply"].model.model_validate(values).replies[1].options
    assert [option.code for option in options] == ["A", "B"]
    assert options[0].user_fen == sum(line.amount_fen for line in options[0].lines if line.payer == "user")
    assert "方案A市政管网直接接入B市政管网直接接入" in read("joint_reply", values)


def test_the_works_plan_counts_saved_trench_and_days() -> None:
    text = read("works_plan", short_values("works_plan"))
    assert "共沟施工比各自开挖少挖408.5米" in text
    assert "总工期2027年4月1日至2027年5月5日，共35天" in text


def test_a_window_that_ends_before_it_starts_is_refused() -> None:
    values = copy.deepcopy(short_values("works_plan"))
    values["windows"][0]["end_on"] = "2027-03-01"
    with pytest.raises(ValidationError, match="ends on or after"):
        KINDS["works_plan"].model.model_validate(values)


def test_verdicts_are_words_with_a_shape() -> None:
    text = read("acceptance_opinion", long_values("acceptance_opinion"))
    assert {"●通过", "▲限期整改", "■不通过"} <= {text[i : i + n] for i in range(len(text)) for n in (3, 4, 5)}


def test_five_thousand_rooms_keep_the_order_of_providers() -> None:
    model = KINDS["completion_notice"].model.model_validate(long_values("completion_notice"))
    names = [points[0].provider_name for points in model.by_provider]
    assert names == list(dict.fromkeys(point.provider_name for point in model.points))
    assert sum(len(points) for points in model.by_provider) == len(model.points)
