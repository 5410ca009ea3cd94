"""The task document as a provider reads it: what is needed is taken, what is unknown is ignored."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

ENDED = frozenset({"done", "declined", "withdrawn", "failed"})


class BadDocument(ValueError):
    """A task document without the fields every one must have."""


@dataclass(frozen=True, slots=True)
class Task:
    """One task as of one document. `raw` is the document itself, given back on read-back."""

    task_id: str
    revision: int
    case_no: str
    stage: str
    provider: str
    utility: str
    state: str
    issued_at: dt.datetime
    due_at: dt.datetime | None
    expects: frozenset[str]
    part: Mapping[str, Any]
    raw: Mapping[str, Any]

    @property
    def is_ended(self) -> bool:
        """Whether nobody works on it any more."""
        return self.state in ENDED

    @property
    def visit(self) -> tuple[dt.datetime, dt.datetime] | None:
        """The joint visit's time, once fixed."""
        visit = self._shared("visit")
        if not isinstance(visit, Mapping):
            return None
        return dt.datetime.fromisoformat(visit["start_at"]), dt.datetime.fromisoformat(visit["end_at"])

    @property
    def location(self) -> tuple[float, float]:
        """Longitude and latitude of the site."""
        point = self.raw.get("site", {}).get("location", {})
        return float(point.get("lon", 0)), float(point.get("lat", 0))

    @property
    def address(self) -> str:
        """Where the site is, as the applicant wrote it."""
        return str(self.raw.get("site", {}).get("address", ""))

    @property
    def story(self) -> str:
        """What a case is about, in words: the same application filed again is answered the same."""
        return f"{(self.raw.get('project') or {}).get('name', '')}|{self.address}"

    @property
    def kind(self) -> str:
        """What is applied for: new, increase, temporary, transfer …"""
        return str(self.part.get("kind") or self._shared("kind") or "new")

    @property
    def drawings(self) -> tuple[Mapping[str, Any], ...]:
        """The drawings handed in so far, each {kind, version, sha256}."""
        return tuple(self.raw.get("drawings") or ())

    @property
    def questions(self) -> tuple[Mapping[str, Any], ...]:
        """What this provider asked the applicant."""
        return tuple(self.raw.get("questions") or ())

    @property
    def is_zero_investment(self) -> bool:
        """Whether the user pays nothing at this service level (三零)."""
        return bool((self.raw.get("service_level") or {}).get("zero_investment"))

    @property
    def line_estimate_m(self) -> float | None:
        """What the document says about new line outside the red line, if anything."""
        hints = (self._shared("outside_line_m"), self._shared("outside_line_estimate_m"))
        site = self.raw.get("site", {}).get("outside_line_estimate_m")
        known = [hint for hint in (*hints, site) if isinstance(hint, int | float)]
        return float(known[0]) if known else None

    def amount(self, name: str, default: float = 0) -> float:
        """A number of the provider's own part, `default` where it is not known."""
        value = self.part.get(name)
        return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else default

    def _shared(self, name: str) -> Any:
        return (self.raw.get("shared_facts") or {}).get(name)


def read_task(document: Mapping[str, Any]) -> Task:
    """A task from its document. Raises BadDocument."""
    try:
        due_at = document.get("due_at")
        return Task(
            task_id=str(document["task_id"]),
            revision=int(document["revision"]),
            case_no=str(document["case_no"]),
            stage=str(document["stage"]),
            provider=str(document["provider"]),
            utility=str(document["utility"]),
            state=str(document["state"]),
            issued_at=dt.datetime.fromisoformat(document["issued_at"]),
            due_at=dt.datetime.fromisoformat(due_at) if due_at else None,
            expects=frozenset(document.get("expects") or ()),
            part=document.get("part") or {},
            raw=document,
        )
    except (KeyError, TypeError, ValueError) as bad:
        raise BadDocument(f"task document: {bad!r}") from bad
