"""The sandbox as an integrator meets it, and that nothing of it is ever mixed with real cases."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from sqlalchemy import func, select

import portal.tables  # noqa: F401 - every table is looked at below
from portal.exchange.conformance.tables import Badge, Sandbox
from portal.exchange.signatures import sign
from portal.exchange.tables import Job, OutboxMessage
from portal.journey import sandbox_checks
from portal.kernel.attestation import is_attested
from portal.kernel.clock import RealClock
from portal.kernel.database import Base, db
from providers.conformance.prober import Prober
from providers.transports.http import HttpDoor
from tests.contract.test_conformance import Holding
from tests.contract.test_judging import Caller
from tests.exchange.stub_provider import StubProvider
from tests.web.staff_world import WATER, WIRE, Town

# Rows a sandbox run may touch; every other table of the portal must stay as it was.
ITS_OWN = {"sandbox", "badge", "job", "audit_record", "session_record", "person", "staff_seat", "sign_in_failure"}


@pytest.fixture
def town(tmp_path) -> Iterator[Town]:
    town = Town(tmp_path)
    with town.app.app_context():
        town.start()
        yield town
        db.session.remove()
        db.engine.dispose()


class System(Caller):
    """A provider's own system, calling the sandbox over HTTP with what the page has shown."""

    def __init__(self, town: Town, key: str, secret: str) -> None:
        super().__init__()
        self.client, self.key, self.secret = town.app.test_client(), key, secret

    def call(self, method, path, raw=b"", headers=None, **query):
        answer = self.raw(method, path, raw, headers, **query)
        return Answered(answer.status_code, answer.get_json(), 0.0)

    def raw(self, method, path, raw=b"", headers=None, **query):
        named = {"Authorization": f"Bearer {self.key}", **(headers or {})}
        with self.client.application.app_context():
            return self.client.open(
                f"/sandbox/api/v1{path}", method=method, data=raw, headers=named, query_string=query
            )

    def sign(self, _secret, name, raw):
        return sign(self.secret, name or f"m{self.count}", WIRE, raw)


class Answered:
    def __init__(self, status, body, delay_s):
        self.status, self.body, self.delay_s = status, body, delay_s


def opened(town: Town, level: str, url: str = "") -> tuple[System, str]:
    desk = town.desk(WATER)
    page = desk.page("/desk/sandbox")
    form = next(f for f in page.forms if f.act == "open-sandbox")
    shown = desk.client.post(
        "/desk/sandbox", data={"csrf_token": form.named("csrf_token")[0].value, "level": level, "push_url": url}
    )
    assert shown.status_code == 200, shown.text[-2000:]
    assert shown.headers["Cache-Control"] == "no-store"
    key, secret = (shown.text.partition(f'data-value="{name}">')[2].partition("<")[0] for name in ("key", "secret"))
    return System(town, key, secret), shown.text


def counts() -> dict[str, int]:
    db.session.remove()
    return {
        name: db.session.scalar(select(func.count()).select_from(table)) or 0
        for name, table in Base.metadata.tables.items()
        if name not in ITS_OWN
    }


def results(town: Town) -> dict[str, str]:
    text = town.desk(WATER).get("/desk/sandbox").text
    rows = [part.partition('"')[0::2] for part in text.split('data-promise="')[1:]]
    return {name: rest.partition('data-result="')[2].partition('"')[0] for name, rest in rows}


def test_a_pulling_system_walks_through_and_takes_its_badge(town):
    town.open_case()
    before = counts()
    system, _ = opened(town, "pull")
    assert system.key not in town.desk(WATER).get("/desk/sandbox").text
    assert set(results(town).values()) == {"open"}
    system.work()
    town.clock.wire_now = lambda: WIRE.replace(minute=1)
    assert set(results(town).values()) == {"pass"}
    desk = town.desk(WATER)
    badge = desk.send(next(f for f in desk.page("/desk/sandbox").forms if f.act == "badge"), {})
    body = json.loads(desk.get(f"{badge.url.removeprefix('http://localhost')}.json").text)
    assert (body["protocol"], body["level"], body["provider"]) == ("v1", "pull", WATER)
    assert body["issued_on"] == "2026-11-23"
    assert is_attested(body, body["public_key"])
    assert not is_attested({**body, "level": "two_way"}, body["public_key"])
    assert town.sign_in("clerk").get(f"/badges/{body['badge']}").status_code == 200
    assert counts() == before
    assert "沙箱测试企业" not in town.sign_in("clerk").get("/counter").text + desk.get("/desk").text


def test_without_a_pass_there_is_no_badge(town):
    opened(town, "pull")
    desk = town.desk(WATER)
    token = desk.page("/desk/sandbox").forms[0].named("csrf_token")[0].value
    refused = desk.client.post("/desk/sandbox/badge", data={"csrf_token": token})
    assert refused.status_code == 409
    assert "还有必过的用例没有通过" in refused.text
    assert db.session.scalar(select(func.count()).select_from(Badge)) == 0
    assert desk.get("/badges/NOSUCHCODE12").status_code == 404


def test_a_live_key_is_no_sandbox_key_and_the_other_way_round(town):
    from portal.catalog.reading import load_catalog
    from portal.journey.setting_up import set_up_provider
    from portal.kernel.crypto import current_vault
    from tests.web.staff_world import CITY

    system, _ = opened(town, "pull")
    live = set_up_provider(
        current_vault(), load_catalog(CITY).provider(WATER), push_url="http://127.0.0.1:9/", wire_at=WIRE
    )
    with town.app.app_context():
        on_live = system.client.get("/api/v1/tasks", headers={"Authorization": f"Bearer {system.key}"})
    assert on_live.status_code == 401
    assert System(town, live.key, live.secret).call("GET", "/tasks").status == 401
    assert System(town, "", "").call("GET", "/ping").status == 401


def test_a_two_way_address_is_tried_by_the_worker(town):
    sandbox_checks.PROBERS[:] = [Prober(HttpDoor(), RealClock().wire_now)]
    with StubProvider() as stub:
        system, _ = opened(town, "two_way", stub.url)
        stub.script = Signed(system.secret)
        desk = town.desk(WATER)
        desk.send(next(f for f in desk.page("/desk/sandbox").forms if f.act == "checks"), {})
        run_jobs()
        found = results(town)
        run_jobs()
        pushed = [json.loads(call.body)["data"].get("case_no") for call in stub.calls[-4:]]
    assert {name for name, result in found.items() if result == "fail"} == set()
    assert found["reads_back"] == found["refuses_an_old_message"] == "pass"
    assert found["heeds_stale_revision"] == "open"
    assert pushed == ["SANDBOX-0001"] * 4
    assert db.session.scalar(select(func.count()).select_from(OutboxMessage)) == 0


def test_a_wrong_address_is_named_at_its_field(town):
    desk = town.desk(WATER)
    token = desk.page("/desk/sandbox").forms[0].named("csrf_token")[0].value
    for url in ("", "ftp://x", "not an address", "http://[bad"):
        refused = desk.client.post("/desk/sandbox", data={"csrf_token": token, "level": "push", "push_url": url})
        assert refused.status_code == 422
        assert "请填写接收消息的完整地址" in refused.text
    refused = desk.client.post("/desk/sandbox", data={"csrf_token": token, "level": "desk"})
    assert "请选择对接级别" in refused.text
    assert db.session.scalar(select(func.count()).select_from(Sandbox)) == 0


def test_starting_again_keeps_the_key_and_a_new_key_ends_the_old_one(town):
    system, _ = opened(town, "pull")
    system.call("GET", "/ping")
    assert results(town)["uses_its_key"] == "pass"
    desk = town.desk(WATER)
    desk.send(next(f for f in desk.page("/desk/sandbox").forms if f.act == "restart"), {})
    assert results(town)["uses_its_key"] == "open"
    assert system.call("GET", "/ping").status == 200
    opened(town, "pull")
    assert system.call("GET", "/ping").status == 401


def test_each_provider_sees_its_own_sandbox_only_and_others_none(town):
    opened(town, "pull")
    assert "开通沙箱" in town.desk("power-bayannur").get("/desk/sandbox").text
    assert town.sign_in("clerk").get("/desk/sandbox").status_code == 403


class Signed(Holding):
    """A two-way system that checks with its sandbox's secret."""

    def __init__(self, secret: str) -> None:
        super().__init__()
        self.secret = secret


def run_jobs() -> None:
    """What the worker would do with the jobs that wait."""
    db.session.remove()
    kinds = {"sandbox_probe": sandbox_checks.run_checks, "sandbox_push": sandbox_checks.push_events}
    waiting = [(row.kind, row.payload) for row in db.session.scalars(select(Job).where(Job.state == "pending"))]
    for kind, payload in waiting:
        kinds[kind](payload, WIRE, WIRE)
