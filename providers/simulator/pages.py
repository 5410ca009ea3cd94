"""A person's browser, without the screen: keeps cookies, follows redirects, sends forms as they stand on the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urljoin

import requests

from providers.simulator.html_pages import Form, Page, Pairs, read_page

TIMEOUT_S = 60
Files = Mapping[str, tuple[str, bytes]]


class PageError(Exception):
    """A page answered with an error, or with what the person cannot go on from."""


class Browser:
    """One signed-in (or not yet signed-in) person at `base_url`."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url.rstrip("/")
        self._session = requests.Session()
        self._session.trust_env = False

    def get(self, address: str) -> Page:
        """Open a page. Raises PageError from status 400 on."""
        answer = self._session.get(urljoin(self.base_url + "/", address), timeout=TIMEOUT_S)
        return _good(_page(answer))

    def get_json(self, address: str) -> Any:
        """A JSON answer. Raises PageError."""
        answer = self._session.get(urljoin(self.base_url + "/", address), timeout=TIMEOUT_S)
        _good(_page(answer))
        return answer.json()

    def get_bytes(self, address: str) -> bytes:
        """A file. Raises PageError."""
        answer = self._session.get(urljoin(self.base_url + "/", address), timeout=TIMEOUT_S)
        if answer.status_code >= 400:
            raise PageError(f"GET {answer.url}: {answer.status_code}")
        return answer.content

    def submit(self, form: Form, pairs: Pairs, files: Files | None = None) -> Page:
        """Send a form with these fields and files; returns the page one lands on, also when it lists errors."""
        sent: Any = [(name, (name_, data, "application/pdf")) for name, (name_, data) in (files or {}).items()]
        has_files = any(control.kind == "file" for control in form.controls)
        if has_files and not sent:
            sent = [("", ("", b""))]  # keeps the multipart encoding that the form asks for
        if form.method == "get":
            return _good(_page(self._session.get(form.action, params=pairs, timeout=TIMEOUT_S)))
        headers = {"Referer": self.base_url + "/", "Origin": self.base_url}
        answer = self._session.post(
            form.action, data=pairs, files=sent or None, headers=headers, timeout=TIMEOUT_S, allow_redirects=True
        )
        return _page(answer)


def filled(form: Form, given: Mapping[str, str | Sequence[str]]) -> Pairs:
    """The form's own values with `given` in place of the fields of those names (a list gives one pair each)."""
    pairs = [(name, value) for name, value in form.defaults() if name not in given]
    for name, value in given.items():
        pairs += [(name, value)] if isinstance(value, str) else [(name, one) for one in value]
    return pairs


def willing(form: Form, *, today: str, until: str) -> dict[str, str | list[str]]:
    """What a person who agrees fills in where the form leaves something open.

    The first choice of each question, every box that must be ticked, today's date, a short text.
    """
    given: dict[str, str | list[str]] = {}
    taken = {name for name, value in form.defaults() if value}
    for control in form.controls:
        name = control.name
        if not name or name in taken or name in given:
            continue
        if control.kind == "radio" or (control.kind == "checkbox" and control.required):
            given[name] = control.value
        elif control.kind == "select" and control.required:
            given[name] = next((option for option in control.options if option), "")
        elif control.kind == "date":
            given[name] = until if "until" in name else today
        elif control.kind in ("text", "textarea") and control.required:
            given[name] = "同意"
    return given


def _page(answer: requests.Response) -> Page:
    is_html = "html" in answer.headers.get("Content-Type", "")
    return read_page(answer.url, answer.status_code, answer.text if is_html else "")


def _good(page: Page) -> Page:
    if page.status >= 400:
        raise PageError(f"{page.url}: {page.status}")
    return page
