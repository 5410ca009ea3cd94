"""施工、验收、接通: from the planned window to the first reading."""

from __future__ import annotations

import datetime as dt

from providers.simulator import seeded
from providers.simulator.conduct import sizing
from providers.simulator.conduct.steps import Fields, Memory, Setting, Step
from providers.simulator.conduct.trades import TRADES
from providers.simulator.task import Task
from providers.simulator.workdays import DESK_TIMES, SHANGHAI, Workdays, instant, local_day

LARGE_GAS_M3_H = 50
RECTIFY_DAYS = 2


def next_works(task: Task, memory: Memory, workdays: Workdays, _now: dt.datetime) -> Step | None:
    """Planned at once, started on the next working day, finished after as many days as the line needs."""
    revision = str(task.revision)
    planned = memory.done.get(f"works.planned.{revision}")
    if planned is None:
        return _works(task, "planned", workdays.next_desk_time(task.issued_at))
    window = works_window(task, local_day(planned), workdays)
    if f"works.started.{revision}" not in memory.done:
        return _works(task, "started", _at(window[0], DESK_TIMES[0]), window)
    if f"works.finished.{revision}" not in memory.done:
        return _works(task, "finished", _at(window[1], DESK_TIMES[-1]), window)
    return None


def works_window(task: Task, planned_on: dt.date, workdays: Workdays) -> tuple[dt.date, dt.date]:
    """First and last day of works when they are planned on `planned_on`."""
    start_on = workdays.after(planned_on, 1)
    return start_on, workdays.after(start_on, max(1, sizing.works_days(task) - 1))


def _works(task: Task, status: str, due_at: dt.datetime, window: tuple[dt.date, dt.date] | None = None) -> Step:
    def build(setting: Setting) -> Fields:
        start_on, end_on = window or works_window(task, local_day(setting.now), setting.workdays)
        return {
            "status": status,
            "window": {"start_on": start_on.isoformat(), "end_on": end_on.isoformat()},
            "needs_road_opening": sizing.outside_line_m(task) > 0,
        }

    return Step(f"works.{status}.{task.revision}", "works", due_at, build)


def next_acceptance(task: Task, memory: Memory, workdays: Workdays, now: dt.datetime) -> Step | None:
    """One inspection a revision: a repeated one comes when the time for mending is over."""
    key = f"acceptance.{task.revision}"
    if key in memory.done:
        return None
    rectified = memory.done.get(f"acceptance.{task.revision - 1}")
    if rectified is None:
        share = seeded.between(0.3, 0.8, task.story, task.provider, "acceptance")
        due_at = workdays.within(task.issued_at, task.due_at, share)
    else:
        due_at = max(_at(workdays.after(local_day(rectified), RECTIFY_DAYS), DESK_TIMES[0]), now)
    return Step(key, "acceptance", due_at, lambda setting: acceptance(task, setting))


def wants_rectification(task: Task) -> bool:
    """The gas company finds a missing alarm at large users the first time."""
    return task.utility == "gas" and task.amount("peak_m3_h") > LARGE_GAS_M3_H and task.revision == 1


def acceptance(task: Task, setting: Setting) -> Fields:
    """What was measured, and the verdict. Gas is always inspected on site."""
    rectify = wants_rectification(task)
    remote = task.utility != "gas" and sizing.is_small(task)
    items = [
        {"code": code, "measured": measured, "ok": True, "note": note}
        for code, measured, note in TRADES[task.utility].checks
    ]
    fields: Fields = {"verdict": "pass", "mode": "remote" if remote else "site", "items": items}
    if rectify:
        items[0] |= {"measured": "未安装到位", "ok": False, "note": "锅炉间报警器少一只，请补装"}
        due_on = setting.workdays.after(local_day(setting.now), RECTIFY_DAYS)
        fields |= {"verdict": "rectify", "rectify_by_on": due_on.isoformat()}
    return fields


def next_connection(task: Task, memory: Memory, workdays: Workdays, _now: dt.datetime) -> Step | None:
    """Meters are set once; afterwards the applicant confirms that it flows."""
    key = f"connected.{task.revision}"
    if key in memory.done:
        return None
    share = seeded.between(0.2, 0.7, task.story, task.provider, "connection")
    due_at = workdays.within(task.issued_at, task.due_at, share)
    return Step(key, "connected", due_at, lambda setting: connected(task, setting))


def connected(task: Task, setting: Setting) -> Fields:
    """Account and meter numbers with opening readings; many homes are summed up in at most twenty points."""
    return {
        "connected_at": instant(setting.now),
        "points": [_point(task, number) for number in range(min(sizing.meters(task), sizing.MAX_POINTS))],
    }


def _point(task: Task, number: int) -> Fields:
    words = (task.case_no, task.provider, task.task_id, str(number))
    existing = str(task.part.get("account_no") or "")
    return {
        "account_no": existing or seeded.digits(10, "account", *words),
        "meter_no": seeded.digits(12, "meter", *words),
        "supply_point": f"{TRADES[task.utility].inside_title}{number + 1}号",
        "opening_reading": "0" if not existing else seeded.digits(4, "reading", *words).lstrip("0") or "0",
        "multiplier": "1" if sizing.is_small(task) else "60" if task.utility == "power" else "1",
        "seal_no": "F" + seeded.digits(8, "seal", *words),
    }


def _at(day: dt.date, time: dt.time) -> dt.datetime:
    return dt.datetime.combine(day, time, SHANGHAI).astimezone(dt.UTC)
