"""The running portal, worker, simulators and gateway: samples over HTTP, and a worker killed at its work."""

from __future__ import annotations

import dataclasses
import json
import os
import random
import threading
import uuid
from collections import Counter
from pathlib import Path

import pytest
import requests
from sqlalchemy import create_engine, text

import app
from providers.simulator.driver import run_demo
from providers.simulator.filing import papers
from providers.simulator.stage import free_ports

SAMPLES = app.SAMPLES
INVALID = json.loads((SAMPLES.parent / "applications-invalid.json").read_text("utf-8"))
BODIES = {path.name: json.loads(path.read_text("utf-8")) for path in sorted(SAMPLES.glob("*.json"))}
DEMO_FILES = [SAMPLES / name for name in BODIES if name[:2] in ("02", "03")]
KILLS = 40 if os.environ.get("PORTAL_SOAK") else 6
SEED = int(os.environ.get("PORTAL_SEED", "20261123"))
# What a refused filing must not leave behind.
TABLES = ("application", "case", "task", "outbox_message", "document", "job", "material_file")

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("stack")]


@dataclasses.dataclass
class Running:
    """The addresses of the running stack, its processes, and a look into its database."""

    config: app.DemoConfig
    stage: app.Stage
    database: Path

    @property
    def bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.config.gov_portal_key}"}

    def get(self, path: str) -> requests.Response:
        return requests.get(self.config.portal_url + path, headers=self.bearer, timeout=60)

    def post(self, body: object, key: str) -> requests.Response:
        headers = {**self.bearer, "Idempotency-Key": key}
        return requests.post(f"{self.config.portal_url}/api/v1/applications", json=body, headers=headers, timeout=60)

    def rows(self, query: str) -> list[tuple]:
        engine = create_engine(f"sqlite:///{self.database}")
        try:
            with engine.connect() as connection:
                return [tuple(row) for row in connection.execute(text(query))]
        finally:
            engine.dispose()

    def counts(self) -> dict[str, int]:
        return {table: self.rows(f'select count(*) from "{table}"')[0][0] for table in TABLES}


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stack")
    names = ("portal", "worker", "gateway", *app.UTILITIES)
    ports = dict(zip(names, free_ports(len(names)), strict=True))
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("PORTAL_DATABASE_URL", raising=False)
        with app.demo_stage(folder, ports, DEMO_FILES) as (config, stage):
            quiet = dataclasses.replace(config, out_dir=folder / "out", progress=False)
            (database,) = folder.glob("*.db")
            yield Running(quiet, stage, database)


@pytest.mark.parametrize("wrong", INVALID, ids=[one["name"] for one in INVALID])
def test_a_wrong_application_is_refused_by_its_field_and_leaves_nothing(running, wrong):
    before = running.counts()
    answer = running.post(wrong["application"], uuid.uuid4().hex)
    assert answer.status_code == 422
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    assert wrong["must_name"] in [error["field"] for error in answer.json()["errors"]]
    assert all(error["message"] for error in answer.json()["errors"])
    assert running.counts() == before


@pytest.mark.parametrize("name", BODIES)
def test_a_sample_is_filed_once_however_often_it_is_sent(running, name):
    body, key = _with_papers(running, BODIES[name]), uuid.uuid4().hex
    before = running.counts()
    first = running.post(body, key)
    assert first.status_code == 201, first.text
    filed = running.counts()
    assert filed["application"] == before["application"] + 1
    again = running.post(body, key)
    assert (again.status_code, again.json()) == (201, first.json())
    other = running.post({**body, "project": {**body["project"], "name": "另一个项目"}}, key)
    assert other.status_code == 422
    assert running.counts() == filed
    shown = running.get(first.json()["status_url"])
    assert (shown.status_code, shown.json()["application_no"]) == (200, first.json()["application_no"])


def _with_papers(running: Running, body: dict) -> dict:
    """The application as a government portal sends it: papers handed in before, the channel left to its key."""
    sent = json.loads(json.dumps({name: value for name, value in body.items() if name != "channel"}))
    for index, name, raw in papers(body):
        stored = requests.post(
            f"{running.config.portal_url}/api/v1/materials",
            files={"file": (name, raw, "application/pdf")},
            data={"kind": sent["materials"][index]["kind"]},
            headers=running.bearer,
            timeout=60,
        )
        assert stored.status_code == 201, stored.text
        sent["materials"][index]["file"] = stored.json()["material_id"]
    return sent


def test_killing_the_worker_at_any_moment_loses_nothing_and_doubles_nothing(running):
    chance, over = random.Random(SEED), threading.Event()
    killed = []

    def kill_now_and_then() -> None:
        while len(killed) < KILLS and not over.wait(chance.uniform(0.8, 2.5)):
            running.stage.kill("worker")
            killed.append(1)

    killer = threading.Thread(target=kill_now_and_then)
    killer.start()
    try:
        code = run_demo(running.config)
    finally:
        over.set()
        killer.join()
    assert code == 0, f"seed {SEED}, {len(killed)} kills"
    assert len(killed) >= min(KILLS, 3)
    for entry in json.loads((running.config.out_dir / "summary.json").read_text("utf-8")):
        assert entry["ledger"]["balanced"] is True
        assert entry["payment"]["paid_fen"] == entry["bill"]["total_fen"] > 0
        assert sum(one["amount_fen"] for one in entry["splits"]) == entry["bill"]["total_fen"]
        assert {one["state"] for one in entry["settlements"]} == {"RECONCILED"}
        assert set(Counter((t["provider"], t["stage"]) for t in entry["tasks"]).values()) == {1}
    applied: Counter[str] = Counter()
    for url in running.config.simulator_urls.values():
        applied.update(requests.get(f"{url}/sim/state", timeout=10).json()["applied"])
    sent = {
        number for (number,) in running.rows("select message_id from outbox_message where destination != 'gateway'")
    }
    assert set(applied) == sent  # counted at the providers' side: none lost
    assert set(applied.values()) == {1}  # and none worked twice
    issued = running.rows("select count(*) from outbox_message where kind = 'task.issued' group by task_id")
    assert set(issued) == {(1,)}
