"""Rules that stand in another wing and hold in the process: gas is accepted on site, fees have published names."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from portal.kernel.errors import Invalid
from tests.journey.players import RESTAURANT, CaseWalk, system_of

GAS = "gas-linhe"
SAFETY_SET: dict[str, Any] = {
    "fee_item": "gas.safety-set",
    "quantity": "1",
    "unit_price_fen": 350_000,
    "amount_fen": 350_000,
    "payer": "user",
    "payee": "燃气公司",
    "boundary": "inside",
    "vat_rate": "9",
    "basis": "公示收费清单",
}


@pytest.fixture
def walk(bare_app: Flask) -> CaseWalk:
    return CaseWalk(RESTAURANT).open()


def test_gas_is_not_accepted_from_afar(walk: CaseWalk):
    walk.walk_to("acceptance")
    task = walk.task(GAS, "acceptance")
    with pytest.raises(Invalid) as refused:
        walk.report(task, "acceptance", mode="remote")
    assert [(error.field, error.code) for error in refused.value.errors] == [("mode", "gas_on_site")]
    answer = walk.send(system_of(GAS), task, walk.report_body(task, "acceptance", mode="remote"))
    assert answer.status == 422
    assert walk.task(GAS, "acceptance").state != "done"
    walk.report(task, "acceptance", mode="site")
    assert walk.task(GAS, "acceptance").state == "done"


def test_the_joint_reply_names_fees_as_published(walk: CaseWalk):
    option = {"code": "A", "title": "就近接入", "summary": "从现有管线接入", "works_days": 10, "quote": [SAFETY_SET]}
    walk.report(walk.task(GAS, "reply"), "reply", options=[option])
    walk.provide("reply", but=(GAS,))
    offers = {part["provider"]: part for part in walk.replies()[0].content["providers"]}
    line = offers[GAS]["options"][0]["quote"][0]
    assert (line["fee_item"], line["title"]) == ("gas.safety-set", "阀门、报警和切断装置安装")


def test_a_reply_is_not_valid_until_yesterday(walk: CaseWalk):
    with pytest.raises(Invalid) as refused:
        walk.report(walk.task(GAS, "reply"), "reply", valid_until_on="2026-11-22")
    assert [(error.field, error.code) for error in refused.value.errors] == [("valid_until_on", "expired")]
    walk.report(walk.task(GAS, "reply"), "reply", valid_until_on="2026-11-23")
    assert walk.task(GAS, "reply").state == "done"
