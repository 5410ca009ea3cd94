"""答复: an optional line check and question first, then verdict, options with quotes, conditions and boundary."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from providers.simulator import seeded
from providers.simulator.conduct import sizing
from providers.simulator.conduct.quotes import quote, valid_until
from providers.simulator.conduct.steps import FeeItem, Fields, Memory, Setting, Step, known_code
from providers.simulator.conduct.trades import TRADES
from providers.simulator.task import Task
from providers.simulator.workdays import Workdays, local_day

LARGE_HEATED_M2 = 20_000
LONGER_ROUTE = 1.25


def next_step(task: Task, memory: Memory, workdays: Workdays, _now: dt.datetime) -> Step | None:
    """Line check where asked for, one question where a figure is missing, then the reply."""
    if "line_check" in task.expects and f"line_check.{task.revision}" not in memory.done:
        due_at = workdays.within(task.issued_at, task.due_at, 0.1)
        return Step(f"line_check.{task.revision}", "line_check", due_at, lambda _setting: line_check(task))
    if asks_load_note(task) and "question" in task.expects and "question" not in memory.done:
        due_at = workdays.within(task.issued_at, task.due_at, 0.2)
        return Step("question", "question", due_at, lambda setting: load_question(task, setting))
    key = f"reply.{task.revision}"
    if key in memory.done:
        return None
    return Step(key, "reply", reply_at(task, workdays), lambda setting: reply(task, setting))


def reply_at(task: Task, workdays: Workdays) -> dt.datetime:
    """Small needs are answered within hours, as the desk's own promise; others in their share of the limit."""
    if sizing.is_small(task) and sizing.outside_line_m(task) == 0:
        hours = seeded.between(1, 4, task.story, task.provider, "reply")
        return workdays.next_desk_time(task.issued_at + dt.timedelta(hours=hours))
    share = seeded.between(0.3, 0.8, task.story, task.provider, "reply")
    return workdays.within(task.issued_at, task.due_at, share)


def asks_load_note(task: Task) -> bool:
    """The heat company wants the load calculation explained for very large areas."""
    return task.utility == "heating" and task.amount("heated_area_m2") > LARGE_HEATED_M2 and not task.questions


def line_check(task: Task) -> Fields:
    """What the skipped stages rest on, confirmed on the provider's own network map."""
    metres = sizing.outside_line_m(task)
    return {"outside_line_m": metres, "note": "门口已有管线，无需外线" if metres == 0 else "经核对管网图，需新建外线"}


def load_question(task: Task, setting: Setting) -> Fields:
    """One question, told with its reason."""
    area = task.amount("heated_area_m2")
    item = {
        "code": known_code(setting, "question", "heat_load_note"),
        "text": f"供热面积{area:g}平方米较大，请说明热负荷计算依据（各分区面积和指标）。",
        "field": "utilities.heating.heat_load_kw",
        "why": "热负荷决定换热站规模和管径，需要核实后才能确定方案。",
    }
    return {"items": [item]}


def reply(task: Task, setting: Setting) -> Fields:
    """The provider's full answer."""
    today = local_day(setting.now)
    items = setting.fee_items(today)
    wants_more = not sizing.is_small(task) and seeded.fraction(task.story, task.provider, "verdict") < 0.4
    return {
        "verdict": "conditional" if wants_more else "approve",
        "options": options(task, items),
        "conditions": [condition(task, setting)] if wants_more else [],
        "investment_boundary": boundary_text(task),
        "valid_until_on": valid_until(task, today).isoformat(),
    }


def options(task: Task, items: Sequence[FeeItem]) -> list[Fields]:
    """One option, and a second one where there is a real choice of route."""
    trade = TRADES[task.utility]
    first: Fields = {
        "code": "A",
        "title": "就近接入" if sizing.outside_line_m(task) else "利用现有管线接入",
        "summary": _summary(task),
        "access_point": {"description": trade.access(task)},
        "works_days": sizing.works_days(task),
        "quote": quote(task, items),
    }
    if sizing.is_small(task) or sizing.outside_line_m(task) == 0:
        return [first]
    first["recommended_why"] = "线路最短，工期最短"
    second = {
        "code": "B",
        "title": "备选路径接入",
        "summary": trade.second_option,
        "access_point": {"description": trade.access(task) + "（备选）"},
        "works_days": sizing.works_days(task) + 3,
        "quote": quote(task, items, longer=LONGER_ROUTE),
    }
    return [first, second]


def _summary(task: Task) -> str:
    if task.kind in sizing.NO_WORKS_KINDS:
        return "不涉及工程施工，核对资料后直接办理。"
    return TRADES[task.utility].summary(task)


def condition(task: Task, setting: Setting) -> Fields:
    """What must be true before which stage."""
    trade = TRADES[task.utility]
    return {
        "code": known_code(setting, "condition", trade.condition_code),
        "text": trade.condition,
        "before_stage": "connection",
    }


def boundary_text(task: Task) -> str:
    """Who pays for what, in one sentence."""
    if task.is_zero_investment:
        return f"{TRADES[task.utility].inside_title}及以外全部由供应单位投资，用户零投资。"
    return f"红线外由供应单位投资；红线内{TRADES[task.utility].inside_title}以下由用户投资。"
