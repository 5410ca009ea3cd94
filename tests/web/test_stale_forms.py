"""A form sent with a token of another session: nothing is done, and what was entered can be sent once more."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from portal.kernel.database import db
from providers.simulator.pages import filled
from tests.web.staff_world import WATER, Town, report_form

OURS = {"Origin": "http://localhost", "Referer": "http://localhost/desk/tasks/1?x=//evil.example"}


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    town = Town(tmp_path)
    with town.app.app_context():
        town.start()
        yield town
        db.session.remove()
        db.engine.dispose()


def test_a_stale_form_keeps_its_entries_and_is_sent_again(town: Town):
    town.open_case("03")
    desk, task = town.desk(WATER), town.task(WATER, "survey")
    page = desk.page(f"/desk/tasks/{task.id}")
    form = report_form(page, "question")
    given = {"items.0.text": "请补充 <租期>", "items.0.why": "合同需要", "items.0.code": "other", "csrf_token": "old"}
    sent = dict(filled(form, given)) | {"csrf_token": "old"}
    path = f"/desk/tasks/{task.id}/reports"
    answer = desk.client.post(path, data=sent, headers=OURS)
    assert answer.status_code == 400
    assert town.task(WATER, "survey").state == "issued"
    shown = desk._read(answer, 400)
    assert "请补充 &lt;租期&gt;" in shown.text
    assert "/desk/tasks/1" in [link.href.removeprefix("http://localhost") for link in shown.links]
    (again,) = shown.forms_for("again")
    assert again.named("csrf_token")[0].value != "old"
    desk.send(again, {})
    assert town.task(WATER, "survey").state == "waiting_applicant"


@pytest.mark.parametrize("headers", [{}, {"Origin": "http://evil.example"}, {"Origin": "null"}])
def test_entries_of_another_site_are_not_kept(town: Town, headers: dict[str, str]):
    desk = town.desk(WATER)
    desk.page("/desk")
    answer = desk.client.post("/desk/tasks/1/reports", data={"csrf_token": "old", "note": "别处来的"}, headers=headers)
    assert answer.status_code == 400
    assert "别处来的" not in answer.text
    assert "没有执行" in answer.text
