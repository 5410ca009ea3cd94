"""踏勘: the slots a provider offers and what its surveyor finds."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any

from providers.simulator import seeded
from providers.simulator.conduct import sizing
from providers.simulator.conduct.steps import Fields, Memory, Setting, Step
from providers.simulator.conduct.trades import TRADES
from providers.simulator.task import Task
from providers.simulator.workdays import AFTERNOON, MORNING, Workdays, instant, local_day, span

METRES_PER_DEGREE = 111_320
CORNER_M = 180  # every line of a case follows the same street and turns at the same corner


def next_step(task: Task, memory: Memory, workdays: Workdays, _now: dt.datetime) -> Step | None:
    """Slots first; findings once the joint visit is over."""
    visit = task.visit
    if visit is not None:
        key = f"findings.{task.revision}"
        due_at = workdays.next_desk_time(visit[1])
        return None if key in memory.done else Step(key, "findings", due_at, lambda setting: findings(task, setting))
    offered = [at for key, at in memory.done.items() if key.startswith(f"availability.{task.revision}.")]
    due_at = task.issued_at
    if offered:  # old slots run out while others are awaited: new ones every second working day
        again_on = workdays.after(local_day(max(offered)), 2)
        due_at = workdays.next_desk_time(span(again_on, MORNING)[0])
    key = f"availability.{task.revision}.{len(offered) + 1}"
    return Step(key, "availability", due_at, lambda setting: availability(task, setting))


def availability(task: Task, setting: Setting) -> Fields:
    """When somebody can come, and who."""
    return {"slots": slots(task, local_day(setting.now), setting.workdays), "people": [surveyor(task)]}


def slots(task: Task, today: dt.date, workdays: Workdays) -> list[dict[str, str]]:
    """Three or four half days on the next three working days, among them every shared morning.

    Each second working day's morning is kept free by all crews of the city: by this rule providers that know
    nothing of each other still have a window in common.
    """
    halves = [(workdays.after(today, n), half) for n in (1, 2, 3) for half in (MORNING, AFTERNOON)]
    shared = [half for half in halves if half[1] is MORNING and _is_shared(half[0])]
    others = [half for half in halves if half not in shared]
    others.sort(key=lambda half: seeded.fraction(task.story, task.provider, half[0].isoformat(), str(half[1][0])))
    count = 3 + int(2 * seeded.fraction(task.story, task.provider, "slots"))
    spans = sorted(span(day, half) for day, half in [*shared, *others][:count])
    return [{"start_at": instant(start), "end_at": instant(end)} for start, end in spans]


def _is_shared(day: dt.date) -> bool:
    """Every second weekday, counted through the weeks."""
    weeks, weekday = divmod(day.toordinal() - 1, 7)
    return (weeks * 5 + weekday) % 2 == 0


def surveyor(task: Task) -> str:
    """Who comes."""
    return seeded.pick("王李张刘陈杨赵", task.provider, task.story) + "工"


def findings(task: Task, setting: Setting) -> Fields:
    """What the visit showed."""
    trade = TRADES[task.utility]
    outside = sizing.outside_line_m(task)
    end = route(task, outside)[-1]
    ready = seeded.fraction(task.story, task.provider, "ready") < 0.7
    fields: Fields = {
        "conclusion": "ready" if ready else "ready_with_conditions",
        "outside_line_m": outside,
        "access_point": {"location": {"lon": end[0], "lat": end[1]}, "description": trade.access(task)},
        "line_length_m": outside + sizing.inside_line_m(task),
        "trench": trench(task, outside),
        "obstacles": [] if ready else [trade.obstacle],
        "photos": [],
        "operator": surveyor(task),
    }
    assert setting.provider.code == task.provider
    return fields | trade.sizes(task)


def trench(task: Task, outside_m: int) -> dict[str, Any] | None:
    """Where the ground must be opened, or None."""
    if outside_m == 0:
        return None
    trade = TRADES[task.utility]
    return {
        "route": {"type": "LineString", "coordinates": route(task, outside_m)},
        "depth_m": trade.depth_m,
        "width_m": trade.width_m,
        "clearance_m": trade.clearance_m,
    }


def route(task: Task, length_m: int) -> list[list[float]]:
    """From the site along the street and round its corner; each utility keeps its own side distance in the street."""
    lon, lat = task.location
    along = seeded.pick(((1, 0), (0, 1), (-1, 0), (0, -1)), task.story, "street")
    across = seeded.pick(((along[1], along[0]), (-along[1], -along[0])), task.story, "corner")
    aside = TRADES[task.utility].aside_m

    def at(ahead: float, turned: float) -> list[float]:
        east = along[0] * ahead + across[0] * (turned + aside)
        north = along[1] * ahead + across[1] * (turned + aside)
        shrink = math.cos(math.radians(lat))
        return [round(lon + east / METRES_PER_DEGREE / shrink, 7), round(lat + north / METRES_PER_DEGREE, 7)]

    if length_m <= CORNER_M:
        return [at(0, 0), at(max(1, length_m), 0)]
    corner = CORNER_M - aside  # who lies further in turns earlier: the distances stay the same round the corner
    return [at(0, 0), at(corner, 0), at(corner, length_m - corner)]
