"""The desk over the whole portal: staff see their own part only, and report through the forms they are shown."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from sqlalchemy import select

from portal.cases.tables import Question
from portal.kernel.database import db
from tests.web.staff_world import WATER, Town, report_form, surveyed


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    town = Town(tmp_path)
    with town.app.app_context():
        town.start()
        yield town
        db.session.remove()
        db.engine.dispose()


def test_a_desk_sees_its_own_tasks_and_nobody_elses(town: Town):
    town.open_case("03")
    desk, task = town.desk(WATER), town.task(WATER, "survey")
    page = desk.page("/desk")
    assert [urlsplit(link.href).path for link in page.links if "/desk/tasks/" in link.href] == [
        f"/desk/tasks/{task.id}"
    ]
    text = desk.page(f"/desk/tasks/{task.id}").text
    assert "日用量（立方米）" in text
    assert "千伏安" not in text
    assert "yk-empty" in desk.page("/desk?stage=works").text
    foreign = town.desk("power-bayannur")
    assert "没有找到" in foreign.page(f"/desk/tasks/{task.id}", status=404).text
    assert foreign.page("/desk/tasks/none", status=404).status == 404
    form = report_form(desk.page(f"/desk/tasks/{task.id}"), "received")
    own = town.task("power-bayannur", "survey").id
    stolen = report_form(foreign.page(f"/desk/tasks/{own}"), "received")
    stolen.action = form.action
    foreign.send(stolen, {}, status=404)
    assert town.task(WATER, "survey").state == "issued"


def test_wrong_entries_are_named_at_their_field_and_kept(town: Town):
    town.open_case("03")
    given = {"slots.2.start_at": "2026-11-25T11:00", "slots.2.end_at": "2026-11-25T09:00", "people": "张三、李四"}
    page = town.report(WATER, "survey", "availability", given, status=422)
    assert page.errors[0][0] == "availability-slots.2.end_at"
    form = report_form(page, "availability")
    assert form.named("slots.2.start_at")[0].value == "2026-11-25T11:00"
    assert form.named("people")[0].value == "张三、李四"
    assert town.task(WATER, "survey").state == "issued"
    number = town.report(WATER, "survey", "availability", {}, status=422)
    assert number.errors


def test_the_survey_runs_over_the_desks(town: Town):
    assert WATER in surveyed(town)
    task = town.task(WATER, "survey")
    assert task.state == "done"
    assert task.result["availability"]["slots"][0]["start_at"].startswith("2026-11-25")
    assert task.result["findings"]["access_point"]["location"]["lon"] > 100
    assert task.result["findings"]["operator"] == "provider_staff 经办"


def test_a_reply_takes_its_price_from_the_published_list(town: Town):
    surveyed(town)
    desk, task = town.desk(WATER), town.task(WATER, "reply")
    form = report_form(desk.page(f"/desk/tasks/{task.id}"), "reply")
    item = next(code for code in form.named("options.0.quote.0.fee_item")[0].options if code)
    given = {
        "verdict": "approve",
        "options.0.title": "就近接入",
        "options.0.summary": "从北侧支管接入",
        "options.0.works_days": "12",
        "options.0.quote.3.fee_item": item,
        "options.0.quote.3.quantity": "两块",
        "investment_boundary": "红线外由供应单位出资",
        "valid_until_on": "2027-03-01",
    }
    wrong = desk.send(form, given, status=422)
    assert [anchor for anchor, _ in wrong.errors] == ["reply-options.0.quote.3.quantity"]
    page = desk.send(report_form(wrong, "reply"), given | {"options.0.quote.3.quantity": "2.5"})
    assert page.status == 200
    line = town.task(WATER, "reply").result["reply"]["options"][0]["quote"][0]
    assert (line["fee_item"], line["amount_fen"]) == (item, round(2.5 * line["unit_price_fen"]))
    assert line["unit_price_fen"] > 0


def test_a_question_pauses_and_resuming_needs_no_code(town: Town):
    town.open_case("03")
    town.report(WATER, "survey", "pause", {"reason_code": "outside_permit", "evidence": "照片 3"})
    assert town.task(WATER, "survey").state == "paused"
    town.report(WATER, "survey", "resume", {})
    assert town.task(WATER, "survey").state == "working"
    given = {"items.1.code": "unclear_value", "items.1.text": "请说明日用量", "items.1.why": "选管径"}
    page = town.report(WATER, "survey", "question", given)
    assert "等待申请人" in page.text
    db.session.remove()
    assert db.session.scalars(select(Question.text)).one() == "请说明日用量"


def test_a_stale_page_is_told_so(town: Town):
    town.open_case("03")
    page = town.report(WATER, "survey", "received", {"revision": "7"}, status=409)
    assert "最新内容" in page.text
