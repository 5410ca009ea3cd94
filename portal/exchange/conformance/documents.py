"""The made-up tasks of the sandbox. No applicant, number or provider of a real case stands in them."""

from __future__ import annotations

import datetime as dt
from typing import Any

from portal.kernel.clock import format_instant

PROBE = "probe-"  # tasks of the checks on the receiving side: nothing is expected of them
CASE_NO = "SANDBOX-0001"
# What each task is there to show, and its stage.
SCRIPTS: dict[str, str] = {
    "end": "survey",
    "again": "reply",
    "stale": "works",
    "withdrawn": "acceptance",
}
OWN_REPORT: dict[str, str] = {
    "survey": "availability",
    "reply": "reply",
    "works": "works",
    "acceptance": "acceptance",
}


def sandbox_task(
    task_id: str, stage: str, *, provider: str, utility: str, at: dt.datetime, revision: int = 1
) -> dict[str, Any]:
    """A task document with every field of the protocol page and one that receivers do not know."""
    return {
        "task_id": task_id,
        "revision": revision,
        "case_no": CASE_NO,
        "stage": stage,
        "provider": provider,
        "utility": utility,
        "state": "issued",
        "issued_at": format_instant(at),
        "due_at": format_instant(at + dt.timedelta(days=5)),
        "light": "green",
        "paused": None,
        "applicant": {
            "name": "沙箱测试企业",
            "kind": "enterprise",
            "contact": {"name": "测试员", "mobile": "13800000000"},
            "site_contact": {"name": "测试员", "mobile": "13800000000"},
        },
        "project": {"name": "沙箱测试项目", "code": None},
        "site": {
            "division": "150802",
            "address": "沙箱路 1 号",
            "location": {"lon": 107.39, "lat": 40.75},
            "boundary": None,
        },
        "part": {"kind": "new", "use": "industrial", "daily_m3": 40, "added_kva": 315, "wanted_on": "2027-04-15"},
        "shared_facts": {"utilities": [utility], "visit": None, "trench": None},
        "materials": [],
        "service_level": {"code": "sandbox", "title": "沙箱", "zero_investment": False},
        "questions": [],
        "drawings": [],
        "expects": ["received", OWN_REPORT[stage]],
        "added_later": {"note": "接收方应当忽略不认识的字段"},
    }


def probe_task(task_id: str, *, at: dt.datetime, revision: int = 1, filling: int = 0) -> dict[str, Any]:
    """An ended task: it may be taken, held and read back, and nothing is to be reported. `filling`: bytes more."""
    document = sandbox_task(task_id, "survey", provider="sandbox", utility="water", at=at, revision=revision)
    return {**document, "state": "done", "expects": [], "added_later": {"note": "x" * filling}}
