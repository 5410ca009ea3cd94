"""终版报价: the applicant confirms a changed quote again; bill, refund and contract follow, or all stays as it was."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from portal.billing.ledger_check import verify_ledger
from portal.cases.tables import Pause, QuoteChange
from portal.journey import requotes
from portal.journey.pages_case import case_page
from portal.kernel.database import db
from portal.kernel.errors import Conflict, Invalid, NotFound
from tests.journey.paying import pay
from tests.journey.players import MILL, CaseWalk
from tests.journey.test_bill_changes import money
from tests.journey.test_joint_process_gates import quote_of, reply_with_price


@pytest.fixture
def mill(bare_app: Flask) -> CaseWalk:
    """A case in review whose water provider has quoted three of one item."""
    return CaseWalk(MILL, outside_line_m=140).open().walk_to("reply")


def priced(walk: CaseWalk) -> str:
    provider = next(p for p in walk.tracks() if p.startswith("water"))
    reply_with_price(walk, provider)
    walk.provide("reply")
    walk.play("confirm")
    walk.draw(provider)
    return provider


def times(walk: CaseWalk, provider: str, count: int) -> list[dict[str, Any]]:
    (line,) = quote_of(walk, provider)
    return [line | {"quantity": str(count), "amount_fen": count * line["unit_price_fen"]}]


def requote(walk: CaseWalk, provider: str, count: int, stage: str = "review") -> str:
    walk.report(walk.task(provider, stage), "quote_final", quote=times(walk, provider, count), reason="管径变化")
    return db.session.scalars(select(QuoteChange.id).where(QuoteChange.state == "open")).one()


def decide(walk: CaseWalk, change_id: str, verdict: str, actor: Any = None) -> None:
    walk.pass_time()
    db.session.remove()
    requotes.decide_quote(
        actor or walk.applicant,
        case_no=walk.case_no,
        change_id=change_id,
        verdict=verdict,
        at=walk.at,
        wire_at=walk.at,
    )


def finish(walk: CaseWalk) -> None:
    for stage in ("review", "permits", "works", "acceptance", "connection"):
        walk.play(stage)
    assert walk.case.state == "closed"
    assert verify_ledger(db.session()) is None


def test_an_accepted_quote_asks_for_the_difference_and_for_a_new_signature(mill: CaseWalk):
    provider = priced(mill)
    (one,) = quote_of(mill, provider)
    assert pay(mill) == one["amount_fen"]
    change_id = requote(mill, provider, 3)
    assert mill.task(provider, "review").state == "waiting_applicant"
    (form,) = case_page(mill.applicant, mill.case_no, mill.at).todo.quotes
    assert (form.before_fen, form.now_fen) == (one["amount_fen"], 3 * one["amount_fen"])
    assert money(mill).owed_fen == 0  # nothing is owed anew before the applicant has said so
    decide(mill, change_id, "accept")
    task = mill.task(provider, "review")
    assert task.state == "working"
    (pause,) = db.session.scalars(select(Pause).where(Pause.task_id == task.id))
    assert (pause.reason, pause.end_at) == ("contract_signing", mill.at)
    assert money(mill).owed_fen == 2 * one["amount_fen"]
    assert mill.sign() == 1
    assert pay(mill) == 2 * one["amount_fen"]
    finish(mill)
    assert len(mill.record()["bill"]["numbers"]) == 2


def test_a_lower_quote_is_a_lower_bill_before_and_a_debt_to_the_customer_after_payment(mill: CaseWalk):
    provider = priced(mill)
    (one,) = quote_of(mill, provider)
    decide(mill, requote(mill, provider, 4), "accept")
    decide(mill, requote(mill, provider, 2), "accept")
    assert (money(mill).owed_fen, money(mill).refund_fen) == (2 * one["amount_fen"], 0)
    mill.sign()
    assert pay(mill) == 2 * one["amount_fen"]
    decide(mill, requote(mill, provider, 1), "accept")
    assert (money(mill).owed_fen, money(mill).refund_fen) == (0, one["amount_fen"])
    mill.sign()
    finish(mill)
    assert mill.record()["bill"]["owed_back_fen"] == one["amount_fen"]


def test_a_refused_quote_changes_nothing(mill: CaseWalk):
    provider = priced(mill)
    owed = money(mill).owed_fen
    change_id = requote(mill, provider, 3)
    with pytest.raises(Conflict):  # one at a time
        mill.report(mill.task(provider, "review"), "quote_final", quote=times(mill, provider, 2), reason="再调整")
    with pytest.raises(NotFound):
        decide(mill, change_id, "accept", stranger(mill))
    with pytest.raises(Invalid):
        decide(mill, change_id, "perhaps")
    decide(mill, change_id, "refuse")
    assert money(mill).owed_fen == owed
    with pytest.raises(Conflict):
        decide(mill, change_id, "accept")
    pay(mill)
    finish(mill)


def stranger(walk: CaseWalk) -> Any:
    return replace(walk.applicant, id="applicant-2", subject_ids=frozenset({"applicant-2"}))


def test_a_quote_that_changes_nothing_or_is_not_published_is_refused(mill: CaseWalk):
    provider = priced(mill)
    for fields, field in (
        ({"quote": times(mill, provider, 1)}, "quote"),
        ({"quote": times(mill, provider, 2), "option_code": "Z"}, "option_code"),
        ({"quote": [times(mill, provider, 2)[0] | {"fee_item": "no.such"}]}, "quote.0.fee_item"),
    ):
        with pytest.raises(Invalid) as refused:
            mill.report(mill.task(provider, "review"), "quote_final", reason="管径变化", **fields)
        assert refused.value.errors[0].field == field


def test_the_quote_stands_once_the_works_have_begun(mill: CaseWalk):
    provider = priced(mill)
    pay(mill)
    for stage in ("review", "permits"):
        mill.play(stage)
    assert "quote_final" in mill.document(mill.task(provider, "works"))["expects"]
    for status in ("planned", "started"):
        mill.report(mill.task(provider, "works"), "works", status=status)
    assert "quote_final" not in mill.document(mill.task(provider, "works"))["expects"]
