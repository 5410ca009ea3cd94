"""Ordering, rendering and handing out documents, on both databases."""

from __future__ import annotations

import datetime as dt
import hashlib

import pytest
from flask import Flask
from pydantic import ValidationError
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from portal.documents.queries import case_documents, find_by_verify_code, list_documents
from portal.documents.tables import Document, DocumentFile
from portal.exchange.tables import Job
from portal.journey import papers
from portal.kernel.database import db, transaction
from portal.kernel.errors import Conflict, NotAllowed, NotFound, NotSignedIn, Unavailable
from portal.kernel.policy import ANONYMOUS, Actor
from tests.conftest import AT
from tests.documents.papers_to_print import short_values

BASE = "https://yikou.example"
OWNER = Actor(kind="person", id="p1", name="李某", roles=frozenset({"applicant"}), subject_ids=frozenset({"org-1"}))
STRANGER = Actor(kind="person", id="p2", name="陈某", roles=frozenset({"applicant"}), subject_ids=frozenset({"org-2"}))
CLERK = Actor(kind="person", id="c1", name="张敏", roles=frozenset({"clerk"}))
ADMIN = Actor(kind="person", id="a1", name="管理员", roles=frozenset({"admin"}))
POWER = Actor(kind="provider", id="k1", name="供电", provider_code="power-linhe")
WATER = Actor(kind="provider", id="k2", name="供水", provider_code="water-linhe")

pytestmark = pytest.mark.usefixtures("bare_app")


def order(
    kind: str = "payment_receipt", *, provider: str | None = None, at: dt.datetime = AT, **changed: object
) -> str:
    values = short_values(kind) | changed
    number = str(values.pop("number"))
    with transaction() as session:
        return papers.order_document(
            session,
            kind=kind,
            subject_id="org-1",
            number=number,
            values=values,
            at=at,
            case_id="case-1",
            provider=provider,
        )


def row(document_id: str) -> Document:
    db.session.remove()
    return db.session.get_one(Document, document_id)


def files() -> int:
    return db.session.scalar(select(func.count()).select_from(DocumentFile)) or 0


def test_an_order_freezes_values_and_queues_one_job() -> None:
    document_id = order("supply_contract")
    document = row(document_id)
    assert (document.state, document.sha256, document.title) == ("pending", None, "供用电合同")
    assert document.values["number"] == document.number
    assert document.values["clauses"]
    jobs = db.session.scalars(select(Job)).all()
    assert [(job.kind, job.key, job.payload) for job in jobs] == [
        ("render_document", document_id, {"document_id": document_id})
    ]


def test_the_date_of_issue_is_the_business_day_in_shanghai() -> None:
    values = short_values("payment_receipt")
    del values["issued_on"]
    late = dt.datetime(2026, 11, 23, 17, 0, tzinfo=dt.UTC)  # 01:00 of the 24th in Shanghai
    with transaction() as session:
        document_id = papers.order_document(
            session, kind="payment_receipt", subject_id="org-1", number="PZ1", values=values, at=late
        )
    assert row(document_id).values["issued_on"] == "2026-11-24"


def test_wrong_values_are_the_callers_mistake_and_leave_nothing() -> None:
    with pytest.raises(ValidationError):
        order(total_fen=1)
    assert db.session.scalar(select(func.count()).select_from(Document)) == 0
    assert db.session.scalar(select(func.count()).select_from(Job)) == 0


def test_rendering_stores_the_bytes_once(bare_app: Flask) -> None:
    document_id = order()
    assert papers.render_document(document_id, AT, base_url=BASE) == "ready"
    first = papers.document_pdf(OWNER, document_id)
    document = row(document_id)
    assert document.state == "ready"
    assert document.ready_at == AT
    assert document.sha256 == hashlib.sha256(first.content).hexdigest()
    assert document.seal_box is not None
    assert document.seal_box[0] == 1
    assert papers.render_document(document_id, AT + dt.timedelta(days=1), base_url="https://other.example") == "ready"
    assert papers.document_pdf(OWNER, document_id) == first
    assert row(document_id).ready_at == AT
    assert files() == 1
    assert first.name == "缴费凭证-LB261123-4H8WZT-PZ1.pdf"


def test_a_slower_second_worker_changes_nothing() -> None:
    document_id = order()
    slower = row(document_id)
    rendered = papers._render(slower, BASE)  # has read "pending" and is still laying out
    papers.render_document(document_id, AT, base_url=BASE)
    before = row(document_id).sha256
    papers._store(document_id, rendered, AT + dt.timedelta(minutes=1))
    assert row(document_id).sha256 == before
    assert row(document_id).ready_at == AT
    assert files() == 1


def test_stored_bytes_cannot_be_changed_or_removed() -> None:
    document_id = order()
    papers.render_document(document_id, AT, base_url=BASE)
    for statement in ("UPDATE document_file SET content = content", "DELETE FROM document_file"):
        with pytest.raises(DBAPIError, match="insert-only"), transaction() as session:
            session.execute(text(statement))
    assert files() == 1


def test_a_missing_character_fails_at_once_and_is_named() -> None:
    document_id = order(applicant="𠮷野食品有限公司", payer="𠮷野食品有限公司")
    assert papers.render_document(document_id, AT, base_url=BASE) == "failed"
    document = row(document_id)
    assert (document.state, document.tries) == ("failed", 1)
    assert "U+20BB7" in str(document.error)
    with pytest.raises(Unavailable):
        papers.document_pdf(OWNER, document_id)
    assert papers.render_document(document_id, AT, base_url=BASE) == "failed"
    assert row(document_id).tries == 1


def break_values(document_id: str) -> dict:
    """What a rolled-back release could leave behind: stored values this code cannot read."""
    values = dict(row(document_id).values)
    with transaction() as session:
        session.get_one(Document, document_id).values = values | {"from_a_later_release": 1}
    return values


def test_other_failures_are_raised_twice_and_final_the_third_time() -> None:
    document_id = order()
    break_values(document_id)
    for tries in (1, 2):
        with pytest.raises(ValidationError):
            papers.render_document(document_id, AT, base_url=BASE)
        document = row(document_id)
        assert (document.state, document.tries) == ("pending", tries)
        assert "from_a_later_release" in str(document.error)
    assert papers.render_document(document_id, AT, base_url=BASE) == "failed"
    assert row(document_id).state == "failed"


def test_an_administrator_sends_a_failed_document_round_again() -> None:
    document_id = order()
    good = break_values(document_id)
    for _ in range(2):
        with pytest.raises(ValidationError):
            papers.render_document(document_id, AT, base_url=BASE)
    papers.render_document(document_id, AT, base_url=BASE)
    with transaction() as session:
        session.get_one(Document, document_id).values = good
    with pytest.raises(NotAllowed):
        papers.render_again(CLERK, document_id, wire_at=AT)
    papers.render_again(ADMIN, document_id, wire_at=AT)
    assert db.session.scalar(select(func.count()).select_from(Job)) == 2
    assert papers.render_document(document_id, AT, base_url=BASE) == "ready"
    assert row(document_id).error is None
    with pytest.raises(Conflict):
        papers.render_again(ADMIN, document_id, wire_at=AT)


def test_an_unknown_document_is_not_found() -> None:
    for call in (
        lambda: papers.render_document("0" * 32, AT, base_url=BASE),
        lambda: papers.document_pdf(CLERK, "0" * 32),
    ):
        with pytest.raises(NotFound):
            call()


def test_a_paper_in_the_making_says_so() -> None:
    with pytest.raises(Conflict) as caught:
        papers.document_pdf(OWNER, order())
    assert caught.value.code == "document_pending"


def test_only_those_concerned_get_a_paper() -> None:
    joint = order()
    contract = order("supply_contract", provider="power-linhe")
    for document_id in (joint, contract):
        papers.render_document(document_id, AT, base_url=BASE)
    for actor, seen in ((OWNER, {joint, contract}), (CLERK, {joint, contract}), (POWER, {contract})):
        assert {line.id for line in list_documents(db.session(), actor, case_id="case-1")} == seen
        for document_id in seen:
            assert papers.document_pdf(actor, document_id).content.startswith(b"%PDF")
    for actor in (STRANGER, WATER):
        assert list_documents(db.session(), actor, case_id="case-1") == ()
        for document_id in (joint, contract):
            with pytest.raises(NotFound):
                papers.document_pdf(actor, document_id)
    with pytest.raises(NotFound):
        papers.document_pdf(POWER, joint)
    with pytest.raises(NotSignedIn):
        papers.document_pdf(ANONYMOUS, joint)


def test_the_code_on_the_paper_finds_it_however_it_is_typed() -> None:
    document_id = order()
    code = row(document_id).verify_code
    pending = find_by_verify_code(db.session(), code)
    assert pending is not None
    assert (pending.state, pending.sha256) == ("pending", None)
    papers.render_document(document_id, AT, base_url=BASE)
    typed = f" {code[:5].lower()}-{code[5:].lower()} ".replace("0", "o").replace("1", "l")
    found = find_by_verify_code(db.session(), typed)
    assert found is not None
    assert (found.title, found.number, found.state) == ("缴费凭证", "LB261123-4H8WZT-PZ1", "ready")
    assert found.issued_on == dt.date(2026, 11, 23)
    assert found.sha256 == row(document_id).sha256
    assert find_by_verify_code(db.session(), "0000000000") is None
    assert find_by_verify_code(db.session(), "' OR 1=1 --") is None


def test_papers_of_one_number_get_file_names_of_their_own() -> None:
    order("supply_contract", at=AT)
    order("supply_contract", at=AT + dt.timedelta(days=9))
    names = [paper["file"] for paper in case_documents(db.session(), "case-1")]
    assert names == [
        "supply_contract-LB261123-4H8WZT-HT-power.pdf",
        "supply_contract-LB261123-4H8WZT-HT-power-2.pdf",
    ]
