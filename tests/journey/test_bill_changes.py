"""A bill after its provider left: nothing is owed to it any more, what was paid is owed back, and the case closes."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import select

from portal.billing.ledger_check import verify_ledger
from portal.billing.tables import Bill, BillLine
from portal.documents.tables import Document
from portal.journey.case_files import load_case
from portal.journey.pages_case_money import money_view
from portal.kernel.database import db
from tests.journey.paying import pay
from tests.journey.players import MILL, CaseWalk
from tests.journey.test_joint_process_gates import quote_of, reply_with_price
from tests.journey.test_joint_process_refusals import WHY


def two_priced(walk: CaseWalk) -> tuple[str, str]:
    """A case at the end of its review in which water and power want money before works."""
    walk.walk_to("reply")
    water = next(p for p in walk.tracks() if p.startswith("water"))
    other = next(p for p, track in walk.tracks().items() if track.utility == "network")
    for provider in (water, other):
        reply_with_price(walk, provider)
    walk.provide("reply")
    walk.play("confirm")
    return water, other


def leave(walk: CaseWalk, provider: str) -> None:
    task = next(t for t in walk.tasks() if t.provider == provider and t.state in ("issued", "received", "working"))
    walk.report(task, "declined", **WHY)
    walk.decide("confirm")


@pytest.fixture
def mill(bare_app: Flask) -> CaseWalk:
    return CaseWalk(MILL, outside_line_m=140).open()


def money(walk: CaseWalk):
    return money_view(db.session(), load_case(db.session(), case_no=walk.case_no, lock=False).case.id, at=walk.at)


def test_who_leaves_unpaid_is_owed_nothing_and_the_bill_says_so(mill: CaseWalk):
    water, other = two_priced(mill)
    owed = {p: quote_of(mill, p)[0]["amount_fen"] for p in (water, other)}
    assert money(mill).owed_fen == sum(owed.values())
    leave(mill, water)
    bill = db.session.scalars(select(Bill)).one()
    assert (bill.revision, bill.total_fen, bill.state) == (2, owed[other], "issued")
    papers = [d for d in db.session.scalars(select(Document)) if d.kind == "joint_bill"]
    assert sorted((d.number, d.state == "replaced") for d in papers) == [
        (bill.number, True),
        (f"{bill.number}-2", False),
    ]
    assert (money(mill).owed_fen, money(mill).refund_fen) == (owed[other], 0)
    assert pay(mill) == owed[other]
    for stage in ("review", "permits", "works", "acceptance", "connection"):
        mill.play(stage)
    assert mill.case.state == "closed"


def test_what_was_paid_to_who_leaves_is_owed_back(mill: CaseWalk):
    water, _other = two_priced(mill)
    paid = pay(mill)
    leave(mill, water)
    due = quote_of(mill, water)[0]["amount_fen"]
    assert (money(mill).owed_fen, money(mill).refund_fen) == (0, due)
    line = db.session.scalars(select(BillLine).where(BillLine.provider == water)).one()
    assert (line.paid_fen, line.owed_fen, line.refund_fen) == (due, 0, due)
    assert [event.facts["owed_back_fen"] for event in mill.events("bill_changed")] == [due]
    for stage in ("review", "permits", "works", "acceptance", "connection"):
        mill.play(stage)
    assert mill.case.state == "closed"
    bill = mill.record()["bill"]
    assert (bill["owed_back_fen"], sum(row["paid_fen"] for row in bill["lines"])) == (due, paid)
    assert verify_ledger(db.session()) is None
