"""The applications of one run, and how each becomes a case: filed by its own channel, accepted by the clerk."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from providers.simulator.demo_config import DemoConfig
from providers.simulator.filing import read_application
from providers.simulator.gov_portal import Filed, file_by_api
from providers.simulator.html_pages import Page
from providers.simulator.people import Applicant, Clerk, application_no_on
from providers.simulator.summary import entry_of


@dataclass(slots=True)
class DemoCase:
    """One application on its way. `record` is the last case record read."""

    path: Path
    body: Mapping[str, Any]
    began: float
    applicant: Applicant | None = None
    case_no: str | None = None
    errors: tuple[Mapping[str, str], ...] = ()
    record: Mapping[str, Any] = field(default_factory=dict)
    is_changed: bool = True  # since the record was read
    is_over: bool = False
    ended: float | None = None
    acts: dict[str, tuple[int, dt.datetime]] = field(default_factory=dict)  # form → times sent, when last

    def end(self) -> None:
        """Nothing more happens to it."""
        self.is_over, self.ended = True, time.monotonic()

    def entry(self) -> dict[str, Any]:
        """Its entry of the summary."""
        elapsed = (self.ended or time.monotonic()) - self.began
        record = self.record if self.case_no is not None else None
        return entry_of(self.path.name, record=record, errors=self.errors, elapsed_s=elapsed)


class People:
    """Everybody who signs in during a run; each signs in once."""

    def __init__(self, config: DemoConfig) -> None:
        self._config = config
        self._applicants: dict[str, Applicant] = {}
        self.clerk = Clerk(config.portal_url, config.person("clerk"))
        self.clerk.sign_in()

    def applicant(self, body: Mapping[str, Any]) -> Applicant:
        """The browser of whoever acts for this application's applicant. Raises LookupError."""
        about = body.get("applicant") or {}
        subjects = [str(about[name]) for name in ("uscc", "name", "id_no") if about.get(name)]
        person = self._config.person("applicant", *subjects)
        if person.login not in self._applicants:
            applicant = Applicant(self._config.portal_url, person)
            applicant.sign_in()
            self._applicants[person.login] = applicant
        return self._applicants[person.login]


def start_case(config: DemoConfig, people: People, path: Path, now: dt.datetime) -> DemoCase:
    """File one application by its channel and let the clerk accept it; a refused one is over, with its errors."""
    case = DemoCase(path, read_application(path), time.monotonic())
    filed = _file(config, people, case.body)
    if filed.application_no is None:
        case.errors = filed.errors
        case.end()
        return case
    case.applicant = people.applicant(case.body)
    case.case_no = filed.case_no or people.clerk.accept(filed.application_no, now)
    return case


def _file(config: DemoConfig, people: People, body: Mapping[str, Any]) -> Filed:
    channel = body.get("channel", "web")
    if channel not in ("web", "counter"):
        return file_by_api(config.portal_url, config.gov_portal_key, body)
    person = people.clerk if channel == "counter" else people.applicant(body)
    return _filed(person.file(body))


def _filed(page: Page) -> Filed:
    application_no = application_no_on(page)
    if page.status >= 400 or page.errors or application_no is None:
        listed = tuple({"field": name, "message": message} for name, message in page.errors)
        return Filed(None, None, listed or ({"field": "", "message": f"HTTP {page.status} at {page.url}"},))
    return Filed(application_no, None)
