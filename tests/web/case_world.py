"""A real case behind the real pages: providers report from their desks, the applicant acts by the forms it is shown."""

from __future__ import annotations

import datetime as dt
import io
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, g
from flask_wtf import CSRFProtect
from sqlalchemy import select
from werkzeug.datastructures import MultiDict

import portal.catalog
from portal.cases.tables import Application, Case, Task
from portal.catalog import fees
from portal.catalog.reading import load_catalog
from portal.journey import setting_up
from portal.journey.filing import file_application
from portal.journey.intake import accept_application
from portal.journey.reports import submit_desk_report
from portal.kernel.clock import local_date
from portal.kernel.database import db, init_database
from portal.kernel.ids import new_id
from portal.kernel.policy import Actor
from providers.simulator.html_pages import Form, Page, read_page
from providers.simulator.pages import filled, willing
from providers.simulator.sample_pdf import sample_pdf
from tests.conftest import AT
from tests.journey.payment_world import CLERK, FIRM, PAYER
from tests.payment.gateway_world import wire_now

ROOT = Path(__file__).parents[2]
CITY = Path(portal.catalog.__file__).parent / "cities" / "150800"
SAMPLES = ROOT / "tests" / "samples" / "applications"
SHORT, LONG = "02-street-restaurant-no-outside-line", "03-sunflower-mill-power-water-network"
# What these utilities charge the user here: one published item at its lowest price (small power users pay nothing).
CHARGED = {"water": "water.inside", "gas": "gas.safety-set", "heating": "heating.inside"}


def make_app(database_url: str) -> Flask:
    """The case pages with the real layout, filters and error pages, and an empty database."""
    import portal.tables  # noqa: F401 - registers every wing's tables
    from portal.web import account, applicant, errors, filters

    app = Flask("case_pages", root_path=str(ROOT), template_folder="templates", static_folder="static")
    app.config.update(SECRET_KEY="only for tests", WTF_CSRF_ENABLED=False)
    init_database(app, database_url)
    CSRFProtect(app)
    filters.register_filters(app)
    errors.register_errors(app)
    app.register_blueprint(account.bp)
    app.register_blueprint(applicant.bp)
    return app


@dataclass
class Site:
    """One case; `who` sends the requests, `at` is business time."""

    app: Flask
    who: Actor = PAYER
    at: dt.datetime = AT
    case_no: str = ""
    statements: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        def words() -> dict[str, Any]:
            return {"actor": self.who, "now_at": self.at, "city_name": "巴彦淖尔市", "navigation": list}

        def bind() -> None:
            g.actor, g.at, g.wire_at = self.who, self.at, wire_now()

        self.app.before_request(bind)
        self.app.context_processor(words)
        self.client = self.app.test_client()
        self.catalog = load_catalog(CITY)
        setting_up.set_up_city(self.catalog, at=AT)

    def open_case(self, sample: str) -> None:
        """File a sample as its applicant and let the counter accept it."""
        body = json.loads((SAMPLES / f"{sample}.json").read_text("utf-8"))
        filed = file_application(
            PAYER, body=body, channel=body.pop("channel", "web"), subject_id=FIRM, idempotency_key=new_id(), at=AT
        )
        self.case_no = accept_application(CLERK, application_no=filed.application_no, at=AT, wire_at=wire_now())

    @property
    def case(self) -> Case:
        db.session.remove()
        return db.session.scalars(select(Case).where(Case.case_no == self.case_no)).one()

    def application(self) -> Application:
        return db.session.get_one(Application, self.case.application_id)

    def tasks(self, stage: str) -> list[Task]:
        query = select(Task).where(Task.case_id == self.case.id, Task.stage == stage).order_by(Task.provider)
        return list(db.session.scalars(query))

    def report(self, task: Task, kind: str, **fields: Any) -> None:
        """What this task's provider enters at its desk."""
        staff = Actor(
            kind="person",
            id=f"staff-{task.provider}",
            name="经办",
            roles=frozenset({"provider_staff"}),
            provider_code=task.provider,
        )
        report = {"kind": kind, "occurred_at": self.at.isoformat(), "revision": task.revision, **fields}
        submit_desk_report(staff, task_id=task.id, report=report, at=self.at, wire_at=wire_now())

    def survey_all(self) -> None:
        for task in self.tasks("survey"):
            slots = [{"start_at": "2026-11-25T09:00:00+08:00", "end_at": "2026-11-25T11:30:00+08:00"}]
            self.report(task, "availability", slots=slots)
        self.do("visit")

    def find_all(self) -> None:
        for number, task in enumerate(self.tasks("survey")):
            place = {"location": {"lon": 107.4, "lat": 40.8 + number / 10_000}, "description": f"纬三路{number}号"}
            self.report(task, "findings", conclusion="ready", outside_line_m=0, access_point=place)

    def reply(self, task: Task, *, charged: bool = True) -> None:
        """Agree with two plans, of which the second charges one published item where the level allows it."""
        quote = [self._line(task)] if charged and task.utility in CHARGED else []
        plans = [
            {"code": "A", "title": "就近接入", "summary": "从现有支管接入", "works_days": 12, "quote": []},
            {"code": "B", "title": "加快接入", "summary": "增派人手", "works_days": 5, "quote": quote},
        ]
        plans[1]["recommended_why"] = "工期最短"
        self.report(
            task,
            "reply",
            verdict="approve",
            options=plans,
            valid_until_on="2027-03-01",
            investment_boundary="以红线为界",
        )

    def _line(self, task: Task) -> dict[str, Any]:
        item = fees.find_item(self.catalog, task.provider, CHARGED[task.utility or ""], local_date(self.at))
        assert item is not None
        price = item.price_fen
        line = {"fee_item": item.code, "quantity": "1", "unit_price_fen": price, "amount_fen": price, "payer": "user"}
        payee = self.catalog.provider(task.provider).name
        return {**line, "payee": payee, "boundary": item.boundary, "vat_rate": str(item.vat_rate), "basis": item.basis}

    def page(self, path: str = "", *, status: int = 200) -> Page:
        """The case page (or another path) as a browser reads it."""
        return self._read(self.client.get(path or f"/cases/{self.case_no}"), status)

    def send(self, form: Form, *, status: int = 302, file: bytes | None = None, **given: str) -> Page:
        """Send a form as it stands on the page with these entries; the answer itself, redirects not followed."""
        data: MultiDict[str, Any] = MultiDict(filled(form, {k.replace("__", "-"): v for k, v in given.items()}))
        if file is not None:
            data["file"] = (io.BytesIO(file), "plan.pdf")
        has_file = any(control.kind == "file" for control in form.controls)
        encoding = "multipart/form-data" if has_file else "application/x-www-form-urlencoded"
        answer = self.client.post(urlsplit(form.action).path, data=data, content_type=encoding)
        return self._read(answer, status)

    def do(self, act: str, *, file: bytes | None = None) -> None:
        """Do the first act of this kind that the page offers, agreeing to everything; it must be taken."""
        form = self.page().forms_for(act)[0]
        today = local_date(self.at)
        given = willing(form, today=today.isoformat(), until=(today + dt.timedelta(days=90)).isoformat())
        self.send(form, file=file, **{k: v for k, v in given.items() if isinstance(v, str)})

    def _read(self, answer: Any, status: int) -> Page:
        assert answer.status_code == status, (answer.status_code, answer.headers.get("Location"), answer.text[-1500:])
        where = answer.headers.get("Location") or f"http://localhost{answer.request.path}"
        return read_page(where, answer.status_code, answer.text)


def drawing(version: int) -> bytes:
    """A PDF that differs with its version."""
    return sample_pdf("Plan", f"Version {version}")
