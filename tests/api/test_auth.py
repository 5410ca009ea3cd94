"""Who calls: keys with scopes and expiry, never a cookie; one kind of refusal for everything that is wrong."""

import datetime as dt
import json
from pathlib import Path

import pytest
from flask import Flask

from portal.api import register_api
from portal.exchange import access
from portal.kernel.clock import RealClock
from portal.kernel.crypto import init_vault
from portal.kernel.database import db, transaction
from portal.kernel.policy import POLICY
from tests.worker.parts import add_provider, wire_now

DAY = dt.timedelta(days=1)


@pytest.fixture
def app(bare_app: Flask, tmp_path: Path) -> Flask:
    init_vault(bare_app, tmp_path)
    register_api(bare_app, RealClock())
    return bare_app


def key_for(holder="water-linhe", *, scopes=access.PROVIDER_SCOPES, days=1, kind="provider") -> str:
    now = wire_now()
    with transaction() as session:
        return access.issue_key(
            session, holder_kind=kind, holder=holder, name="水务", scopes=scopes, at=now, expires_at=now + days * DAY
        )


def ping(app: Flask, key: str | None):
    headers = {} if key is None else {"Authorization": f"Bearer {key}"}
    return app.test_client().get("/api/v1/ping", headers=headers)


def test_a_good_key_opens(app):
    answer = ping(app, key_for())
    assert answer.status_code == 200
    assert answer.json["holder"] == "water-linhe"


def test_without_a_key_nothing_opens(app):
    for rule in app.url_map.iter_rules():
        if not rule.rule.startswith("/api/v1") or rule.rule.endswith("openapi.json"):
            continue
        path = rule.rule.replace("<", "").replace(">", "")
        for method in rule.methods - {"HEAD", "OPTIONS"}:
            answer = app.test_client().open(path, method=method)
            assert answer.status_code == 401, (method, path)
            assert answer.content_type == "application/problem+json"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda k: k + "x",
        lambda k: k[:-1],
        lambda k: "x" + k,
        lambda k: k.replace(".", ""),
        str.upper,
        lambda _: "",
        lambda _: ".",
        lambda _: "é.é",
        lambda k: k + "." + "x" * 900,
    ],
)
def test_a_wrong_key_is_refused_in_one_way(app, spoil):
    answer = ping(app, spoil(key_for()))
    assert answer.status_code == 401
    assert json.loads(answer.data)["code"] == "bad_key"


def test_an_expired_key_and_a_revoked_one_are_refused(app):
    assert ping(app, key_for(days=-1)).status_code == 401
    key = key_for()
    with transaction() as session:
        session.get_one(access.AccessKey, key.split(".")[0]).revoked_at = wire_now()
    assert ping(app, key).status_code == 401


def test_old_and_new_key_overlap(app):
    old, new = key_for(), key_for()
    assert ping(app, old).status_code == ping(app, new).status_code == 200


def test_the_secret_of_a_key_is_stored_nowhere(app):
    key = key_for()
    secret = key.split(".", 1)[1]
    db.session.remove()
    row = db.session.get(access.AccessKey, key.split(".")[0])
    assert secret not in str(vars(row))


def test_a_key_opens_only_its_scopes(app):
    key = key_for(scopes=("applications",), kind="portal", holder="gov")
    client = app.test_client()
    headers = {"Authorization": f"Bearer {key}"}
    assert ping(app, key).status_code == 200
    for path in ("/api/v1/tasks", "/api/v1/tasks/x", "/api/v1/codes", "/api/v1/fee-items", "/api/v1/settlements"):
        assert client.get(path, headers=headers).status_code == 403, path
    assert client.post("/api/v1/tasks/x/reports", headers=headers, data=b"{}").status_code == 403


def test_signing_secrets_are_sealed_and_bound_to_their_provider(app, tmp_path):
    secret = add_provider("w1", "http://127.0.0.1:9/")
    add_provider("w2", "http://127.0.0.1:9/")
    raw = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    assert secret.encode() not in raw
    with transaction() as session:
        first, second = (session.get_one(access.ProviderAccess, code) for code in ("w1", "w2"))
        second.secrets = first.secrets
    with pytest.raises(access.SealBroken):
        access.endpoints_of(db.session(), app.extensions["yikou.vault"], ["w2"])


def test_the_key_file_is_the_owners_alone(app, tmp_path):
    file = tmp_path / "secrets" / "vault.key"
    assert file.stat().st_mode & 0o777 == 0o600
    file.chmod(0o644)
    with pytest.raises(PermissionError, match="chmod 600"):
        init_vault(app, tmp_path)


def test_every_api_route_names_an_action_and_stands_in_the_description(app):
    description = app.test_client().get("/api/v1/openapi.json").json
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith("/api/v1"):
            assert app.view_functions[rule.endpoint].policy_action in POLICY
            assert rule.rule.replace("<", "{").replace(">", "}") in description["paths"]
    schemas = description["components"]["schemas"]
    text = json.dumps(description)
    for name in {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}:
        assert name in schemas, name
