"""The least valid report of each kind, made from the task as its provider sees it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from portal.cases.tables import Task
from portal.kernel.clock import SHANGHAI, local_date

if TYPE_CHECKING:
    from tests.journey.players import CaseWalk

UTILITIES = ("water", "power", "gas", "heating", "network")
Play = Callable[["CaseWalk", Task], Mapping[str, Any]]


def _availability(walk: CaseWalk, _task: Task) -> dict[str, Any]:
    day = local_date(walk.at) + dt.timedelta(days=1)
    days = [day + dt.timedelta(days=offset) for offset in range(7)]
    spans = [
        (dt.datetime.combine(d, dt.time(9), SHANGHAI), dt.datetime.combine(d, dt.time(12), SHANGHAI)) for d in days
    ]
    return {"slots": [{"start_at": a.isoformat(), "end_at": b.isoformat()} for a, b in spans]}


def _findings(walk: CaseWalk, task: Task) -> dict[str, Any]:
    aside = UTILITIES.index(task.utility)
    found: dict[str, Any] = {
        "conclusion": "ready",
        "outside_line_m": walk.outside_line_m,
        "access_point": {"description": f"院墙东侧{aside + 1}号井"},
    }
    if walk.outside_line_m and task.utility != "power":
        lat = 40.88 + aside * 0.00003  # more than 3 m apart: no two lines are in each other's way
        route = {"type": "LineString", "coordinates": [[107.14, lat], [107.1412, lat]]}
        found["trench"] = {"route": route, "depth_m": 1.6, "width_m": 0.8, "clearance_m": 0.5}
    return found


def _reply(_walk: CaseWalk, _task: Task) -> dict[str, Any]:
    option = {"code": "A", "title": "就近接入", "summary": "从现有管线接入", "works_days": 10, "quote": []}
    return {
        "verdict": "approve",
        "options": [option],
        "valid_until_on": "2027-06-30",
        "investment_boundary": "以红线为界",
    }


def _review(walk: CaseWalk, task: Task) -> dict[str, Any]:
    drawings = walk.document(task)["drawings"]
    newest = [{"sha256": drawing["sha256"], "version": drawing["version"]} for drawing in drawings[-1:]]
    return {"verdict": "pass", "round": task.revision, "drawings": newest}


def _works(walk: CaseWalk, task: Task) -> dict[str, Any]:
    status = {None: "planned", "planned": "started", "started": "finished"}[task.result.get("works", {}).get("status")]
    on = local_date(walk.at)
    window = {"start_on": on.isoformat(), "end_on": (on + dt.timedelta(days=9)).isoformat()}
    return {"status": status, "window": window}


def _acceptance(_walk: CaseWalk, _task: Task) -> dict[str, Any]:
    return {"verdict": "pass", "mode": "site", "items": [{"code": "tightness", "ok": True}]}


def _connected(walk: CaseWalk, task: Task) -> dict[str, Any]:
    point = {"account_no": f"{task.provider}-1", "meter_no": "M1", "opening_reading": "0"}
    return {"connected_at": walk.at.isoformat(), "points": [point]}


PLAYS: dict[str, Play] = {
    "line_check": lambda walk, _task: {"outside_line_m": walk.outside_line_m},
    "availability": _availability,
    "findings": _findings,
    "reply": _reply,
    "review": _review,
    "works": _works,
    "acceptance": _acceptance,
    "connected": _connected,
}
