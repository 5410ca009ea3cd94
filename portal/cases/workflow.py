"""The joint process: which task may open now, where a case stands, and when it is finished (blueprint §4).

Joint stages open for everybody at once, when each track that holds the stage up has reached it. A track is left out
of that wait when its provider dropped out or when it was split off; connection opens for each track by itself.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from portal.cases.deadlines import WorkingDays, due_at
from portal.cases.task_rules import (
    ENDED,
    JOINT_STAGES,
    REPORT_ACTIONS,
    STAGES,
    TASK_ACTIONS,
    TASK_STATES,
    TASK_TRANSITIONS,
    TRACK_STAGES,
    NotExpected,
    expects,
    next_state,
    whose_turn,
)

__all__ = [
    "ENDED",
    "JOINT_STAGES",
    "REPORT_ACTIONS",
    "STAGES",
    "TASK_ACTIONS",
    "TASK_STATES",
    "TASK_TRANSITIONS",
    "TRACK_STAGES",
    "CaseView",
    "NotExpected",
    "Opening",
    "TaskView",
    "TrackView",
    "case_stage",
    "case_turns",
    "expects",
    "is_finished",
    "joint_wait_until",
    "needs_permits_now",
    "next_state",
    "plan_openings",
    "whose_turn",
]

_AFTER_CONFIRMATION = frozenset({"review", "works", "acceptance", "connection"})
_SHORT_CAP_DAYS = 2


@dataclass(frozen=True, slots=True)
class TaskView:
    stage: str
    state: str


@dataclass(frozen=True, slots=True)
class TrackView:
    """One provider of a case; `stages` in the order of TRACK_STAGES.

    `cleared`: its lines are paid and its contract is signed; `may_dig`: nothing is owed that its provider wants before
    works; `split_off`: joint stages it no longer holds up.
    """

    id: str
    provider: str
    stages: tuple[str, ...]
    state: str = "open"
    split_off: frozenset[str] = frozenset()
    tasks: Mapping[str, TaskView] = field(default_factory=dict)
    cleared: bool = False
    may_dig: bool = True

    @property
    def is_live(self) -> bool:
        """Whether it is still part of the joint process."""
        dropped = any(task.state in ("declined", "withdrawn") for task in self.tasks.values())
        return self.state in ("open", "done") and not dropped

    def is_done(self, stage: str) -> bool:
        """Whether its own task of `stage` is done."""
        return stage in self.tasks and self.tasks[stage].state == "done"

    def has_reached(self, stage: str) -> bool:
        """Whether everything of its own before `stage` is done, or the stage is open for it already."""
        before = self.stages[: self.stages.index(stage)]
        return stage in self.tasks or all(self.is_done(earlier) for earlier in before)

    def holds_up(self, stage: str) -> bool:
        """Whether the others wait for it at `stage`: not once it was split off there or still lags from before."""
        if not self.is_live or stage not in self.stages or stage in self.split_off:
            return False
        before = self.stages[: self.stages.index(stage)]
        return all(self.is_done(earlier) for earlier in before if earlier in self.split_off)


@dataclass(frozen=True, slots=True)
class CaseView:
    """What the rules see of a case. `released_stages`: joint stages opened early, and for which tracks."""

    tracks: tuple[TrackView, ...]
    confirmed: bool = False
    permits_needed: bool = False
    permits_done: bool = False
    released_stages: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @property
    def live(self) -> tuple[TrackView, ...]:
        """The tracks still part of the joint process."""
        return tuple(track for track in self.tracks if track.is_live)


@dataclass(frozen=True, slots=True)
class Opening:
    track_id: str
    stage: str


def plan_openings(case: CaseView) -> tuple[Opening, ...]:
    """Every task that may open now, in the order of stages and tracks. Applying them and asking again gives none."""
    return tuple(
        Opening(track.id, stage)
        for stage in TRACK_STAGES
        for track in case.live
        if stage in track.stages and stage not in track.tasks and _may_open(case, track, stage)
    )


def _may_open(case: CaseView, track: TrackView, stage: str) -> bool:
    if not track.has_reached(stage) or (stage in _AFTER_CONFIRMATION and not case.confirmed):
        return False
    if stage == "works" and not (track.may_dig and (case.permits_done or not case.permits_needed)):
        return False
    if stage == "connection":
        return track.cleared
    return track.id in case.released_stages.get(stage, ()) or _all_have_reached(case, stage)


def _all_have_reached(case: CaseView, stage: str) -> bool:
    return all(track.has_reached(stage) for track in case.live if track.holds_up(stage))


def needs_permits_now(case: CaseView) -> bool:
    """Whether the permit offices should be asked now: review is through wherever works wait, and nobody digs yet."""
    if not (case.confirmed and case.permits_needed) or case.permits_done:
        return False
    ready = [track for track in case.live if "works" in track.stages and track.has_reached("works")]
    return bool(ready) and _all_have_reached(case, "works")


def joint_wait_until(calendar: WorkingDays, caps: Iterable[tuple[dt.datetime, int | float]]) -> dt.datetime | None:
    """Until when ready tracks wait for a late one: one working day before the earliest of their caps.

    `caps`: (when its clock began, cap in working days) of each ready track; of a cap up to 2 days half is given.
    None when no ready track has a cap.
    """
    waits = [(begun, cap - 1 if cap > _SHORT_CAP_DAYS else cap / 2) for begun, cap in caps]
    return min((due_at(calendar, begun, days) for begun, days in waits), default=None)


def case_stage(case: CaseView) -> str:
    """The earliest stage still open, `closed` when none is. Lagging tracks count once the others are through."""
    return _earliest_open(case, lagging=False) or _earliest_open(case, lagging=True) or "closed"


def _earliest_open(case: CaseView, *, lagging: bool) -> str | None:
    open_stages = {
        stage
        for track in case.live
        for stage in track.stages
        if not track.is_done(stage) and (lagging or track.holds_up(stage))
    }
    if not open_stages:
        return None
    if not case.confirmed and open_stages.isdisjoint({"survey", "reply"}):
        return "confirm"
    if case.permits_needed and not case.permits_done and open_stages.isdisjoint({"survey", "reply", "review"}):
        return "permits"
    return min(open_stages, key=STAGES.index)


def is_finished(case: CaseView, bill_paid: bool) -> bool:
    """Whether the case can close: every live track is through, and what was billed is paid.

    A case that everybody has left is finished too; it owes nothing unless something was confirmed before.
    """
    if not case.tracks or any(not track.is_done(stage) for track in case.live for stage in track.stages):
        return False
    return bill_paid if case.confirmed or case.live else True


def case_turns(case: CaseView) -> tuple[str, ...]:
    """Everybody who has to act now, providers by code; (`applicant`,) while the reply waits for confirmation."""
    if case_stage(case) == "confirm":
        return ("applicant",)
    open_tasks = [(t.provider, task) for t in case.live for task in t.tasks.values() if task.state not in ENDED]
    turns = {whose_turn(task.state, provider) for provider, task in open_tasks}
    if case.permits_needed and not case.permits_done and case_stage(case) == "permits":
        turns.add("agency")
    if any(_waits_for_clearance(case, track) for track in case.live):
        turns.add("applicant")
    return tuple(sorted(turns)) or ("portal",)


def _waits_for_clearance(case: CaseView, track: TrackView) -> bool:
    gates = (("works", track.may_dig), ("connection", track.cleared))
    waits = (s for s, is_open in gates if not is_open and s in track.stages and s not in track.tasks)
    return case.confirmed and any(track.has_reached(stage) for stage in waits)
