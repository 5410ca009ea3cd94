"""Where a case stands, for its page: one row a provider with its steps, the visit, and whose turn it is in words."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from portal.cases import workflow
from portal.cases.tables import Task, Track, Visit
from portal.journey.case_files import CaseFile
from portal.journey.pages_case_load import CaseRows, TaskClocks

APPLICANT, AGENCY, PORTAL = "applicant", "agency", "portal"
_LIGHT_ORDER = ("green", "yellow", "red")
_TRACK_STATES = {"done": "已接通", "declined": "不在本次联合办理之内", "withdrawn": "已撤回"}


@dataclass(frozen=True, slots=True)
class Step:
    """One stage of one provider. `state` is a task state, None before it opened; `on` its end, or when it is due."""

    stage: str
    state: str | None
    ended_at: dt.datetime | None
    due_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class ProviderRow:
    """One provider (or permit office) of the case; `light` is None when nothing of its own is under way."""

    code: str
    name: str
    utility: str
    hotline: str
    steps: tuple[Step, ...]
    stage: str | None
    light: str | None
    turn: str
    due_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class VisitView:
    """One visit of the joint survey; as a rule the only one."""

    state: str
    start_at: dt.datetime
    end_at: dt.datetime
    names: tuple[str, ...]
    reason: str


def provider_rows(
    file: CaseFile,
    clocks: TaskClocks,
    names: Mapping[str, str],
    *,
    held_up: Collection[str],
    reader: str,
    at: dt.datetime,
) -> tuple[ProviderRow, ...]:
    """One row a track in the order of the utilities, then the permit offices.

    `held_up`: providers that wait for a choice, a signature or money; `reader`: how the applicant is named.
    """
    order: list[str] = [utility.code for utility in file.catalog.utilities]
    tracks = sorted(file.tracks.values(), key=lambda t: (order.index(t.utility), t.provider))
    rows = [
        _track_row(file, track, clocks, names, {APPLICANT} if track.provider in held_up else set(), reader, at)
        for track in tracks
    ]
    offices = [task for task in file.tasks.values() if task.track_id is None]
    return (*rows, *(_office_row(task, clocks, names, at) for task in offices))


def _track_row(
    file: CaseFile,
    track: Track,
    clocks: TaskClocks,
    names: Mapping[str, str],
    waits_for: set[str],
    reader: str,
    at: dt.datetime,
) -> ProviderRow:
    tasks = {
        stage: file.tasks[track.provider, stage] for stage in track.stages if (track.provider, stage) in file.tasks
    }
    open_tasks = [task for task in tasks.values() if task.state not in workflow.ENDED]
    lights = [clocks.light(task, track, at) for task in open_tasks]
    due = [when for task in open_tasks if (when := clocks.due_at(task, at))]
    turns = {clocks.turn(task) for task in open_tasks} or waits_for
    provider = file.catalog.provider(track.provider)
    return ProviderRow(
        code=track.provider,
        name=names[track.provider],
        utility=file.catalog.utility(track.utility).name,
        hotline=provider.hotline,
        steps=tuple(_step(stage, tasks.get(stage), clocks, at) for stage in track.stages),
        stage=open_tasks[0].stage if open_tasks else None,
        light=max(lights, key=_LIGHT_ORDER.index, default=None),
        turn=_TRACK_STATES.get(track.state) or turn_words(turns, names, reader=reader),
        due_at=min(due, default=None),
    )


def _office_row(task: Task, clocks: TaskClocks, names: Mapping[str, str], at: dt.datetime) -> ProviderRow:
    is_open = task.state not in workflow.ENDED
    return ProviderRow(
        code=task.provider,
        name=names[task.provider],
        utility="许可",
        hotline="",
        steps=(_step(task.stage, task, clocks, at),),
        stage=task.stage if is_open else None,
        light=clocks.light(task, None, at) if is_open else None,
        turn=f"轮到 {names[task.provider]}" if is_open else "已办完",
        due_at=clocks.due_at(task, at) if is_open else None,
    )


def _step(stage: str, task: Task | None, clocks: TaskClocks, at: dt.datetime) -> Step:
    if task is None:
        return Step(stage, None, None, None)
    return Step(stage, task.state, task.ended_at, clocks.due_at(task, at))


def case_turns(file: CaseFile, rows: CaseRows, *, applicant_waits: bool) -> set[str]:
    """Everybody who has to act now; the applicant also where something waits that is no task."""
    turns = {rows.clocks.turn(task) for task in file.tasks.values() if task.state not in workflow.ENDED}
    turns |= {AGENCY} if rows.is_in_conflict else set()
    return turns | {APPLICANT} if applicant_waits else turns - {APPLICANT}


def turn_words(turns: Iterable[str], names: Mapping[str, str], *, reader: str) -> str:
    """`轮到您`, `轮到 临河水务、…`; the applicant comes first. `reader` is 您 on its own page, 申请人 for staff."""
    known = set(turns) - {PORTAL}
    words = [reader] if APPLICANT in known else []
    words += ["牵头部门"] if AGENCY in known else []
    words += sorted(names.get(code, code) for turn in known if (code := turn.removeprefix("provider:")) != turn)
    if not words:
        return "等待下一环节"
    return f"轮到{words[0]}" if words == [reader] else f"轮到 {'、'.join(words)}"


def visit_view(visit: Visit, file: CaseFile, names: Mapping[str, str]) -> VisitView:
    """A visit with the names of who comes."""
    who = tuple(names.get(code, code) for code in sorted(visit.providers, key=file.place_of))
    return VisitView(visit.state, visit.start_at, visit.end_at, who, visit.reason)
