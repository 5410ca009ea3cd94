"""From the bill to booked money, on both databases, against the gateway simulator over real HTTP."""

# ruff: noqa: F811 - pytest fixtures come in by name

from __future__ import annotations

import pytest
from sqlalchemy import select

from portal.billing.ledger_check import verify_ledger
from portal.billing.queries import case_money, is_bill_paid, is_paid_for, ledger_facts
from portal.billing.tables import BillLine, GatewayNotice, Payment, PaymentOrder, Split
from portal.documents.tables import Document
from portal.exchange.tables import OutboxMessage
from portal.journey import bills, payment
from portal.kernel.database import db
from portal.kernel.errors import Conflict, Invalid, NotFound
from portal.kernel.policy import ANONYMOUS, Actor
from tests.conftest import AT
from tests.journey.payment_fixtures import gateway_keys, town  # noqa: F401 - fixtures
from tests.journey.payment_world import ALONE, AMOUNTS, CLERK, PAYER, STRANGER, Town, draft
from tests.payment.gateway_world import wire_now

TOTAL = sum(AMOUNTS.values()) + sum(ALONE.values())


def states(model=PaymentOrder) -> list[str]:
    found = sorted(db.session.scalars(select(model.state)))
    db.session.remove()
    return found


def documents(kind: str) -> list[Document]:
    return list(db.session.scalars(select(Document).where(Document.kind == kind).order_by(Document.number)))


def events(type_: str) -> list[OutboxMessage]:
    return list(
        db.session.scalars(select(OutboxMessage).where(OutboxMessage.kind == type_).order_by(OutboxMessage.seq))
    )


def all_is_well() -> None:
    broken = verify_ledger(db.session())
    assert broken is None, broken


def test_one_bill_is_paid_once_and_split_to_the_fen(town: Town) -> None:
    started = town.pay_bill()
    assert [(o.rail, o.amount_fen) for o in started.orders] == [
        ("COMBINE", sum(AMOUNTS.values())),
        ("PLAIN", sum(ALONE.values())),
    ]
    session = db.session()
    record = case_money(session, town.case.id)
    assert record["payment"]["paid_fen"] == started.amount_fen == TOTAL
    assert {s["provider"]: s["amount_fen"] for s in record["splits"]} == {**AMOUNTS, **ALONE}
    assert record["bill"]["state"] == "paid"
    assert is_bill_paid(session, town.case.id)
    assert all(is_paid_for(session, town.case.id, provider) for provider in AMOUNTS)
    assert ledger_facts(session)["balanced"]
    assert len(documents("joint_bill")) == 1
    assert sum(d.values["total_fen"] for d in documents("payment_receipt")) == TOTAL
    told = {m.destination.removeprefix("provider:"): m.body for m in events("payment.received")}
    assert set(told) == {*AMOUNTS, *ALONE}
    for provider, body in told.items():
        others = {str(fen) for code, fen in {**AMOUNTS, **ALONE}.items() if code != provider}
        assert not [fen for fen in others if f'"amount_fen":{fen}' in body.decode()], (
            "a provider sees only its own part"
        )
    effects = [e["effect"] for e in town.gateway.sim.book.effects]
    assert sorted(effects) == ["order", "order", "paid", "paid"]


def test_a_bill_of_zero_needs_no_order(town: Town) -> None:
    town.issue([draft("power-bayannur", 0)])
    assert is_bill_paid(db.session(), town.case.id)
    with pytest.raises(Conflict) as refused:
        town.start()
    assert refused.value.code == "nothing_to_pay"
    assert documents("joint_bill")[0].values["total_fen"] == 0
    all_is_well()


def test_before_there_is_a_bill_nothing_is_paid(town: Town) -> None:
    assert not is_bill_paid(db.session(), town.case.id)
    with pytest.raises(NotFound):
        town.start()


def test_a_later_bill_of_the_case_is_owed_too(town: Town) -> None:
    town.pay_bill()
    town.issue([draft("gas-linhe", 7)])
    assert not is_bill_paid(db.session(), town.case.id)
    assert not is_paid_for(db.session(), town.case.id, "gas-linhe")
    assert is_paid_for(db.session(), town.case.id, "gas-linhe", before="works")
    assert town.start("pay-2").amount_fen == 7


def test_the_key_answers_again_and_another_body_is_refused(town: Town) -> None:
    town.issue()
    first = town.start()
    assert town.start() == first
    lines = sorted(db.session.scalars(select(BillLine.id)))
    with pytest.raises(Invalid) as refused:
        town.start(line_ids=lines[:1])
    assert refused.value.code == "idempotency_mismatch"


def test_a_second_tab_gets_the_payment_under_way(town: Town) -> None:
    town.issue()
    first = town.start("tab-1")
    assert town.start("tab-2") == first
    assert db.session.query(Payment).count() == 1


def test_one_utility_can_be_paid_alone_and_a_mixed_choice_is_refused_meanwhile(town: Town) -> None:
    town.issue()
    line_of = dict(db.session.query(BillLine.provider, BillLine.id).all())
    alone = town.start("gas", line_ids=[line_of["gas-linhe"]])
    assert [(o.rail, o.providers) for o in alone.orders] == [("PLAIN", ("gas-linhe",))]
    with pytest.raises(Conflict) as refused:
        town.start("mixed", line_ids=[line_of["gas-linhe"], line_of["water-linhe"]])
    assert refused.value.code == "payment_in_progress"
    rest = town.start("rest")
    assert rest.amount_fen == TOTAL - AMOUNTS["gas-linhe"]


def test_only_the_applicant_pays(town: Town) -> None:
    town.issue()
    for actor in (STRANGER, CLERK):
        with pytest.raises(NotFound):
            town.start(actor=actor)
    with pytest.raises(Exception, match="请先登录"):
        town.start(actor=ANONYMOUS)
    with pytest.raises(NotFound):
        town.start(line_ids=["f" * 32])


def test_who_sees_what_of_a_bill(town: Town) -> None:
    bill_id = town.issue()
    session = db.session()
    assert bills.bill_view(session, PAYER, bill_id=bill_id).total_fen == TOTAL
    assert bills.bill_view(session, CLERK, case_id=town.case.id).id == bill_id
    gas = Actor(kind="person", id="g", roles=frozenset({"provider_staff"}), provider_code="gas-linhe")
    own = bills.bill_view(session, gas, bill_id=bill_id)
    assert [payee.provider for payee in own.payees] == ["gas-linhe"]
    assert own.total_fen == AMOUNTS["gas-linhe"]
    other = Actor(kind="person", id="o", roles=frozenset({"provider_staff"}), provider_code="gas-other")
    for actor in (STRANGER, other):
        with pytest.raises(NotFound):
            bills.bill_view(session, actor, bill_id=bill_id)
    with pytest.raises(NotFound):
        bills.bill_view(session, PAYER, bill_id="f" * 32)


def test_an_amount_over_the_gateways_limit_is_refused_with_the_way_out(town: Town) -> None:
    town.issue([draft("heat-linhe", 1_000_000_001)])
    with pytest.raises(Conflict) as refused:
        town.start()
    assert refused.value.code == "over_gateway_limit"
    assert db.session.query(Payment).count() == 0


# ---- races


@pytest.mark.parametrize("key", ["one", None], ids=["one key", "a key each"])
def test_eight_tabs_start_one_payment(town: Town, key: str | None) -> None:
    town.issue()
    results = town.race([lambda i=i: town.start(key or f"key-{i}") for i in range(8)])
    assert [r for r in results if isinstance(r, Exception)] == []
    assert len({r.payment_id for r in results}) == 1
    assert db.session.query(PaymentOrder).count() == 2


def test_notice_and_query_race_and_book_once(town: Town) -> None:
    town.issue([draft("gas-linhe", 5_00), draft("water-linhe", 7_00)])
    order_id = town.start().orders[0].order_id
    town.deliver()
    town.gateway.sim.faults.set({"duplicate_notify": True})
    town.gateway.sim.pay(town.token(order_id))
    town.hear(2)
    notice_id = db.session.scalars(select(GatewayNotice.id)).one()
    db.session.remove()
    ask = [lambda: payment.query_order(order_id, at=AT, wire_at=wire_now())] * 4
    tell = [lambda: payment.apply_notice(notice_id, at=AT, wire_at=wire_now())] * 4
    results = town.race([*ask, *tell])
    assert [r for r in results if isinstance(r, Exception)] == []
    assert db.session.query(Split).count() == 2
    assert len(documents("payment_receipt")) == 1
    assert len(events("payment.received")) == 2
    all_is_well()
