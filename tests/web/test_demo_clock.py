"""The demo's calendar over HTTP: read, moved forward only, asked to go on; on a portal in demo mode."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from app import create_app
from portal.catalog.reading import load_catalog
from portal.journey import demo_clock, setting_up
from portal.kernel.clock import parse_instant
from portal.kernel.database import db
from portal.kernel.settings import Settings
from tests.conftest import AT
from tests.web.staff_world import CITY

LATER = AT + dt.timedelta(days=3)


@pytest.fixture
def client(tmp_path: Path) -> Iterator[FlaskClient]:
    url = f"sqlite:///{tmp_path / 'test.db'}"
    app = create_app(Settings(mode="demo", instance=tmp_path, database_url=url, base_url="http://localhost"))
    with app.app_context():
        db.create_all()
        setting_up.set_up_city(load_catalog(CITY), at=AT)
        demo_clock.set_clock(AT)
    yield app.test_client()
    with app.app_context():
        db.engine.dispose()


def test_the_clock_tells_business_time_and_what_is_due(client):
    told = client.get("/demo/clock").get_json()
    assert parse_instant(told["now"]) == AT
    assert (told["pending"], told["next_at"], told["advance_requested"]) == (0, None, False)


def test_time_moves_forward_and_every_page_shows_it(client):
    assert client.post("/demo/clock", json={"to": LATER.isoformat()}).status_code == 200
    assert parse_instant(client.get("/demo/clock").get_json()["now"]) == LATER
    assert "2026年11月26日 09:00" in client.get("/").text


def test_time_never_goes_back(client):
    client.post("/demo/clock", json={"to": LATER.isoformat()})
    assert client.post("/demo/clock", json={"to": AT.isoformat()}).status_code == 409
    assert parse_instant(client.get("/demo/clock").get_json()["now"]) == LATER


@pytest.mark.parametrize("body", [{}, {"to": "tomorrow"}, {"to": "2026-11-26T09:00:00"}, {"to": None}])
def test_a_time_that_is_none_is_refused(client, body):
    assert client.post("/demo/clock", json=body).status_code == 422


@pytest.mark.parametrize("body", [b"[1]", b'"x"', b"{"])
def test_a_body_that_is_no_object_is_refused(client, body):
    assert client.post("/demo/clock", data=body, content_type="application/json").status_code == 422


def test_a_foreign_page_cannot_move_it(client):
    """A form of another site can send these fields, but not as JSON."""
    sent = {"to": LATER.isoformat(), "advance": "1"}
    assert client.post("/demo/clock", data=sent).status_code == 422
    told = client.get("/demo/clock").get_json()
    assert (parse_instant(told["now"]), told["advance_requested"]) == (AT, False)


def test_asking_to_go_on_is_noted_until_time_moves(client):
    client.post("/demo/clock", json={"advance": True})
    assert client.get("/demo/clock").get_json()["advance_requested"] is True
    client.post("/demo/clock", json={"to": LATER.isoformat()})
    assert client.get("/demo/clock").get_json()["advance_requested"] is False


def test_the_button_on_every_page_asks_too_and_stays_on_this_site(client):
    page = client.get("/fees").text
    token = page.split('name="csrf_token" value="')[1].split('"')[0]
    answer = client.post("/demo/advance", data={"csrf_token": token, "back": "/\\evil.example"})
    assert answer.headers["Location"] == "/"
    answer = client.post("/demo/advance", data={"csrf_token": token, "back": "/fees"})
    assert answer.headers["Location"] == "/fees"
    assert client.get("/demo/clock").get_json()["advance_requested"] is True
    assert client.post("/demo/advance", data={"back": "/fees"}).status_code == 400
