"""Random cases walked to their end: no join opens early, no case ever hangs."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.cases.workflow import (
    ENDED,
    JOINT_STAGES,
    STAGES,
    TRACK_STAGES,
    CaseView,
    Opening,
    TaskView,
    TrackView,
    case_stage,
    case_turns,
    is_finished,
    needs_permits_now,
    next_state,
    plan_openings,
)

SCALE = 20 if os.environ.get("PORTAL_SOAK") else 1

stage_sets = st.sets(st.sampled_from(("survey", "review", "works", "acceptance"))).map(
    lambda some: tuple(stage for stage in TRACK_STAGES if stage in {*some, "reply", "connection"})
)


@st.composite
def cases(draw: st.DrawFn) -> CaseView:
    stages = draw(st.lists(stage_sets, min_size=1, max_size=5))
    tracks = tuple(TrackView(id=f"t{i}", provider=f"p{i}", stages=own) for i, own in enumerate(stages))
    return CaseView(tracks, permits_needed=draw(st.booleans()))


def with_track(case: CaseView, changed: TrackView) -> CaseView:
    return replace(case, tracks=tuple(changed if t.id == changed.id else t for t in case.tracks))


def set_task(case: CaseView, track_id: str, stage: str, state: str) -> CaseView:
    old = next(t for t in case.tracks if t.id == track_id)
    return with_track(case, replace(old, tasks={**old.tasks, stage: TaskView(stage, state)}))


def check_opening(case: CaseView, opening: Opening) -> None:
    """Independent of the code: what must be true the moment a task opens."""
    own = next(t for t in case.tracks if t.id == opening.track_id)
    position = own.stages.index(opening.stage)
    assert all(own.tasks[s].state == "done" for s in own.stages[:position])
    assert STAGES.index(opening.stage) < STAGES.index("confirm") or case.confirmed
    if opening.stage == "connection":
        assert own.cleared
    if opening.stage == "works":
        assert case.permits_done or not case.permits_needed
    if opening.stage not in JOINT_STAGES:
        return
    for other in case.tracks:
        out = other.state != "open" or any(t.state in ("declined", "withdrawn") for t in other.tasks.values())
        if out or other.split_off or opening.stage not in other.stages:
            continue
        for earlier in other.stages[: other.stages.index(opening.stage)]:
            # Another round of an earlier stage may run while the later one is open already.
            assert opening.stage in other.tasks or other.tasks[earlier].state == "done"


def choices_of(case: CaseView) -> list[tuple[str, ...]]:
    """Everything the outside world could do next."""
    moves: list[tuple[str, ...]] = []
    for own in case.tracks:
        if not own.is_live:
            continue
        for stage, task in own.tasks.items():
            if task.state == "failed":
                moves += [("task", own.id, stage, "revise"), ("task", own.id, stage, "withdraw")]
            elif task.state not in ENDED:
                moves.append(("task", own.id, stage, "finish"))
                moves.append(("task", own.id, stage, "decline"))
                moves += [("task", own.id, stage, "fail")] * (stage == "acceptance")
                moves += [("split", own.id, stage)] * (stage in JOINT_STAGES and stage not in own.split_off)
        moves += [("clear", own.id)] * (case.confirmed and not own.cleared)
    moves += [("confirm",)] * (case_stage(case) == "confirm")
    moves += [("permit",)] * needs_permits_now(case)
    return moves


def apply(case: CaseView, move: tuple[str, ...]) -> CaseView:
    if move[0] == "confirm":
        return replace(case, confirmed=True)
    if move[0] == "permit":
        return replace(case, permits_done=True)
    own = next(t for t in case.tracks if t.id == move[1])
    if move[0] == "clear":
        return with_track(case, replace(own, cleared=True))
    if move[0] == "split":
        return with_track(case, replace(own, split_off=own.split_off | {move[2]}))
    return set_task(case, own.id, move[2], next_state(own.tasks[move[2]].state, move[3]))


@given(cases(), st.data())
@settings(max_examples=150 * SCALE, deadline=None)
def test_joins_never_open_early_and_no_case_ever_hangs(case, data):
    for step in range(400):
        while openings := plan_openings(case):
            for opening in openings:
                check_opening(case, opening)
                assert opening.stage not in next(t for t in case.tracks if t.id == opening.track_id).tasks
            for opening in openings:
                case = set_task(case, opening.track_id, opening.stage, "issued")
        assert case_stage(case) in STAGES
        if is_finished(case, bill_paid=True):
            assert case_stage(case) == "closed"
            return
        moves = choices_of(case)
        assert moves, f"nobody can do anything and the case is not finished: {case}"
        assert case_turns(case)
        # After a while only what leads on is chosen, so that the walk is bound to end.
        forward = [m for m in moves if m[-1] not in ("fail", "decline", "withdraw") and m[0] != "split"]
        case = apply(case, data.draw(st.sampled_from(forward if step > 60 and forward else moves)))
    pytest.fail("the case did not end")


@given(cases())
@settings(max_examples=150 * SCALE, deadline=None)
def test_where_everybody_does_its_part_each_joint_stage_opens_once_for_all_of_them(case):
    rounds: list[tuple[Opening, ...]] = []
    while not is_finished(case, bill_paid=True):
        rounds.append(plan_openings(case))
        for opening in rounds[-1]:
            case = set_task(case, opening.track_id, opening.stage, "done")
        case = replace(case, tracks=tuple(replace(t, cleared=True) for t in case.tracks))
        case = replace(case, confirmed=case.confirmed or case_stage(case) == "confirm")
        case = replace(case, permits_done=case.permits_done or needs_permits_now(case))
    for track in case.tracks:
        assert tuple(o.stage for r in rounds for o in r if o.track_id == track.id) == track.stages
    for stage in JOINT_STAGES:
        opened = [[o.track_id for o in r if o.stage == stage] for r in rounds]
        members = [t.id for t in case.tracks if stage in t.stages]
        assert [ids for ids in opened if ids] == ([members] if members else [])
