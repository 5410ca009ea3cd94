"""The next thing a provider does on a task, decided from the document and what it did before: a pure function.

Because nothing but the document decides, lost, doubled or re-ordered messages do not change what is reported.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping

from providers.simulator.conduct import building, replying, reviewing, surveying
from providers.simulator.conduct.steps import Memory, Step, no_fields
from providers.simulator.task import Task
from providers.simulator.workdays import Workdays

NextStep = Callable[[Task, Memory, Workdays, dt.datetime], Step | None]

STAGES: Mapping[str, NextStep] = {
    "survey": surveying.next_step,
    "reply": replying.next_step,
    "review": reviewing.next_step,
    "works": building.next_works,
    "acceptance": building.next_acceptance,
    "connection": building.next_connection,
}
WAITING = frozenset({"waiting_applicant", "paused"})


def next_step(task: Task, memory: Memory, workdays: Workdays, now: dt.datetime) -> Step | None:
    """What to report next and when; None while there is nothing to do but wait for news.

    A report the document does not expect is not made: the portal says so with its next message.
    """
    if task.is_ended or task.state in WAITING or task.stage not in STAGES:
        return None
    if task.state == "issued" and "received" in task.expects and f"received.{task.revision}" not in memory.done:
        return Step(f"received.{task.revision}", "received", task.issued_at, no_fields)
    step = STAGES[task.stage](task, memory, workdays, now)
    return step if step is not None and step.kind in task.expects else None
