"""Outside providers, written from the protocol page alone, take a whole case from survey to connection."""

from __future__ import annotations

import ast
import sys
from collections import Counter

import pytest
from sqlalchemy import select

import app
from portal.exchange.tables import OutboxMessage
from portal.kernel.database import db
from tests.outside.conftest import LEVELS
from tests.outside.stage import PROGRAM

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("stack")]
PUSHED = [code for code, level in LEVELS.items() if level != "pull"]


def test_the_programs_import_the_standard_library_and_their_own_parts_only():
    own = {path.stem for path in PROGRAM.glob("*.py")}
    for path in PROGRAM.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [str(node.module)] if isinstance(node, ast.ImportFrom) else []
            roots = {name.partition(".")[0] for name in names}
            assert roots <= sys.stdlib_module_names | own, path.name
    assert own.isdisjoint({"portal", "providers", "forms", "app"})


def test_the_case_is_closed_with_every_task_done(played):
    _, record = played
    assert record["stage"] == "closed"
    assert {task["provider"] for task in record["tasks"] if task["stage"] != "permits"} == set(LEVELS)
    assert {task["state"] for task in record["tasks"]} == {"done"}
    stages = {task["stage"] for task in record["tasks"] if task["provider"] == "water-wuyuan"}
    assert stages == {"survey", "reply", "review", "works", "acceptance", "connection"}
    assert record["bill"]["total_fen"] == record["payment"]["paid_fen"] > 0


@pytest.mark.parametrize("code", LEVELS)
def test_each_report_counted_once_and_none_was_refused(played, code):
    reports = played[0].outside[code].notes("report")
    assert {note["status"] for note in reports} == {200}, reports
    kinds = Counter((note["stage"], note["kind"]) for note in reports)
    assert kinds["reply", "question"] == kinds["reply", "reply"] == kinds["connection", "connected"] == 1
    assert kinds["connection", "pause"] == kinds["connection", "resume"] == 1
    if code != "network-telecom":
        assert kinds["survey", "availability"] == kinds["survey", "findings"] == 1
        assert kinds["review", "review"] == kinds["acceptance", "acceptance"] == 2  # a second round of each
    assert all(note["is_as_named"] for note in played[0].outside[code].notes("drawing"))


@pytest.mark.parametrize("code", PUSHED)
def test_a_provider_with_an_address_is_told_everything_once(played, code):
    told = [note["type"] for note in played[0].outside[code].notes("event") if note["is_new"]]
    wanted = {"task.issued", "task.changed", "visit.fixed", "reply.published", "drawing.uploaded", "payment.received"}
    assert wanted <= set(told)
    with app.create_app(played[0].settings).app_context():
        sent = list(db.session.scalars(select(OutboxMessage).where(OutboxMessage.destination == f"provider:{code}")))
        db.session.remove()
    assert {row.state for row in sent} == {"delivered"}
    assert len(told) == len(sent)


def test_a_provider_that_fetches_is_never_called(played):
    outside = played[0].outside["network-telecom"]
    assert outside.notes("event") == []
    assert {note["stage"] for note in outside.notes("pulled")} == {"reply", "works", "connection"}


def test_what_a_two_way_provider_holds_was_read_back_and_agrees(played):
    with app.create_app(played[0].settings).app_context():
        query = select(OutboxMessage).where(OutboxMessage.destination == "provider:power-bayannur")
        sent = list(db.session.scalars(query))
        db.session.remove()
    assert {row.read_back for row in sent if row.task_id} == {"match"}
    read = played[0].outside["power-bayannur"].notes("read_back")
    assert len(read) == len([row for row in sent if row.task_id])
    assert all(note["found"] for note in read)
