"""The people of the demo, each at its own browser: applicant, clerk, lead agency and supervisor.

They see and send only what the pages offer; forms say by `data-act` which act they are.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from providers.simulator.demo_config import SignIn
from providers.simulator.filing import fields_of, papers
from providers.simulator.html_pages import Form, Page
from providers.simulator.pages import Browser, Files, PageError, filled, willing
from providers.simulator.sample_pdf import sample_pdf

CASE_ACTS = ("visit", "answer", "drawings", "confirm", "sign", "pay", "flow")
PERMIT_DAYS = 180
_CASE_LINK = re.compile(r"/cases/([A-Za-z0-9-]+)$")
_APPLICATION_LINK = re.compile(r"/applications/(?!new)([A-Za-z0-9-]+)$")


class Person:
    """Somebody who can sign in."""

    def __init__(self, base_url: str, signs_in: SignIn) -> None:
        self.browser = Browser(base_url)
        self._signs_in = signs_in

    def sign_in(self) -> None:
        """Through the sign-in form. Raises PageError when the portal does not take the password."""
        page = self.browser.get("/sign-in")
        form = next(form for form in page.forms if any(c.kind == "password" for c in form.controls))
        login = next(c.name for c in form.controls if c.kind in ("text", "email", "tel"))
        password = next(c.name for c in form.controls if c.kind == "password")
        given = {login: self._signs_in.login, password: self._signs_in.password}
        landed = self.browser.submit(form, filled(form, given))
        if landed.status >= 400 or any(c.kind == "password" for f in landed.forms for c in f.controls):
            raise PageError(f"{self._signs_in.login} could not sign in: {landed.status} {landed.errors}")

    def file(self, body: Mapping[str, Any]) -> Page:
        """Fill the application form with `body`, attach sample papers, send it; returns the page one lands on."""
        page = self.browser.get("/applications/new")
        form = next(f for f in page.forms if f.act == "file" or f.named("applicant.name"))
        files = {f"materials.{index}.bytes": (name, raw) for index, name, raw in papers(body)}
        return self.browser.submit(form, filled(form, fields_of(form, body)), files)

    def submit_willingly(self, form: Form, now: dt.datetime, files: Files | None = None) -> Page:
        """Send a form, agreeing to whatever it leaves open. Raises PageError when the portal refuses it."""
        today = now.date()
        given = willing(form, today=today.isoformat(), until=(today + dt.timedelta(days=PERMIT_DAYS)).isoformat())
        page = self.browser.submit(form, filled(form, given), files)
        if page.status >= 400 or page.errors:
            raise PageError(f"{form.act or form.action}: {page.status} {list(page.errors)}")
        return page


class Applicant(Person):
    """Acts on its own cases."""

    def open_case(self, case_no: str) -> Page:
        """The case page."""
        return self.browser.get(f"/cases/{case_no}")

    def act(self, form: Form, now: dt.datetime) -> None:
        """One act on a case: choosing the visit, answering, drawings, confirming, signing, paying, saying it flows."""
        if form.act == "pay":
            self._pay(self.submit_willingly(form, now), now)
            return
        self.submit_willingly(form, now, _drawing_files(form) if form.act == "drawings" else None)

    def pay_at(self, cashier: str, now: dt.datetime) -> None:
        """Pay on a cashier page that the case page links to."""
        self._pay(self.browser.get(cashier), now)

    def _pay(self, page: Page, now: dt.datetime) -> None:
        if urlsplit(page.url).netloc == urlsplit(self.browser.base_url).netloc:
            return  # back on the case page: nothing to pay, or a cashier link stands there
        forms = [form for form in page.forms if form.method == "post"]
        if not forms:
            return  # paid or closed already: the portal has yet to hear of it, its page is looked at again later
        self.submit_willingly(next((f for f in forms if f.act == "pay"), forms[0]), now)


def _drawing_files(form: Form) -> Files:
    """A drawing for each file field; new bytes each time, so that a new version differs."""
    names = [c.name for c in form.controls if c.kind == "file"]
    about = [f"{c.name} {c.value}" for c in form.controls if c.kind == "hidden" and "csrf" not in c.name]
    _drawn[form.identity] = _drawn.get(form.identity, 0) + 1
    drawing = sample_pdf("Sample drawing", *about, f"Version {_drawn[form.identity]}")
    return dict.fromkeys(names, ("drawing.pdf", drawing))


_drawn: dict[str, int] = {}


class Clerk(Person):
    """Accepts applications at the counter."""

    def accept(self, application_no: str, now: dt.datetime) -> str:
        """Accept one application; returns the number of the case. Raises PageError."""
        page = self.browser.get(f"/counter/applications/{application_no}")
        if not case_no_on(page):
            form = next((f for f in page.forms if f.act == "accept" or f.action.endswith("/accept")), None)
            if form is None:
                raise PageError(f"{page.url}: nothing to accept")
            page = self.submit_willingly(form, now)
        if not case_no_on(page):
            page = self.browser.get(f"/counter/applications/{application_no}")
        case_no = case_no_on(page)
        if case_no is None:
            raise PageError(f"{page.url}: accepted, but no case is shown")
        return case_no


class Agency(Person):
    """The lead agency's officer: confirms decisions and grants permits."""

    def work(self, now: dt.datetime) -> int:
        """Do everything that stands open on the agency's page; returns how many acts."""
        acts = 0
        seen: set[str] = set()
        while True:
            forms = [
                f for f in self.browser.get("/agency").forms_for("decide", "settle", "permit") if f.identity not in seen
            ]
            if not forms:
                return acts
            seen.add(forms[0].identity)
            self.submit_willingly(forms[0], now)
            acts += 1


class Supervisor(Person):
    """Reads the record of a case and its documents."""

    def record(self, case_no: str) -> dict[str, Any]:
        """The case record: the per-application object of the summary, and `state`."""
        record = self.browser.get_json(f"/oversight/cases/{case_no}.json")
        if not isinstance(record, dict):
            raise PageError(f"{case_no}: the case record is no object")
        return record


def case_no_on(page: Page) -> str | None:
    """The number of the case that this page is about or links to."""
    return _number(page, _CASE_LINK)


def application_no_on(page: Page) -> str | None:
    """The number of the application that this page is about or links to."""
    return _number(page, _APPLICATION_LINK)


def _number(page: Page, pattern: re.Pattern[str]) -> str | None:
    for address in (page.url, *(link.href for link in page.links)):
        found = pattern.search(urlsplit(address).path)
        if found:
            return found.group(1)
    return None
