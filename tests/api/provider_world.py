"""A real case with its tasks, and providers that call the API with their own keys and signatures."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

import portal.catalog
from portal.cases.tables import Task
from portal.catalog.reading import load_catalog
from portal.exchange.signatures import sign
from portal.journey import setting_up
from portal.journey.filing import file_application
from portal.journey.intake import accept_application
from portal.kernel.clock import RealClock
from portal.kernel.crypto import current_vault
from portal.kernel.database import db
from portal.kernel.ids import new_id
from portal.kernel.policy import Actor
from tests.conftest import AT
from tests.worker.parts import wire_now

CITY = Path(portal.catalog.__file__).parent / "cities" / "150800"
SAMPLES = Path(__file__).parents[1] / "samples" / "applications"
GOV = Actor(kind="portal", id="gov", scopes=frozenset({"applications"}))
CLERK = Actor(kind="person", id="c1", name="窗口一", roles=frozenset({"clerk"}))


class StillClock(RealClock):
    """Business time stands at the start of the case, wire time runs."""

    def business_now(self):
        return AT


@dataclass
class Provider:
    """One provider's own system, seen from its side."""

    client: FlaskClient
    code: str
    key: str
    secret: str

    def get(self, path: str) -> TestResponse:
        return self.client.get(path, headers={"Authorization": f"Bearer {self.key}"})

    def post(self, path: str, raw: bytes, *, message_id: str | None = None, **spoiled: Any) -> TestResponse:
        secret = spoiled.pop("secret", self.secret)
        headers = {"Authorization": f"Bearer {self.key}", **sign(secret, message_id or new_id(), wire_now(), raw)}
        headers = {name: value for name, value in (headers | spoiled.pop("headers", {})).items() if value is not None}
        return self.client.post(path, data=spoiled.pop("sent", raw), headers=headers)

    def report(self, task: Task, kind: str, **fields: Any) -> TestResponse:
        options = {name: fields.pop(name) for name in ("message_id", "secret", "headers", "sent") if name in fields}
        return self.post(f"/api/v1/tasks/{task.id}/reports", report_bytes(task, kind, **fields), **options)

    def tasks(self, query: str = "") -> dict[str, Any]:
        answer = self.get(f"/api/v1/tasks{query}")
        assert answer.status_code == 200, answer.data
        return json.loads(answer.data)

    def task(self) -> Task:
        db.session.remove()
        return db.session.query(Task).filter_by(provider=self.code).one()


def report_bytes(task: Task, kind: str, **fields: Any) -> bytes:
    body = {"kind": kind, "occurred_at": "2026-11-23T09:00:00+08:00", "revision": task.revision, **fields}
    return json.dumps(body, ensure_ascii=False).encode()


def open_case(name: str = "01-tomato-plant-five-utilities") -> str:
    """File and accept a sample; answers the case number. The city is set up on first use."""
    setting_up.set_up_city(load_catalog(CITY), at=AT)
    body = json.loads((SAMPLES / f"{name}.json").read_text("utf-8"))
    body.pop("channel", None)
    filed = file_application(GOV, body=body, channel="gov_portal", subject_id="s1", idempotency_key=new_id(), at=AT)
    return accept_application(CLERK, application_no=filed.application_no, at=AT, wire_at=wire_now())


def make_provider(app: Flask, code: str) -> Provider:
    provider = load_catalog(CITY).provider(code)
    made = setting_up.set_up_provider(current_vault(), provider, push_url="http://127.0.0.1:9/", wire_at=wire_now())
    return Provider(app.test_client(), code, made.key, made.secret)
