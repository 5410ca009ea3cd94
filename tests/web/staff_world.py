"""The whole portal on a fresh database, and its staff at their browsers, sending the forms they are shown."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.datastructures import MultiDict

import portal.catalog
from app import create_app
from portal.cases.tables import Task, VisitRound
from portal.catalog.reading import load_catalog
from portal.journey import setting_up, signing_in, visit_choices
from portal.journey.filing import file_application
from portal.journey.intake import accept_application
from portal.kernel.database import db
from portal.kernel.ids import new_id
from portal.kernel.policy import Actor
from portal.kernel.settings import Settings
from providers.simulator.html_pages import Form, Page, read_page
from providers.simulator.pages import filled, willing
from tests.conftest import AT

CITY = Path(portal.catalog.__file__).parent / "cities" / "150800"
SAMPLES = Path(__file__).parents[1] / "samples" / "applications"
FIRM = "org-1"
PAYER = Actor(kind="person", id="p1", name="李某", roles=frozenset({"applicant"}), subject_ids=frozenset({"p1", FIRM}))
CLERK = Actor(kind="person", id="c1", name="窗口", roles=frozenset({"clerk"}))
WATER = "water-wuyuan"
PASSWORD = "a long enough pass-phrase"
WIRE = dt.datetime(2026, 11, 23, 1, 0, tzinfo=dt.UTC)

SLOT = {"slots.1.start_at": "2026-11-25T09:00", "slots.1.end_at": "2026-11-25T11:30"}
REFUSAL = {
    "verdict": "refuse",
    "reason_code": "no_capacity",
    "basis": "城镇供水条例第十二条",
    "would_change": "管网扩建后可以接入",
    "alternative": "先用临时供水",
}


class StoppedClock:
    """A clock that stands where it is put."""

    def __init__(self) -> None:
        self.at = AT

    def business_now(self) -> dt.datetime:
        return self.at

    def wire_now(self) -> dt.datetime:
        return WIRE


@dataclass
class Visitor:
    """Somebody at a browser."""

    client: FlaskClient

    def page(self, path: str, *, status: int = 200) -> Page:
        answer = self.get(path)
        return self.page(answer.location) if answer.status_code == 302 else self._read(answer, status)

    def get(self, path: str) -> Any:
        """The bare answer. A context of its own: the test's would carry `g` from one request to the next."""
        with self.client.application.app_context():
            return self.client.get(path)

    def send(self, form: Form, given: Mapping[str, Any], *, status: int = 200) -> Page:
        data = MultiDict(filled(form, given))
        with self.client.application.app_context():
            answer = self.client.post(urlsplit(form.action).path, data=data)
        if answer.status_code in (302, 303):
            return self.page(answer.location, status=status)
        return self._read(answer, status)

    def agree(self, form: Form) -> Page:
        """Send the form as the demo's people do: whatever it leaves open is agreed to."""
        return self.send(form, willing(form, today="2026-11-23", until="2027-05-23"))

    def _read(self, answer: Any, status: int) -> Page:
        assert answer.status_code == status, (answer.status_code, answer.text[-1500:])
        return read_page(f"http://localhost{answer.request.path}", answer.status_code, answer.text)


class Town:
    """The portal with its city loaded."""

    def __init__(self, folder: Path) -> None:
        self.clock = StoppedClock()
        settings = Settings(
            mode="dev", instance=folder, database_url=f"sqlite:///{folder / 'test.db'}", base_url="http://localhost"
        )
        self.app: Flask = create_app(settings, clock=self.clock)
        self._seen: dict[str, Visitor] = {}

    def start(self) -> None:
        db.create_all()
        setting_up.set_up_city(load_catalog(CITY), at=AT)

    def sign_in(self, role: str, **seat: str) -> Visitor:
        """A person of this role, signed in through the form; the same one each time."""
        login = "-".join((role, *seat.values()))
        if login not in self._seen:
            signing_in.add_person(login=login, name=f"{role} 经办", password=PASSWORD, role=role, **seat)  # type: ignore[arg-type]
            visitor = Visitor(self.app.test_client())
            form = next(f for f in visitor.page("/sign-in").forms if f.named("password"))
            visitor.send(form, {"login": login, "password": PASSWORD})
            self._seen[login] = visitor
        return self._seen[login]

    def desk(self, provider: str) -> Visitor:
        return self.sign_in("provider_staff", provider_code=provider)

    def file(self, sample: str = "01") -> str:
        """File a sample; its number."""
        body = json.loads(next(SAMPLES.glob(f"{sample}*.json")).read_text("utf-8"))
        body["channel"] = "web"
        options = {"channel": "web", "subject_id": FIRM, "at": self.clock.at}
        return file_application(PAYER, body=body, idempotency_key=new_id(), **options).application_no

    def open_case(self, sample: str = "01") -> str:
        number = self.file(sample)
        return accept_application(CLERK, application_no=number, at=self.clock.at, wire_at=WIRE)

    def task(self, provider: str, stage: str) -> Task:
        db.session.remove()
        query = select(Task).where(Task.provider == provider, Task.stage == stage)
        return db.session.scalars(query).one()

    def report(self, provider: str, stage: str, kind: str, given: Mapping[str, Any], *, status: int = 200) -> Page:
        """Enter a report at the provider's desk, through the form on the task's page."""
        desk, task_id = self.desk(provider), self.task(provider, stage).id
        return desk.send(report_form(desk.page(f"/desk/tasks/{task_id}"), kind), given, status=status)


def report_form(page: Page, kind: str) -> Form:
    """The form of this kind on a task's page."""
    found = [f for f in page.forms_for("report") if f.named("kind")[0].value == kind]
    assert found, (kind, [f.named("kind")[0].value for f in page.forms_for("report")])
    return found[0]


def end_round() -> None:
    """The applicant lets the time to choose pass: the best visit offered is taken."""
    db.session.remove()
    for case_id, ends_at in db.session.execute(select(VisitRound.case_id, VisitRound.ends_at)).all():
        db.session.remove()
        visit_choices.go_on(case_id=case_id, at=ends_at, wire_at=WIRE)


def surveyed(town: Town, sample: str = "03") -> list[str]:
    """A case whose survey is through, by the desks; the providers that have to reply."""
    town.open_case(sample)
    providers = sorted(db.session.scalars(select(Task.provider).where(Task.stage == "survey")))
    for provider in providers:
        town.report(provider, "survey", "availability", SLOT)
    end_round()
    town.clock.at = AT + dt.timedelta(days=2, hours=3)
    for provider in providers:
        town.report(provider, "survey", "findings", {"conclusion": "ready", "outside_line_m": "0"})
    db.session.remove()
    return sorted(db.session.scalars(select(Task.provider).where(Task.stage == "reply")))
