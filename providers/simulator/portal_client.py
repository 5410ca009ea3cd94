"""A provider's calls to the portal: bearer key on every call, signature headers on those that change something."""

from __future__ import annotations

import datetime as dt
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import requests

from providers.simulator.config import ProviderConfig
from providers.simulator.signing import sign

TIMEOUT_S = 20
TRIES = 6
MAX_WAIT_S = 2.0
TRANSIENT = frozenset({"in_flight", "changed_meanwhile"})  # nothing was stored: the same report again

Verdict = Literal["applied", "stale", "not_expected", "refused", "unanswered"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a report. `document` is the task as the portal has it, where the answer carries it."""

    verdict: Verdict
    status: int
    body: Mapping[str, Any]
    document: Mapping[str, Any] | None = None


class PortalClient:
    """One server's connection to the portal, for all its providers. Used from one thread."""

    def __init__(self, portal_url: str) -> None:
        self._url = portal_url
        self._session = requests.Session()
        self._session.trust_env = False

    def report(self, provider: ProviderConfig, task_id: str, message_id: str, raw: bytes) -> Outcome:
        """Send one report; again, unchanged, while the portal does not answer, is busy or has it in flight."""
        outcome = Outcome("unanswered", 0, {})
        for attempt in range(TRIES):
            wait = min(MAX_WAIT_S, 0.05 * 2**attempt)
            try:
                answer = self._post(provider, f"/api/v1/tasks/{task_id}/reports", message_id, raw)
            except requests.RequestException as lost:
                outcome = Outcome("unanswered", 0, {"detail": repr(lost)})
            else:
                outcome = _judge(answer)
                if outcome.verdict != "unanswered":
                    return outcome
                wait = min(MAX_WAIT_S, float(_digits(answer.headers.get("Retry-After")) or wait))
            time.sleep(wait)
        return outcome

    def task(self, provider: ProviderConfig, task_id: str) -> Mapping[str, Any]:
        """The current task document. Raises requests.RequestException."""
        return self._get(provider, f"/api/v1/tasks/{task_id}")

    def open_tasks(self, provider: ProviderConfig) -> list[Mapping[str, Any]]:
        """All tasks of this provider, page by page; how a provider catches up after its own outage."""
        items: list[Mapping[str, Any]] = []
        cursor = ""
        while True:
            page = self._get(provider, "/api/v1/tasks", {"after": cursor} if cursor else {})
            items += page.get("items", [])
            following = str(page.get("next") or "")
            if not page.get("items") or not following or following == cursor:
                return items
            cursor = following

    def fee_items(self, provider: ProviderConfig, on: dt.date) -> list[Mapping[str, Any]]:
        """The published fee items of this provider on a day."""
        answer = self._get(provider, "/api/v1/fee-items", {"on": on.isoformat()})
        return list(answer.get("items", []))

    def codes(self, provider: ProviderConfig) -> Mapping[str, Any]:
        """Reason, question, pause and condition codes."""
        return self._get(provider, "/api/v1/codes")

    def _get(self, provider: ProviderConfig, path: str, query: Mapping[str, str] | None = None) -> Mapping[str, Any]:
        headers = {"Authorization": f"Bearer {provider.key}"}
        answer = self._session.get(self._url + path, params=query, headers=headers, timeout=TIMEOUT_S)
        answer.raise_for_status()
        body = answer.json()
        return body if isinstance(body, dict) else {"items": body}

    def _post(self, provider: ProviderConfig, path: str, message_id: str, raw: bytes) -> requests.Response:
        headers = {
            "Authorization": f"Bearer {provider.key}",
            "Content-Type": "application/json; charset=utf-8",
            **sign(provider.secret, message_id, int(time.time()), raw),
        }
        return self._session.post(self._url + path, data=raw, headers=headers, timeout=TIMEOUT_S, allow_redirects=False)


def _judge(answer: requests.Response) -> Outcome:
    try:
        body = answer.json()
    except (json.JSONDecodeError, requests.JSONDecodeError):
        body = {"detail": answer.text[:500]}
    if not isinstance(body, dict):
        body = {"detail": body}
    return Outcome(_verdict(answer.status_code, str(body.get("code", ""))), answer.status_code, body, _document(body))


def _verdict(status: int, code: str) -> Verdict:
    if status == 200:
        return "applied"
    if status >= 500 or status == 429 or (status == 409 and code in TRANSIENT):
        return "unanswered"
    if status == 409 and code in ("stale_revision", "not_expected"):
        return "stale" if code == "stale_revision" else "not_expected"
    return "refused"


def _document(body: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The task document wherever the answer carries it: `task` after a report, anywhere in a problem."""
    if "task_id" in body and "revision" in body:
        return body
    for value in body.values():
        if isinstance(value, dict):
            found = _document(value)
            if found is not None:
                return found
    return None


def _digits(text: str | None) -> str | None:
    return text if text is not None and text.isdigit() else None
