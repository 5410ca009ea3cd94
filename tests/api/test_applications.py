"""The filing API as a caller sees it: status codes, problem documents, bounds; nothing gets through unread."""

from __future__ import annotations

import copy
import io
import json
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, g, request
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import func, select
from werkzeug.test import TestResponse

import portal.catalog
from portal.api.applications import bp as applications
from portal.api.applications import channel_of
from portal.api.materials import bp as materials
from portal.cases.tables import Application, MaterialFile
from portal.catalog.queries import seed_catalog
from portal.catalog.reading import load_catalog
from portal.exchange.access import set_access
from portal.exchange.signatures import new_secret, sign
from portal.kernel.crypto import current_vault, init_vault
from portal.kernel.database import db, transaction
from portal.kernel.ids import new_id
from portal.kernel.policy import ANONYMOUS, POLICY, Actor
from tests.conftest import AT
from tests.worker.parts import wire_now

SECRET = new_secret()

SAMPLES = Path(__file__).parents[1] / "samples"
BODY = json.loads((SAMPLES / "applications" / "04-county-hospital-dual-source.json").read_text("utf-8"))
INVALID = json.loads((SAMPLES / "applications-invalid.json").read_text("utf-8"))
CITY = Path(portal.catalog.__file__).parent / "cities" / "150800"
ACTORS = {
    "gov": Actor(kind="portal", id="gov", scopes=frozenset({"applications"})),
    "other": Actor(kind="portal", id="other", scopes=frozenset({"applications"})),
    "hall": Actor(kind="provider", id="hall", scopes=frozenset({"applications", "tasks"}), provider_code="water"),
    "tasks": Actor(kind="provider", id="tasks", scopes=frozenset({"tasks"}), provider_code="water"),
    "person": Actor(kind="person", id="p", roles=frozenset({"applicant"})),
}


@pytest.fixture
def client(bare_app: Flask, tmp_path: Path) -> FlaskClient:
    init_vault(bare_app, tmp_path)

    @bare_app.before_request
    def _sign_in() -> None:
        g.actor = ACTORS.get(request.headers.get("X-Test-Actor", ""), ANONYMOUS)
        g.at, g.wire_at = AT, wire_now()

    bare_app.register_blueprint(applications)
    bare_app.register_blueprint(materials)
    with transaction() as session:
        seed_catalog(session, load_catalog(CITY), at=AT)
        set_access(
            session,
            current_vault(),
            provider="water",
            utility="water",
            level="pull",
            push_url=None,
            signing_secrets=[SECRET],
        )
    return bare_app.test_client()


def post(client: FlaskClient, body: Any, *, actor: str = "gov", key: str | None = "k1", **options: Any) -> TestResponse:
    headers = {"X-Test-Actor": actor} | ({"Idempotency-Key": key} if key is not None else {})
    if actor == "hall":
        body = json.dumps(body).encode()
        headers |= sign(SECRET, new_id(), wire_now(), body)
    if isinstance(body, bytes):
        options.setdefault("content_type", "application/json")
        return client.post("/api/v1/applications", data=body, headers=headers, **options)
    return client.post("/api/v1/applications", json=body, headers=headers, **options)


def problem(response: TestResponse, status: int) -> dict[str, Any]:
    assert response.status_code == status, response.get_data(as_text=True)
    assert response.content_type == "application/problem+json"
    body = json.loads(response.data)
    assert body["status"] == status
    assert {"type", "title", "detail", "code"} <= set(body)
    return body


def count(model: Any) -> int:
    return db.session.scalar(select(func.count()).select_from(model)) or 0


def test_filing_gives_a_number_and_where_to_ask(client: FlaskClient):
    response = post(client, BODY)
    assert response.status_code == 201
    answer = response.get_json()
    assert answer["case_no"] is None
    assert response.headers["Location"] == answer["status_url"] == f"/api/v1/applications/{answer['application_no']}"
    status = client.get(answer["status_url"], headers={"X-Test-Actor": "gov"})
    assert status.status_code == 200
    assert status.get_json()["state"] == "filed"
    assert post(client, BODY).get_json() == answer
    assert count(Application) == 1


def test_others_do_not_see_it(client: FlaskClient):
    url = post(client, BODY).get_json()["status_url"]
    problem(client.get(url, headers={"X-Test-Actor": "other"}), 404)
    problem(client.get("/api/v1/applications/SQ000000-AAAAAA", headers={"X-Test-Actor": "gov"}), 404)
    problem(client.get(url, headers={"X-Test-Actor": "person"}), 403)
    assert client.get(url).headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("case", INVALID, ids=[case["name"] for case in INVALID])
def test_mistakes_are_listed_with_their_fields(client: FlaskClient, case: dict[str, Any]):
    body = {**case["application"], "channel": "gov_portal"}
    errors = problem(post(client, body), 422)["errors"]
    assert case["must_name"] in {error["field"] for error in errors}
    assert all(error["message"] for error in errors)
    assert count(Application) == 0


def test_the_channel_comes_from_the_key(client: FlaskClient):
    assert [error["field"] for error in problem(post(client, BODY, actor="hall"), 422)["errors"]] == ["channel"]
    body = {name: value for name, value in BODY.items() if name != "channel"}
    assert post(client, body, actor="hall").status_code == 201
    assert db.session.scalars(select(Application)).one().channel == "provider_hall"
    assert channel_of(Actor(kind="portal", id="x", scopes=frozenset({"channel:park"}))) == "park"


def test_the_key_is_required_and_stands_for_one_body(client: FlaskClient):
    assert problem(post(client, BODY, key=None), 400)["code"] == "idempotency_key_missing"
    assert post(client, BODY).status_code == 201
    other = copy.deepcopy(BODY) | {"merged_bill": False}
    assert problem(post(client, other), 422)["code"] == "idempotency_mismatch"
    assert problem(post(client, other, key="x" * 300), 422)["errors"][0]["field"] == "Idempotency-Key"


@pytest.mark.parametrize(
    ("actor", "status"), [("nobody", 401), ("tasks", 403), ("person", 403), ("hall", 422), ("gov", 201)]
)
def test_who_may_file(client: FlaskClient, actor: str, status: int):
    assert post(client, BODY, actor=actor).status_code == status


@pytest.mark.parametrize(
    "raw",
    [b"", b"{", b"\xff\xfe", b'{"a": NaN}', b"[" * 200_000, b'{"a": 1' + b"0" * 6000 + b"}", b'"\\ud800'],
)
def test_what_is_no_json_is_told(client: FlaskClient, raw: bytes):
    problem(post(client, raw), 400)


@pytest.mark.parametrize("raw", [b"null", b"[]", b'"x"', b"7", b'{"site": "\\ud800"}', b'{"\\u0000": 1}'])
def test_json_of_another_shape_is_wrong_input(client: FlaskClient, raw: bytes):
    assert problem(post(client, raw), 422)["errors"]


def test_bodies_are_bounded(client: FlaskClient):
    assert problem(post(client, b'{"a": "' + b"x" * 1024 * 1024 + b'"}'), 413)["code"] == "too_large"
    problem(post(client, b"{}", content_type="text/plain"), 400)


def test_other_methods_are_problems_too(client: FlaskClient):
    response = client.put("/api/v1/applications", headers={"X-Test-Actor": "gov"})
    assert response.status_code == 405


def test_our_own_failure_tells_nothing(client: FlaskClient, monkeypatch: pytest.MonkeyPatch):
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("secret of the house")

    monkeypatch.setattr("portal.api.applications.file_application", fail)
    body = problem(post(client, BODY), 500)
    assert "secret" not in json.dumps(body)


def png() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (9, 9)).save(out, "PNG")
    return out.getvalue()


def test_a_file_is_stored_and_named_in_the_application(client: FlaskClient):
    form = {"file": (io.BytesIO(png()), "产权证.png"), "kind": "property_right"}
    stored = client.post("/api/v1/materials", data=form, headers={"X-Test-Actor": "gov"})
    assert stored.status_code == 201
    body = copy.deepcopy(BODY)
    body["materials"][2]["file"] = stored.get_json()["material_id"]
    answer = post(client, body)
    assert answer.status_code == 201
    assert "property_right.pdf" not in answer.get_json()["owed_bytes"]
    row = db.session.scalars(select(MaterialFile)).one()
    assert (row.name, row.sha256) == ("产权证.png", stored.get_json()["sha256"])
    assert row.application_id is not None


def test_bare_bytes_with_a_name_in_the_header(client: FlaskClient):
    headers = {"X-Test-Actor": "gov", "X-File-Name": "%E5%9B%BE.png", "Content-Type": "image/png"}
    response = client.post("/api/v1/materials?kind=site_plan", data=png(), headers=headers)
    assert response.status_code == 201
    row = db.session.scalars(select(MaterialFile)).one()
    assert (row.name, row.kind, row.owner_id) == ("图.png", "site_plan", "gov")


def test_files_that_cannot_be_taken(client: FlaskClient):
    headers = {"X-Test-Actor": "gov"}
    wrong = client.post("/api/v1/materials", data=b"MZ", headers=headers, content_type="application/octet-stream")
    assert [error["field"] for error in problem(wrong, 422)["errors"]] == ["file"]
    problem(
        client.post("/api/v1/materials", data={"kind": "lease"}, headers=headers, content_type="multipart/form-data"),
        400,
    )
    problem(client.post("/api/v1/materials", data=bytes(21 * 1024 * 1024), headers=headers), 413)
    problem(client.post("/api/v1/materials", data=png(), headers={"X-Test-Actor": "tasks"}), 403)
    problem(client.post("/api/v1/materials", data=png()), 401)


def test_every_view_names_its_action(client: FlaskClient):
    views = client.application.view_functions
    names = [name for name in views if name.startswith("api_")]
    assert len(names) == 3
    for name in names:
        assert views[name].policy_action in POLICY
