"""Filing end to end on both databases: one application per key, nothing left behind by a refusal, one correction."""

from __future__ import annotations

import copy
import io
import json
import threading
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from PIL import Image
from sqlalchemy import func, select

import portal.catalog
from portal.cases.tables import Application, MaterialFile
from portal.catalog.queries import seed_catalog
from portal.catalog.reading import load_catalog
from portal.journey.filing import (
    Correction,
    Override,
    file_application,
    read_status,
    refile,
    return_application,
)
from portal.journey.materials import material_bytes, store_material
from portal.kernel.audit import AuditRecord
from portal.kernel.database import db, transaction
from portal.kernel.errors import Conflict, Invalid, NotAllowed, NotFound, NotSignedIn
from portal.kernel.idempotency import IdempotencyRecord
from portal.kernel.policy import ANONYMOUS, Actor
from tests.conftest import AT

SAMPLES = Path(__file__).parents[1] / "samples" / "applications"
BODIES = {path.stem[:2]: json.loads(path.read_text("utf-8")) for path in SAMPLES.glob("*.json")}
CITY = Path(portal.catalog.__file__).parent / "cities" / "150800"
FIRM = "org-1"
APPLICANT = Actor(
    kind="person", id="p1", name="李某", roles=frozenset({"applicant"}), subject_ids=frozenset({"p1", FIRM})
)
STRANGER = Actor(kind="person", id="p2", name="张某", roles=frozenset({"applicant"}), subject_ids=frozenset({"p2"}))
CLERK = Actor(kind="person", id="c1", name="窗口", roles=frozenset({"clerk"}), subject_ids=frozenset({"c1"}))
PORTAL = Actor(kind="portal", id="k1", name="政务平台", scopes=frozenset({"applications"}))
OTHER_PORTAL = Actor(kind="portal", id="k2", name="另一平台", scopes=frozenset({"applications"}))


@pytest.fixture
def city(bare_app: Flask) -> Flask:
    with transaction() as session:
        seed_catalog(session, load_catalog(CITY), at=AT)
    return bare_app


def sample(name: str = "01", **changes: Any) -> dict[str, Any]:
    return {**copy.deepcopy(BODIES[name]), **changes}


def file(actor: Actor = APPLICANT, body: Any = None, key: str = "k1", **options: Any):
    values = {"channel": "web", "subject_id": FIRM, "at": AT, **options}
    return file_application(actor, body=sample() if body is None else body, idempotency_key=key, **values)


def count(model: Any) -> int:
    return db.session.scalar(select(func.count()).select_from(model)) or 0


def picture(actor: Actor = APPLICANT) -> str:
    out = io.BytesIO()
    Image.new("RGB", (9, 9)).save(out, "PNG")
    return store_material(actor, name="照片.png", content=out.getvalue(), at=AT).material_id


@pytest.mark.parametrize("name", sorted(BODIES))
def test_every_sample_is_filed(city: Flask, name: str):
    body = sample(name)
    actor = CLERK if body["channel"] == "counter" else APPLICANT
    filed = file(actor, body, channel=body["channel"])
    row = db.session.scalars(select(Application)).one()
    assert (row.application_no, row.id) == (filed.application_no, filed.application_id)
    assert filed.application_no.startswith("SQ261123-")
    assert (row.state, row.channel, row.subject_id, row.filed_by) == ("filed", body["channel"], FIRM, actor.id)
    assert row.body["applicant"] == body["applicant"]
    assert [item["utility"] for item in row.not_served] == (["gas"] if name == "08" else [])
    assert filed.created
    assert filed.case_no is None
    record = db.session.scalars(select(AuditRecord).where(AuditRecord.action == "application.filed")).one()
    assert record.subject == filed.application_no


def test_the_same_key_and_body_give_the_first_answer(city: Flask):
    first, second = file(), file()
    assert not second.created
    assert second.application_no == first.application_no
    assert second.owed_bytes == first.owed_bytes
    assert count(Application) == 1


def test_the_same_key_with_another_body_is_refused(city: Flask):
    file()
    with pytest.raises(Invalid) as caught:
        file(body=sample(merged_bill=False))
    assert caught.value.code == "idempotency_mismatch"
    assert count(Application) == 1


def test_keys_belong_to_their_caller(city: Flask):
    file()
    file(CLERK, sample(channel="counter"), channel="counter")
    assert count(Application) == 2


def test_a_refusal_leaves_nothing_behind_and_the_key_free(city: Flask):
    wrong = sample(notice_version=7, kind="magic")
    wrong["materials"][0]["file"] = "0" * 32
    with pytest.raises(Invalid) as caught:
        file(body=wrong)
    assert {error.field for error in caught.value.errors} == {"notice_version", "kind", "materials.0.file"}
    assert [count(model) for model in (Application, IdempotencyRecord, AuditRecord)] == [0, 0, 0]
    assert file().created


def test_eight_threads_with_one_key_file_one_application(city: Flask):
    answers: list[Any] = []
    start = threading.Barrier(8)

    def run() -> None:
        with city.app_context():
            start.wait()
            answers.append(file())

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({answer.application_no for answer in answers}) == 1
    assert sorted(answer.created for answer in answers) == [False] * 7 + [True]
    assert count(Application) == 1


@pytest.mark.parametrize(
    ("actor", "error"), [(ANONYMOUS, NotSignedIn), (STRANGER, NotAllowed), (Actor(kind="portal", id="x"), NotAllowed)]
)
def test_only_who_may_act_for_the_subject_files(city: Flask, actor: Actor, error: type[Exception]):
    with pytest.raises(error):
        file(actor)
    assert count(Application) == 0


def test_files_are_bound_to_one_application(city: Flask):
    material_id = picture()
    body = sample()
    body["materials"][2]["file"] = material_id
    filed = file(body=body)
    row = db.session.get(MaterialFile, material_id)
    assert row is not None
    assert (row.application_id, row.kind) == (filed.application_id, "property_right")
    assert "property_right.pdf" not in filed.owed_bytes
    with pytest.raises(Invalid) as caught:
        file(body=body, key="k2")
    assert [(error.field, error.code) for error in caught.value.errors] == [("materials.2.file", "already_used")]


def test_one_file_raced_for_by_eight_applications_goes_to_one(city: Flask):
    body, won, lost = sample(), [], []
    body["materials"][2]["file"] = picture()
    start = threading.Barrier(8)

    def run(number: int) -> None:
        with city.app_context():
            start.wait()
            try:
                won.append(file(body=body, key=f"key-{number}"))
            except Invalid as refusal:
                lost.append(refusal.errors[0].code)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(won), lost) == (1, ["already_used"] * 7)
    assert count(Application) == 1


def test_a_strangers_file_looks_absent(city: Flask):
    body = sample()
    body["materials"][2]["file"] = picture(STRANGER)
    with pytest.raises(Invalid) as caught:
        file(body=body)
    assert [(error.field, error.code) for error in caught.value.errors] == [("materials.2.file", "file_unknown")]


def test_an_override_needs_a_clerk_and_evidence(city: Flask):
    body = sample(channel="counter")
    body["applicant"]["uscc"] = "91150802MA13K7X266"
    seen = Override("applicant.uscc", "营业执照原件")
    with pytest.raises(NotAllowed):
        file(APPLICANT, body, channel="counter", overrides=[seen])
    with pytest.raises(Invalid):
        file(CLERK, body, channel="counter", overrides=[Override("applicant.uscc", " ")])
    filed = file(CLERK, body, channel="counter", overrides=[seen])
    row = db.session.scalars(select(Application)).one()
    assert row.overrides == [{"field": "applicant.uscc", "evidence": "营业执照原件"}]
    assert "uscc_check" in {note["code"] for note in filed.notes}


def test_a_correction_is_asked_once_and_mended_under_the_same_number(city: Flask):
    number = file().application_no
    asked = [Correction("site.address", "请写明门牌号。"), Correction("materials", "红线图不清晰，请重传。")]
    return_application(CLERK, application_no=number, corrections=asked, at=AT)
    status = read_status(APPLICANT, application_no=number)
    assert (status.state, status.corrections) == ("returned", tuple(asked))

    body = sample()
    body["site"]["address"] = "巴彦淖尔经济技术开发区纬三路1号"
    again = refile(APPLICANT, application_no=number, body=body, idempotency_key="r1", at=AT)
    assert again.application_no == number
    assert refile(APPLICANT, application_no=number, body=body, idempotency_key="r1", at=AT).created is False
    row = db.session.scalars(select(Application)).one()
    assert (row.state, row.body["site"]["address"]) == ("filed", body["site"]["address"])
    assert read_status(APPLICANT, application_no=number).corrections == ()

    with pytest.raises(Conflict) as caught:
        return_application(CLERK, application_no=number, corrections=asked[:1], at=AT)
    assert caught.value.code == "asked_already"
    return_application(CLERK, application_no=number, corrections=asked[:1], at=AT, why_again="现场核实后发现")
    assert read_status(APPLICANT, application_no=number).corrections == tuple(asked[:1])


def test_only_a_returned_application_is_filed_again(city: Flask):
    number = file().application_no
    with pytest.raises(Conflict):
        refile(APPLICANT, application_no=number, body=sample(), idempotency_key="r1", at=AT)
    return_application(CLERK, application_no=number, corrections=[Correction("site", "请核对。")], at=AT)
    with pytest.raises(NotFound):
        refile(STRANGER, application_no=number, body=sample(), idempotency_key="r1", at=AT)
    with pytest.raises(Invalid):
        refile(APPLICANT, application_no=number, body=sample(kind="magic"), idempotency_key="r1", at=AT)
    assert read_status(APPLICANT, application_no=number).state == "returned"


def test_only_clerks_return_applications(city: Flask):
    number = file().application_no
    for actor in (APPLICANT, PORTAL):
        with pytest.raises(NotAllowed):
            return_application(actor, application_no=number, corrections=[Correction("site", "x")], at=AT)
    with pytest.raises(Invalid):
        return_application(CLERK, application_no=number, corrections=[], at=AT)


def test_a_key_sees_only_what_it_filed(city: Flask):
    number = file(PORTAL, sample(channel="gov_portal"), channel="gov_portal").application_no
    assert read_status(PORTAL, application_no=number).state == "filed"
    for actor in (OTHER_PORTAL, STRANGER):
        with pytest.raises(NotFound):
            read_status(actor, application_no=number)
    with pytest.raises(NotFound):
        read_status(PORTAL, application_no="SQ000000-XXXXXX")


def test_files_are_read_by_owner_applicant_staff_and_own_part_only(city: Flask):
    material_id = picture(PORTAL)
    body = sample(channel="gov_portal")
    body["materials"][2]["file"] = material_id
    file(PORTAL, body, channel="gov_portal")
    power = Actor(kind="provider", id="pk", provider_code="power", scopes=frozenset({"tasks"}))
    for actor in (PORTAL, APPLICANT, CLERK):
        assert material_bytes(actor, material_id).media_type == "image/png"
    assert material_bytes(power, material_id, provider="power").name == "照片.png"
    for actor, provider in ((STRANGER, None), (OTHER_PORTAL, None), (power, None), (power, "water")):
        with pytest.raises(NotFound):
            material_bytes(actor, material_id, provider=provider)
    with pytest.raises(NotSignedIn):
        material_bytes(ANONYMOUS, material_id)
    with pytest.raises(NotFound):
        material_bytes(CLERK, "0" * 32)


def test_what_cannot_be_stored_is_named(city: Flask):
    for content, kind, field in ((b"MZ", None, "file"), (b"", None, "file"), (b"MZ", "selfie", "kind")):
        with pytest.raises(Invalid) as caught:
            store_material(APPLICANT, name="x", content=content, kind=kind, at=AT)
        assert caught.value.errors[0].field == field
    with pytest.raises(NotSignedIn):
        store_material(ANONYMOUS, name="x", content=b"", at=AT)
    assert count(MaterialFile) == 0
