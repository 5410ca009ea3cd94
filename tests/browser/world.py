"""The portal in demo mode on loopback with cases at several stages, and the pages a person would look at."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select
from werkzeug.serving import make_server

from app import create_app
from portal.cases.application_document import subject_of
from portal.catalog.reading import load_catalog
from portal.exchange.conformance.tables import Badge
from portal.exchange.tables import OutboxMessage
from portal.journey import demo_clock, sandbox, setting_up, signing_in
from portal.journey.filing import file_application
from portal.journey.intake import accept_application
from portal.journey.reply import confirm_reply
from portal.kernel.attestation import attest
from portal.kernel.database import db, transaction
from portal.kernel.ids import new_id
from portal.kernel.policy import Actor
from portal.kernel.settings import Settings
from tests.conftest import AT
from tests.web.case_world import Site
from tests.web.staff_world import CITY, CLERK, PASSWORD, SAMPLES, WIRE, StoppedClock, end_round

PROVIDER = "water-linhe"
SEATS: Mapping[str, Mapping[str, str]] = {
    "clerk": {},
    "lead_agency": {},
    "supervisor": {},
    "finance": {},
    "admin": {},
    "provider_staff": {"provider_code": PROVIDER},
}


class Desks(Site):
    """The providers' part of the cases, without pages."""

    def __post_init__(self) -> None:
        self.catalog = load_catalog(CITY)

    def file(self, sample: str, applicant: Actor) -> str:
        body = json.loads(next(SAMPLES.glob(f"{sample}-*.json")).read_text("utf-8"))
        body["channel"] = "web"
        subject_id = subject_of(body)
        given: dict[str, Any] = {"channel": "web", "subject_id": subject_id, "idempotency_key": new_id(), "at": AT}
        return file_application(applicant, body=body, **given).application_no

    def open(self, sample: str, applicant: Actor) -> str:
        number = self.file(sample, applicant)
        self.case_no = accept_application(CLERK, application_no=number, at=AT, wire_at=WIRE)
        return self.case_no

    def offer_times(self, applicant: Actor) -> str:
        """A case whose applicant may choose when everybody comes."""
        self.open("01", applicant)
        slots = [{"start_at": "2026-11-25T09:00:00+08:00", "end_at": "2026-11-25T17:00:00+08:00"}]
        for task in self.tasks("survey"):
            self.report(task, "availability", slots=slots)
        return self.case_no

    def run_into_conflict(self, applicant: Actor) -> str:
        """A case whose water and fibre lie too near each other: the reply waits for the agency."""
        self.offer_times(applicant)
        end_round()
        for number, task in enumerate(self.tasks("survey")):
            found: dict[str, Any] = {"access_point": {"description": f"{number} 号井"}, "outside_line_m": 100}
            if task.utility in ("water", "network"):
                lon = 107.3412 + (0.0000107 if task.utility == "network" else 0)
                line = {"type": "LineString", "coordinates": [[lon, 40.7836], [lon, 40.7845]]}
                found["trench"] = {"route": line, "depth_m": 1.4, "width_m": 0.8, "clearance_m": 0.5}
            self.report(task, "findings", conclusion="ready", **found)
        for task in self.tasks("reply"):
            self.reply(task, charged=False)
        return self.case_no

    def reply_all(self) -> str:
        for task in self.tasks("reply"):
            self.reply(task)
        return self.case_no


@dataclass(frozen=True)
class Look:
    """One page worth looking at: its name, who looks, and the address."""

    name: str
    login: str | None
    path: str


PUBLIC = (
    Look("start", None, "/"),
    Look("fees", None, "/fees"),
    Look("progress", None, "/progress?code=NOSUCHCODE"),
    Look("verify", None, "/verify/NOSUCHCODE"),
    Look("api", None, "/developers/api"),
    Look("sign-in", None, "/sign-in"),
    Look("not-found", None, "/nowhere"),
    Look("works", None, "/works?division=150802"),
)

STAFF = (
    Look("counter", "clerk", "/counter"),
    Look("desk", "provider_staff", "/desk"),
    Look("desk-crews", "provider_staff", "/desk/crews"),
    Look("desk-sandbox", "provider_staff", "/desk/sandbox"),
    Look("agency", "lead_agency", "/agency"),
    Look("oversight", "supervisor", "/oversight"),
    Look("finance", "finance", "/finance"),
    Look("health", "admin", "/health"),
)


class World:
    """Served from a thread of this process until `stop`."""

    def __init__(self, folder: Path) -> None:
        settings = Settings(
            mode="demo", instance=folder, database_url=f"sqlite:///{folder / 'test.db'}", base_url="http://127.0.0.1"
        )
        self.app = create_app(settings, clock=StoppedClock())
        with self.app.app_context():
            db.create_all()
            setting_up.set_up_city(load_catalog(CITY), at=AT)
            demo_clock.set_clock(AT)
            self.looks = self._looks()
        self._server = make_server("127.0.0.1", 0, self.app, threaded=True)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        with self.app.app_context():
            db.engine.dispose()

    def _looks(self) -> tuple[Look, ...]:
        for role, seat in SEATS.items():
            signing_in.add_person(login=role, name="王某某", password=PASSWORD, role=role, **seat)  # type: ignore[arg-type]
        plant, shop = self._applicant("01"), self._applicant("02")
        desks = Desks(self.app)
        waiting = desks.file("01", plant)
        surveyed = desks.open("01", plant)
        task = next(task for task in desks.tasks("survey") if task.provider == PROVIDER)
        replied = (desks.open("02", shop), desks.reply_all())[1]
        confirmed = (desks.open("02", shop), desks.reply_all())[1]
        in_conflict = desks.run_into_conflict(plant)
        offered = desks.offer_times(plant)
        desks.case_no = confirmed
        choices = {task.provider: "B" for task in desks.tasks("reply")}
        confirm_reply(shop, case_no=confirmed, choices=choices, at=AT, wire_at=WIRE)
        return (
            *PUBLIC,
            *STAFF,
            Look("password", "clerk", "/password"),
            Look("application-new", "applicant-01", "/applications/new"),
            Look("application-new-counter", "clerk", "/applications/new"),
            Look("application", "applicant-01", f"/applications/{waiting}"),
            Look("cases", "applicant-01", "/cases"),
            Look("case-survey", "applicant-01", f"/cases/{surveyed}"),
            Look("case-visit", "applicant-01", f"/cases/{offered}"),
            Look("case-conflict", "applicant-01", f"/cases/{in_conflict}"),
            Look("case-reply", "applicant-02", f"/cases/{replied}"),
            Look("case-bill", "applicant-02", f"/cases/{confirmed}"),
            Look("counter-application", "clerk", f"/counter/applications/{waiting}"),
            Look("desk-task", "provider_staff", f"/desk/tasks/{task.id}"),
            Look("desk-line", "provider_staff", "/desk/line"),
            Look("badge", None, f"/badges/{self._try_a_system()}"),
            *hand_over_looks(),
        )

    def _try_a_system(self) -> str:
        """A provider's sandbox with checks run, some kept and some not; the code of a badge of an earlier day."""
        roles = frozenset({"provider_staff"})
        engineer = Actor(kind="person", id="e1", name="王某某", roles=roles, provider_code=PROVIDER)
        sandbox.open_sandbox(engineer, level="two_way", push_url="http://127.0.0.1:9/in", at=AT, wire_at=WIRE)
        statement = {"badge": "B4DGEB4DGE12", "provider": PROVIDER, "provider_name": "临河区自来水公司", "kept": ["x"]}
        statement |= {"level": "push", "protocol": "v1", "issued_on": "2026-11-20"}
        with transaction() as session:
            row = sandbox.own_sandbox(session, engineer)
            assert row is not None
            row.findings = {"takes_a_signed_event": [True, ""], "takes_a_replay": [False, "回复了 HTTP 409，应为 2xx"]}
            row.probed_at = WIRE
            session.add(Badge(code=statement["badge"], provider=PROVIDER, issued_at=WIRE, body=attest(statement)))
        return str(statement["badge"])

    def _applicant(self, sample: str) -> Actor:
        body = json.loads(next(SAMPLES.glob(f"{sample}-*.json")).read_text("utf-8"))
        uscc, name = body["applicant"]["uscc"], body["applicant"]["name"]
        login = f"applicant-{sample}"
        person = signing_in.add_person(
            login=login, name=name, password=PASSWORD, role="applicant", organisation=(uscc, name)
        )
        subjects = frozenset({f"uscc:{uscc}"})
        return Actor(kind="person", id=person, name=name, roles=frozenset({"applicant"}), subject_ids=subjects)


def hand_over_looks() -> tuple[Look, ...]:
    """What was sent and received, and one message to the provider whose staff look at these pages."""
    query = select(OutboxMessage.message_id).where(OutboxMessage.destination == f"provider:{PROVIDER}")
    return (
        Look("hand-overs", "admin", "/hand-overs"),
        Look("hand-over", "admin", f"/hand-overs/messages/{db.session.scalars(query).first()}"),
        Look("hand-overs-inbox", "admin", "/hand-overs/inbox"),
        Look("hand-overs-own", "provider_staff", "/hand-overs"),
    )
