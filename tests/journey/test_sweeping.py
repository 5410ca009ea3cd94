"""Sweeping takes what nobody will ask for again, and nothing else."""

import datetime as dt

import pytest

from portal.cases.tables import MaterialFile
from portal.journey.materials import STORED_SCOPE
from portal.journey.sweeping import ANSWERS_KEPT, UPLOADS_KEPT, Swept, sweep
from portal.kernel.audit import AuditRecord
from portal.kernel.clock import RealClock
from portal.kernel.database import db, transaction
from portal.kernel.idempotency import IdempotencyRecord, recall, remember
from portal.kernel.ids import new_id
from portal.worker.duties import SWEEP_EVERY, Ticks
from tests.api.provider_world import open_case
from tests.conftest import AT

SECOND = dt.timedelta(seconds=1)

pytestmark = pytest.mark.usefixtures("bare_app")


def upload(at: dt.datetime, application_id: str | None = None) -> str:
    file_id = new_id()
    with transaction() as session:
        session.add(
            MaterialFile(
                id=file_id,
                owner_id="p1",
                application_id=application_id,
                name="a.pdf",
                media_type="application/pdf",
                sha256="0" * 64,
                content=b"x",
                uploaded_at=at,
            )
        )
    return file_id


def answer(scope: str, key: str, at: dt.datetime) -> None:
    with transaction() as session:
        assert recall(session, scope, key, "f" * 64, at=at) is None
        remember(session, scope, key, {"ok": True})


def files() -> set[str]:
    db.session.remove()
    return {row.id for row in db.session.query(MaterialFile)}


def keys() -> set[str]:
    db.session.remove()
    return {row.key for row in db.session.query(IdempotencyRecord)}


def test_an_upload_never_handed_in_goes_when_its_time_is_over_and_is_told():
    old, young = upload(AT - UPLOADS_KEPT), upload(AT - UPLOADS_KEPT + SECOND)
    assert sweep(AT) == Swept(uploads=1, answers=0)
    assert files() == {young}
    row = db.session.query(AuditRecord).filter_by(action="store.swept").one()
    assert row.detail["upload_ids"] == [old]
    assert sweep(AT) == Swept(0, 0)
    assert db.session.query(AuditRecord).filter_by(action="store.swept").count() == 1


def test_a_paper_of_an_application_stays_for_good():
    open_case()
    from portal.cases.tables import Application

    application_id = db.session.query(Application.id).scalar()
    kept = upload(AT - 100 * UPLOADS_KEPT, application_id)
    sweep(AT)
    assert kept in files()


def test_old_answers_go_and_an_uploads_key_no_later_than_its_file():
    answer("application.filed:p1", "old", AT - ANSWERS_KEPT)
    answer("application.filed:p1", "young", AT - ANSWERS_KEPT + SECOND)
    answer(f"{STORED_SCOPE}p1", "upload-old", AT - UPLOADS_KEPT)
    answer(f"{STORED_SCOPE}p1", "upload-young", AT - UPLOADS_KEPT + SECOND)
    assert sweep(AT) == Swept(uploads=0, answers=2)
    assert keys() == {"young", "upload-young"}


def test_a_turn_takes_a_bounded_number_the_oldest_uploads_first():
    ids = [upload(AT - UPLOADS_KEPT - n * SECOND) for n in range(3)]
    assert sweep(AT, at_once=2) == Swept(2, 0)
    assert files() == {ids[0]}
    assert sweep(AT, at_once=2) == Swept(1, 0)


def test_the_worker_sweeps_now_and_then():
    upload(AT - UPLOADS_KEPT)
    wire = RealClock().wire_now()
    ticks = Ticks(wire_at=wire)
    ticks(AT, wire + SWEEP_EVERY - SECOND)
    assert len(files()) == 1
    ticks(AT, wire + SWEEP_EVERY)
    assert files() == set()
