"""The checks as the portal's sandbox runs them: the same list, through the same door as every delivery."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from portal.exchange.conformance.judging import Finding
from portal.exchange.conformance.promises import Level
from portal.exchange.port import Endpoint
from providers.conformance.checks import Target, push_event, run_checks
from providers.transports.http import HttpDoor


class Prober:
    """Implements the sandbox's port over one door; `now` gives wire time."""

    def __init__(self, door: HttpDoor, now: Callable[[], dt.datetime]) -> None:
        self._door, self._now = door, now

    def probe(self, endpoint: Endpoint, level: Level, provider: str) -> Sequence[Finding]:
        """Every check of the level."""
        return run_checks(Target(endpoint.url, endpoint.secrets, self._door, self._now, level, provider))

    def push(self, endpoint: Endpoint, kind: str, document: Mapping[str, Any]) -> str | None:
        """One task event; None when it was taken."""
        return push_event(Target(endpoint.url, endpoint.secrets, self._door, self._now), kind, document)
