"""Outside providers, written from the protocol page alone, take a whole case from survey to connection."""

from __future__ import annotations

import ast
import sys
from collections import Counter

import pytest
from sqlalchemy import select

from portal.cases.tables import Case
from portal.exchange.signatures import new_secret
from portal.exchange.tables import OutboxMessage
from portal.kernel.database import db
from providers.simulator.pages import filled
from providers.simulator.people import Person
from tests.outside.conftest import LEVELS
from tests.outside.program.calls import Portal, Signer
from tests.outside.stage import PROGRAM, Running

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("stack")]
PUSHED = [code for code, level in LEVELS.items() if level != "pull"]


def messages_of(running: Running, case_no: str, code: str) -> list[OutboxMessage]:
    """What the portal had to tell this provider about the case."""
    query = select(OutboxMessage).join(Case, Case.id == OutboxMessage.case_id)
    with running.database():
        return list(
            db.session.scalars(query.where(Case.case_no == case_no, OutboxMessage.destination == f"provider:{code}"))
        )


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
    running, record = played
    reports = running.outside[code].notes("report", record["case_no"])
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
    running, record = played
    told = [note["type"] for note in running.outside[code].notes("event", record["case_no"]) if note["is_new"]]
    wanted = {"task.issued", "task.changed", "visit.fixed", "reply.published", "drawing.uploaded", "payment.received"}
    assert wanted <= set(told)
    sent = messages_of(running, record["case_no"], code)
    assert {row.state for row in sent} == {"delivered"}
    assert len(told) == len(sent)


def test_a_provider_that_fetches_is_never_called(played):
    outside = played[0].outside["network-telecom"]
    assert outside.notes("event") == []
    assert {note["stage"] for note in outside.notes("pulled")} >= {"survey", "reply", "works", "connection"}


def test_what_a_two_way_provider_holds_was_read_back_and_agrees(played):
    running, record = played
    sent = messages_of(running, record["case_no"], "power-bayannur")
    assert {row.read_back for row in sent if row.task_id} == {"match"}
    read = running.outside["power-bayannur"].notes("read_back", record["case_no"])
    assert len(read) == len([row for row in sent if row.task_id])
    assert all(note["found"] for note in read)


def test_a_provider_tests_its_own_line(played):
    running, _ = played
    engineer = Person(running.url, next(p for p in running.config.people if p.login == "water-wuyuan"))
    engineer.sign_in()
    form = next(f for f in engineer.browser.get("/desk/line").forms if f.act == "ping")
    engineer.browser.submit(form, filled(form, {}))
    outside = running.outside["water-wuyuan"]
    told = running.pass_days_until(lambda: [n for n in outside.notes("event") if n["type"] == "test.ping"])
    assert len(told) == 1
    shown = running.pass_days_until(
        lambda: ["已送达"] * ("已送达" in engineer.browser.get_bytes("/desk/line").decode())
    )
    assert shown
    pulling = Person(running.url, next(p for p in running.config.people if p.login == "network-telecom"))
    pulling.sign_in()
    assert [f for f in pulling.browser.get("/desk/line").forms if f.act == "ping"] == []


def test_what_was_paid_is_settled_told_and_can_be_read(played):
    running, record = played
    caller = Portal(
        running.url, running.credentials["water-wuyuan"].key, Signer(running.credentials["water-wuyuan"].secret)
    )
    items = running.pass_days_until(lambda: caller.get("/api/v1/settlements")[1]["items"])
    share = sum(split["amount_fen"] for split in record["splits"] if split["provider"] == "water-wuyuan")
    assert sum(item["net_fen"] for item in items) == share > 0
    assert caller.get(f"/api/v1/settlements/{items[0]['settlement_id']}") == (200, items[0])
    foreign = Portal(running.url, running.credentials["power-bayannur"].key, Signer(new_secret()))
    assert foreign.get(f"/api/v1/settlements/{items[0]['settlement_id']}")[0] == 404
    told = running.pass_days_until(
        lambda: [n for n in running.outside["water-wuyuan"].notes("event") if n["type"] == "settlement.paid"]
    )
    assert len(told) == 1
