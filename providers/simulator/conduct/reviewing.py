"""审图: the verdict on the newest drawings."""

from __future__ import annotations

import datetime as dt

from providers.simulator.conduct.steps import Fields, Memory, Setting, Step
from providers.simulator.task import Task
from providers.simulator.workdays import Workdays

LARGE_WATER_M3_D = 400


def next_step(task: Task, memory: Memory, workdays: Workdays, now: dt.datetime) -> Step | None:
    """Wait for drawings that were not refused before, then review them the next working day."""
    newest = current_drawings(task)
    key = f"review.{task.revision}"
    if not newest or key in memory.done or any(str(d["sha256"]) in memory.reworked for d in newest):
        return None
    due_at = workdays.within(now, task.due_at, 0.4)
    return Step(key, "review", due_at, lambda setting: review(task, setting))


def current_drawings(task: Task) -> list[Fields]:
    """The newest version of each kind of drawing."""
    newest: dict[str, Fields] = {}
    for drawing in task.drawings:
        kind = str(drawing.get("kind", ""))
        if kind not in newest or int(drawing["version"]) > newest[kind]["version"]:
            newest[kind] = {"sha256": str(drawing["sha256"]), "version": int(drawing["version"])}
    return list(newest.values())


def wants_rework(task: Task) -> bool:
    """The water company sends the first drawings of very large users back once."""
    return task.utility == "water" and task.amount("daily_m3") > LARGE_WATER_M3_D and task.revision == 1


def review(task: Task, _setting: Setting) -> Fields:
    """Pass, or rework with a comment that says where, why and what."""
    drawings = current_drawings(task)
    fields: Fields = {"verdict": "pass", "round": task.revision, "drawings": drawings, "comments": []}
    if wants_rework(task):
        fields["verdict"] = "rework"
        fields["comments"] = [
            {
                "drawing_sha256": drawings[0]["sha256"],
                "location": "水表井平面图",
                "clause": "GB 50015 建筑给水排水设计标准",
                "severity": "major",
                "text": "水表前未设检修阀门和倒流防止器，请补充后重新上传。",
            }
        ]
    return fields
