"""The application form: every sample can be filed through it; what is wrong is told at its field, entries kept."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from werkzeug.datastructures import MultiDict

from forms.application_body import forgotten_ticks, read_entries
from portal.cases.application_document import subject_of
from portal.cases.tables import Application, MaterialFile
from portal.journey import signing_in
from portal.kernel.database import db
from providers.simulator.filing import fields_of, papers
from providers.simulator.html_pages import Form, Page, read_page
from providers.simulator.pages import filled
from tests.web.staff_world import PASSWORD, SAMPLES, Town, Visitor

FILES = sorted(SAMPLES.glob("*.json"))
GREENHOUSE, INN = "01-tomato-plant-five-utilities", "08-village-inn-not-sure-and-not-served"


def sample(name: str) -> dict[str, Any]:
    return json.loads((SAMPLES / f"{name}.json").read_text("utf-8"))


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    town = Town(tmp_path)
    with town.app.app_context():
        town.start()
        yield town
        db.session.remove()
        db.engine.dispose()


def applicant_of(town: Town, body: dict[str, Any]) -> Visitor:
    """Somebody who may act for the applicant of this application, signed in."""
    subject = subject_of(body)
    organisation = (subject.removeprefix("uscc:"), body["applicant"]["name"]) if subject.startswith("uscc:") else None
    signing_in.add_person(
        login="applicant",
        name="经办",
        password=PASSWORD,
        role="applicant",
        organisation=organisation,
        subject_id=None if organisation else subject,
    )
    visitor = Visitor(town.app.test_client())
    form = next(f for f in visitor.page("/sign-in").forms if f.named("password"))
    visitor.send(form, {"login": "applicant", "password": PASSWORD})
    return visitor


def form_of(page: Page) -> Form:
    return page.forms_for("file")[0]


def send(visitor: Visitor, form: Form, given: Any, files: Any = None, *, status: int = 302) -> Page:
    data: MultiDict[str, Any] = MultiDict(filled(form, given))
    for name, (file_name, content) in (files or {}).items():
        data[name] = (io.BytesIO(content), file_name)
    answer = visitor.client.post("/applications/new", data=data, content_type="multipart/form-data")
    assert answer.status_code == status, (answer.status_code, answer.text[:3000])
    return read_page("http://localhost/applications/new", answer.status_code, answer.text)


def file(visitor: Visitor, body: dict[str, Any], *, status: int = 302) -> Page:
    form = form_of(visitor.page("/applications/new"))
    files = {f"materials.{index}.bytes": (name, content) for index, name, content in papers(body)}
    return send(visitor, form, fields_of(form, body), files, status=status)


def stored() -> Application:
    db.session.remove()
    return db.session.scalars(select(Application)).one()


def count(model: type[Any]) -> int:
    db.session.remove()
    return db.session.scalar(select(func.count()).select_from(model)) or 0


def without_noise(body: dict[str, Any]) -> dict[str, Any]:
    """What filing may add or leave out: the channel, file ids for names, empty lists, boxes that were not ticked."""

    def tidy(node: Any) -> Any:
        if isinstance(node, dict):
            kept = {k: tidy(v) for k, v in node.items() if k not in ("channel", "file")}
            return {k: v for k, v in kept.items() if v not in (None, [], False)}
        return [tidy(entry) for entry in node] if isinstance(node, list) else node

    return tidy(body)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_sample_can_be_filed_by_form(town, path):
    body = json.loads(path.read_text("utf-8"))
    visitor = applicant_of(town, body)
    if body.get("channel") == "counter":
        visitor = town.sign_in("clerk")
    file(visitor, body)
    row = stored()
    if any(note["code"] == "load_class_assumed" for note in row.notes):
        del row.body["utilities"]["power"]["load_class"]  # put in by intake, which says so to the clerk
    assert without_noise(row.body) == without_noise(body)
    assert row.channel == ("counter" if body.get("channel") == "counter" else "web")
    assert row.subject_id == subject_of(body)
    uploaded = [m for m in row.body["materials"] if m["source"] == "upload"]
    assert count(MaterialFile) == len(uploaded) > 0
    assert {m["file"] for m in uploaded} == set(db.session.scalars(select(MaterialFile.id)))


def test_an_error_names_its_field_and_the_entries_stay(town):
    body = sample(GREENHOUSE)
    visitor = applicant_of(town, body)
    form = form_of(visitor.page("/applications/new"))
    given = fields_of(form, body) | {
        "applicant.contact.mobile": "12345",
        "utilities.power.added_kva": "三百一十五",
        "project.planned_start_on": "明年春天",
    }
    page = send(visitor, form, given, status=422)
    named = {name for name, _ in page.errors}
    assert {"applicant.contact.mobile", "utilities.power.added_kva", "project.planned_start_on"} <= named
    again = form_of(page)
    for name in named - {"materials"}:
        assert f'id="{name}"' in page.text, name
    for name, value in given.items():
        kept = [v.removeprefix("\r\n") for n, v in again.defaults() if n == name]  # browsers drop that newline too
        assert kept == ([value] if isinstance(value, str) else value), name
    assert count(Application) == 0


def test_papers_survive_an_error_and_are_stored_once(town):
    body = sample(GREENHOUSE)
    visitor = applicant_of(town, body)
    page = file(visitor, body | {"notice_version": ""}, status=422)
    again = form_of(page)
    before = count(MaterialFile)
    assert "文件已收到" in page.text
    send(visitor, again, {"notice_version": body["notice_version"]})
    assert count(MaterialFile) == before
    assert all(m["file"] for m in stored().body["materials"] if m["source"] == "upload")


def test_a_paper_goes_with_its_row_though_rows_above_are_empty(town):
    body = sample(GREENHOUSE)
    visitor = applicant_of(town, body)
    form = form_of(visitor.page("/applications/new"))
    kinds = {c.value: c.name.removesuffix(".kind") for c in form.controls if c.name.endswith(".kind") and c.value}
    given = {k: v for k, v in fields_of(form, body).items() if not k.startswith("materials.")}
    files = {}
    for index, name, content in papers(body):
        row = kinds[body["materials"][index]["kind"]]
        given[f"{row}.source"] = "upload"
        files[f"{row}.bytes"] = (name, content)
    red_line = kinds["red_line_map"]
    wrong = files | {f"{red_line}.bytes": ("plan.pdf", b"not a pdf")}
    page = send(visitor, form, given | {f"{red_line}.source": "upload"}, wrong, status=422)
    assert f"{red_line}.bytes" in {name for name, _ in page.errors}


def test_pressing_send_twice_files_once(town):
    body = sample(INN)
    visitor = applicant_of(town, body)
    form = form_of(visitor.page("/applications/new"))
    given = fields_of(form, body)
    given = {k: v for k, v in given.items() if not k.startswith("materials.1")} | {
        "materials.1.source": "licence_store"
    }
    given["materials.1.kind"] = "property_right"
    given["consents.reuse_licences"] = ["business_licence", "property_right"]
    first = visitor.client.post("/applications/new", data=MultiDict(filled(form, given)))
    second = visitor.client.post("/applications/new", data=MultiDict(filled(form, given)))
    assert (first.status_code, second.status_code) == (302, 302)
    assert first.headers["Location"] == second.headers["Location"]
    assert count(Application) == 1


def test_one_files_only_for_whom_one_acts(town):
    visitor = applicant_of(town, sample(INN))
    page = file(visitor, sample(GREENHOUSE), status=422)
    assert "applicant.uscc" in {name for name, _ in page.errors}
    assert count(Application) == 0


def test_another_row_keeps_everything_and_files_nothing(town):
    body = sample(GREENHOUSE)
    visitor = applicant_of(town, body)
    form = form_of(visitor.page("/applications/new"))
    given = fields_of(form, body) | {"add": "survey_wishes"}
    rows = len([c for c in form.controls if c.name.startswith("survey_wishes.") and c.name.endswith(".start_at")])
    page = send(visitor, form, given, status=200)
    again = form_of(page)
    shown = [c for c in again.controls if c.name.startswith("survey_wishes.") and c.name.endswith(".start_at")]
    assert len(shown) == rows + 1
    assert again.named("applicant.name")[0].value == body["applicant"]["name"]
    assert count(Application) == 0


def test_what_the_form_has_no_place_for_goes_along(town):
    body = sample(GREENHOUSE)
    visitor = applicant_of(town, body)
    form = form_of(visitor.page("/applications/new"))
    page = send(visitor, form, fields_of(form, body) | {"project.colour": "red"}, status=422)
    assert ("project.colour", "red") in form_of(page).defaults()
    assert "project.colour" in {name for name, _ in page.errors}


def test_a_session_that_ended_loses_no_entries(town):
    body = sample(INN)
    visitor = applicant_of(town, body)
    form = form_of(visitor.page("/applications/new"))
    visitor.client.delete_cookie("yikou")
    page = send(visitor, form, fields_of(form, body), status=400)
    assert form_of(page).named("applicant.name")[0].value == body["applicant"]["name"]
    assert "登录已失效" in page.text
    assert count(Application) == 0


def test_a_utility_filled_in_but_not_ticked_is_told():
    posted = [("utilities.water", "on"), ("utilities.water.use", "industrial"), ("utilities.gas.peak_m3_h", "3")]
    (error,) = forgotten_ticks(posted)
    assert error.field == "utilities.gas"
    assert "gas" not in error.message  # people read no field names


def test_texts_become_what_the_schema_says():
    entered = read_entries(
        [
            ("utilities.power", "on"),
            ("utilities.power.added_kva", "１,250"),
            ("utilities.power.plain_facts", "客房：12\n灶：3"),
            ("utilities.power.equipment.2.name", "水泵"),
            ("utilities.power.equipment.2.kw", "7.5"),
            ("utilities.water.use", "industrial"),
            ("survey_wishes.1.start_at", "2026-11-26T09:00"),
            ("merged_bill", "false"),
        ]
    )
    assert entered.body["utilities"] == {
        "power": {"added_kva": 1250, "plain_facts": {"客房": 12, "灶": 3}, "equipment": [{"name": "水泵", "kw": 7.5}]}
    }
    assert entered.body["survey_wishes"] == [{"start_at": "2026-11-26T09:00:00+08:00"}]
    assert entered.body["merged_bill"] is False
    assert entered.field_of("utilities.power.equipment.0.count") == "utilities.power.equipment.2.count"
    assert entered.field_of("survey_wishes.0.end_at") == "survey_wishes.1.end_at"


@pytest.mark.parametrize(
    "posted",
    [
        [("applicant." * 5000 + "name", "x")],
        [("materials.².kind", "x"), ("materials.1.kind", "id_card")],
        [("kind", "new"), ("kind.deep", "x"), ("site.boundary", "[" * 100_000)],
        [("utilities.power", "on"), ("utilities.power.added_kva", "9" * 5000), ("survey_wishes.99999.start_at", "x")],
        [("materials.0", "x"), ("materials.0.kind", "id_card"), ("applicant", "x")],
    ],
    ids=["deep", "odd digits", "clash", "huge", "scalar and object"],
)
def test_hostile_names_are_read_without_breaking(posted):
    assert isinstance(read_entries(posted).body, dict)
