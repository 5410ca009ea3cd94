"""The staff's pages over the whole portal: sign-in, CSRF and all; every act goes through a form that was shown."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from sqlalchemy import event, select

from portal.cases.tables import Application, Decision, Task
from portal.exchange.tables import Job, OutboxMessage
from portal.journey.jobs import queue_job
from portal.kernel.database import db, transaction
from providers.simulator.people import case_no_on
from tests.web.staff_world import AT, REFUSAL, WATER, WIRE, Town, Visitor, surveyed

STAFF_PAGES = {
    "/counter": "clerk",
    "/agency": "lead_agency",
    "/oversight": "supervisor",
    "/finance": "finance",
    "/health": "admin",
}


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    town = Town(tmp_path)
    with town.app.app_context():
        town.start()
        yield town
        db.session.remove()
        db.engine.dispose()


# --- who gets in -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", STAFF_PAGES)
def test_a_page_opens_for_its_role_only(town: Town, path: str):
    assert "<h1" in town.sign_in(STAFF_PAGES[path]).page(path).text
    assert "<h1" in town.sign_in("applicant").page(path, status=403).text
    answer = Visitor(town.app.test_client()).get(path)
    assert (answer.status_code, urlsplit(answer.location).path) == (302, "/sign-in")


@pytest.mark.parametrize("path", [*STAFF_PAGES, "/desk"])
def test_an_empty_list_says_what_will_appear(town: Town, path: str):
    visitor = town.desk(WATER) if path == "/desk" else town.sign_in(STAFF_PAGES[path])
    assert "yk-empty" in visitor.page(path).text


# --- counter -----------------------------------------------------------------------------------------------------


def test_the_counter_lists_by_state_and_finds_by_number_name_and_credit_code(town: Town):
    numbers = [town.file("01"), town.file("02")]
    clerk = town.sign_in("clerk")
    page = clerk.page("/counter")
    assert all(number in page.text for number in numbers)
    row = db.session.scalars(select(Application).where(Application.application_no == numbers[0])).one()
    body = row.body["applicant"]
    for wanted in (numbers[0].lower(), body["name"][6:10], body["uscc"]):
        text = clerk.page(f"/counter?q={wanted}").text
        assert numbers[0] in text, wanted
        assert numbers[1] not in text, wanted
    assert "没有找到" in clerk.page("/counter?q=100%25").text
    assert "yk-empty" in clerk.page("/counter?state=accepted").text


def test_the_counter_asks_the_database_as_often_for_many_as_for_one(town: Town):
    clerk = town.sign_in("clerk")
    counts = []
    for more in (1, 4):
        for _ in range(more):
            town.file("02")
        db.session.remove()
        counts.append(count_statements(lambda: clerk.page("/counter")))
    assert counts[0] == counts[1]


def count_statements(act) -> int:
    seen: list[str] = []

    def note(_connection, _cursor, statement, *_rest):
        seen.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    act()
    event.remove(db.engine, "before_cursor_execute", note)
    return len(seen)


def test_a_clerk_reads_what_was_filed_and_accepts_it(town: Town):
    number = town.file("01")
    clerk = town.sign_in("clerk")
    page = clerk.page(f"/counter/applications/{number}")
    for words in (
        "联系人手机号码",
        "新增容量（千伏安）",
        "10kV",
        "临河区",
        "营业执照",
        "现有容量（千伏安）",
        "用电设备",
    ):
        assert words in page.text, words
    assert case_no_on(page) is None
    page = clerk.agree(page.forms_for("accept")[0])
    assert urlsplit(page.url).path == f"/counter/applications/{number}"
    case_no = case_no_on(page)
    assert case_no is not None
    assert page.forms_for("accept") == []
    assert town.sign_in("clerk").page(f"/cases/{case_no}").status == 200


def test_a_supervisor_reads_without_identity_numbers_and_cannot_decide(town: Town):
    number = town.file("01")
    page = town.sign_in("supervisor").page(f"/counter/applications/{number}")
    assert page.forms_for("accept", "return") == []
    assert "150802198503123316" not in page.text
    assert "1508021985" in page.text


def test_corrections_go_out_in_one_notice_and_a_second_needs_a_reason(town: Town):
    number = town.file("01")
    clerk, path = town.sign_in("clerk"), f"/counter/applications/{number}"
    empty = clerk.send(clerk.page(path).forms_for("return")[0], {"message": ["", ""]}, status=422)
    assert empty.errors
    given = {"field": ["applicant.name", "materials"], "message": ["名称与执照不一致", "缺租赁合同"]}
    page = clerk.send(empty.forms_for("return")[0], given)
    assert "名称与执照不一致" in page.text
    assert page.forms_for("accept", "return") == []
    row = db.session.scalars(select(Application)).one()
    asked = [(note["field"], note["message"]) for note in row.notes if note["code"] == "correction"]
    assert (row.state, asked) == ("returned", list(zip(*given.values(), strict=True)))


def test_an_unknown_application_is_not_found(town: Town):
    assert "没有找到" in town.sign_in("clerk").page("/counter/applications/SQ000000-0000", status=404).text


# --- agency ------------------------------------------------------------------------------------------------------


def test_the_agency_decides_with_the_facts_beside_it(town: Town):
    surveyed(town)
    town.report(WATER, "reply", "reply", REFUSAL)
    agency = town.sign_in("lead_agency", office_code="lead-agency")
    page = agency.page("/agency")
    assert REFUSAL["basis"] in page.text
    assert REFUSAL["would_change"] in page.text
    form = page.forms_for("decide")[0]
    refused = agency.send(form, {"verdict": "reject"}, status=422)
    assert refused.errors[0][0].startswith("note-")
    page = agency.send(refused.forms_for("decide")[0], {"note": "管网余量足够，请重新答复"})
    assert page.forms_for("decide") == []
    db.session.remove()
    assert db.session.scalars(select(Decision.state)).one() == "rejected"
    task = town.task(WATER, "reply")
    assert (task.state, task.revision) == ("issued", 2)


def test_agreeing_confirms(town: Town):
    surveyed(town)
    town.report(WATER, "reply", "reply", REFUSAL)
    agency = town.sign_in("lead_agency")
    agency.agree(agency.page("/agency").forms_for("decide")[0])
    db.session.remove()
    assert db.session.scalars(select(Decision.state)).one() == "confirmed"


def test_a_permit_is_granted_under_its_number(town: Town):
    town.open_case("03")
    survey = town.task(WATER, "survey")
    with transaction() as session:
        session.add(
            Task(
                id="permit-1",
                case_id=survey.case_id,
                provider="urban-management",
                stage="permits",
                issued_at=AT,
                result={"permit": {"kind": "road_opening"}},
            )
        )
    agency = town.sign_in("lead_agency")
    form = agency.page("/agency").forms_for("permit")[0]
    assert agency.send(form, {"permit_no": " "}, status=422).errors[0][0] == "permit_no-permit-1"
    assert agency.agree(form).forms_for("permit") == []
    db.session.remove()
    task = db.session.get_one(Task, "permit-1")
    assert (task.state, task.result["permit"]["permit_no"]) == ("done", "同意")


# --- oversight, finance, health ----------------------------------------------------------------------------------


def test_the_reddest_case_stands_first_and_its_record_is_json(town: Town):
    late = town.open_case("03")
    town.clock.at = AT + dt.timedelta(days=20)
    fresh = town.open_case("02")
    supervisor = town.sign_in("supervisor")
    text = supervisor.page("/oversight").text
    assert text.index(late) < text.index(fresh)
    assert "已超期" in text
    record = supervisor.get(f"/oversight/cases/{late}.json").json
    assert record["case_no"] == late
    assert {task["provider"] for task in record["tasks"]} >= {WATER}
    assert supervisor.get("/oversight/cases/LB000000-0000.json").status_code == 404
    assert town.sign_in("lead_agency").get(f"/oversight/cases/{late}.json").status_code == 403


def test_finance_says_that_the_books_balance(town: Town):
    assert "账目平衡：是" in town.sign_in("finance").page("/finance").text


def test_health_shows_what_waits_and_what_failed(town: Town):
    town.open_case("03")
    with transaction() as session:
        queue_job(session, kind="settle_day", key="broken", payload={}, wire_at=WIRE)
    with transaction() as session:
        job = session.scalars(select(Job).where(Job.key == "broken")).one()
        job.state, job.last_error = "failed", "boom"
        message = session.scalars(select(OutboxMessage).limit(1)).one()
        message.state = "pending"
    text = town.sign_in("admin").page("/health").text
    assert "boom" in text
    assert "等待投递" in text
    assert f"provider:{WATER}" in text or "provider:" in text
    assert "尚未封存" in text or "待封存" in text
