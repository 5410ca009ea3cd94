"""The joint process: every move of a task, and that joins neither open early nor hang, on random cases."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.cases.workflow import (
    ENDED,
    JOINT_STAGES,
    REPORT_ACTIONS,
    STAGES,
    TASK_ACTIONS,
    TASK_STATES,
    TRACK_STAGES,
    CaseView,
    NotExpected,
    Opening,
    TaskView,
    TrackView,
    case_stage,
    case_turns,
    expects,
    is_finished,
    joint_wait_until,
    needs_permits_now,
    next_state,
    plan_openings,
    whose_turn,
)
from tests.cases.days import WeekCalendar, local

# One row a state, one column an action, "." where the action is refused; written out on purpose.
COLUMNS = "receive work ask answer pause resume await_applicant finish decline revise withdraw fail"
TABLE = {
    "issued": "received working waiting_applicant . paused . waiting_applicant done declined issued withdrawn failed",
    "received": ". working waiting_applicant . paused . waiting_applicant done declined issued withdrawn failed",
    "working": ". working waiting_applicant . paused . waiting_applicant done declined issued withdrawn failed",
    "waiting_applicant": ". . . working . . . done declined issued withdrawn failed",
    "paused": ". . . . . working . . declined issued withdrawn .",
    "done": ". . . . . . . . . issued . .",
    "declined": ". . . . . . . . . issued . .",
    "withdrawn": ". . . . . . . . . . . .",
    "failed": ". . . . . . . . declined issued withdrawn .",
}


@pytest.mark.parametrize(("state", "action"), list(itertools.product(TASK_STATES, TASK_ACTIONS)))
def test_every_state_takes_exactly_the_actions_of_the_table(state, action):
    wanted = dict(zip(COLUMNS.split(), TABLE[state].split(), strict=True))[action]
    if wanted == ".":
        with pytest.raises(NotExpected) as refused:
            next_state(state, action)
        assert (refused.value.state, refused.value.action) == (state, action)
    else:
        assert next_state(state, action) == wanted


OWN = {
    "survey": ("availability",),
    "reply": ("reply",),
    "review": (),
    "works": ("works",),
    "acceptance": ("acceptance",),
    "connection": ("connected",),
    "permits": ("permit",),
}
LAST = ("question", "pause", "extension")


@pytest.mark.parametrize("stage", OWN)
@pytest.mark.parametrize("state", TASK_STATES)
def test_expects_follows_the_protocol(stage, state):
    wanted = {
        "issued": ("received", "declined", *OWN[stage], *LAST),
        "received": ("declined", *OWN[stage], *LAST),
        "working": ("declined", *OWN[stage], *LAST),
        "paused": ("resume",),
    }.get(state, ())
    assert expects(stage, state) == wanted


def test_expects_follows_the_situation():
    assert expects("survey", "working", visit_fixed=True) == ("declined", "findings", *LAST)
    assert set(expects("survey", "working", available=True)) == {"declined", "availability", *LAST}
    assert "findings" not in expects("survey", "working", available=True)
    assert expects("reply", "received", line_check=True) == ("declined", "line_check", "reply", *LAST)
    assert "review" in expects("review", "working", drawings=True)
    assert "works" in expects("works", "working", works_status="started")
    assert "works" not in expects("works", "working", works_status="finished")


def test_every_expected_report_moves_the_task_or_works_on_it():
    for stage, state in itertools.product(OWN, ("issued", "received", "working", "paused")):
        for kind in expects(stage, state, drawings=True, line_check=True, visit_fixed=True):
            assert next_state(state, REPORT_ACTIONS[kind]) in TASK_STATES


@pytest.mark.parametrize(
    ("state", "facts", "turn"),
    [
        ("issued", {}, "provider:water-linhe"),
        ("waiting_applicant", {}, "applicant"),
        ("paused", {"pause_reason": "payment"}, "applicant"),
        ("paused", {"pause_reason": "outside_permit"}, "agency"),
        ("paused", {"pause_reason": "testing"}, "provider:water-linhe"),
        ("working", {"decision_open": True}, "agency"),
        ("working", {"is_office": True}, "agency"),
        ("failed", {}, "agency"),
        ("done", {}, "portal"),
    ],
)
def test_whose_turn_it_is(state, facts, turn):
    assert whose_turn(state, "water-linhe", **facts) == turn


FULL = TRACK_STAGES
SHORT = ("reply", "connection")
GAS_SHORT = ("reply", "acceptance", "connection")


def track(name: str, stages: tuple[str, ...], done: str = "", **values) -> TrackView:
    """A track whose stages in `done` are done; other tasks by keyword `tasks`."""
    tasks = {stage: TaskView(stage, "done") for stage in done.split()} | values.pop("tasks", {})
    return TrackView(id=name, provider=name, stages=stages, tasks=tasks, **values)


def opened(*tracks: TrackView, **facts) -> set[tuple[str, str]]:
    return {(opening.track_id, opening.stage) for opening in plan_openings(CaseView(tracks, **facts))}


def test_a_new_case_opens_its_survey_and_nobody_replies_before_it():
    assert opened(track("water", FULL), track("power", FULL), track("net", SHORT)) == {
        ("water", "survey"),
        ("power", "survey"),
    }


def test_a_case_without_outside_lines_opens_its_reply_at_once():
    assert opened(track("power", SHORT), track("net", SHORT)) == {("power", "reply"), ("net", "reply")}


def test_the_joint_reply_opens_when_the_last_survey_is_done():
    waiting = track("water", FULL, tasks={"survey": TaskView("survey", "working")})
    assert opened(waiting, track("power", FULL, "survey"), track("net", SHORT)) == set()
    done = track("water", FULL, "survey")
    assert opened(done, track("power", FULL, "survey"), track("net", SHORT)) == {
        ("water", "reply"),
        ("power", "reply"),
        ("net", "reply"),
    }


@pytest.mark.parametrize("state", ["declined", "withdrawn"])
def test_a_provider_that_is_out_is_not_waited_for(state):
    by_task = track("water", FULL, tasks={"survey": TaskView("survey", state)})
    by_track = track("gas", FULL, state=state)
    assert opened(by_task, by_track, track("power", FULL, "survey")) == {("power", "reply")}


def test_a_late_provider_that_was_split_off_is_passed_and_catches_up_alone():
    late = track("water", FULL, split_off=frozenset({"survey"}), tasks={"survey": TaskView("survey", "working")})
    assert opened(late, track("power", FULL, "survey")) == {("power", "reply")}
    ready = track("power", FULL, "survey reply")
    assert opened(late, ready, confirmed=True) == {("power", "review")}
    caught_up = track("water", FULL, "survey", split_off=frozenset({"survey"}))
    assert opened(caught_up, track("power", FULL, "survey reply review"), confirmed=True) == {
        ("water", "reply"),
    }


def test_a_stage_released_early_opens_for_those_it_was_released_for():
    tracks = (
        track("power", FULL, "survey"),
        track("water", FULL, "survey"),
        track("gas", FULL, tasks={"survey": TaskView("survey", "working")}),
    )
    assert opened(*tracks, released_stages={"reply": frozenset({"power"})}) == {("power", "reply")}


def test_nothing_after_the_reply_opens_before_the_applicant_confirms():
    ready = track("power", FULL, "survey reply")
    assert opened(ready) == set()
    assert opened(ready, confirmed=True) == {("power", "review")}
    assert opened(track("net", SHORT, "reply", cleared=True)) == set()


def test_works_wait_for_the_permit():
    ready = track("power", FULL, "survey reply review")
    other = track("water", FULL, "survey reply", tasks={"review": TaskView("review", "working")})
    case = CaseView((ready, other), confirmed=True, permits_needed=True)
    assert not needs_permits_now(case)
    case = CaseView((ready,), confirmed=True, permits_needed=True)
    assert needs_permits_now(case)
    assert plan_openings(case) == ()
    assert case_stage(case) == "permits"
    assert case_turns(case) == ("agency",)
    case = replace(case, permits_done=True)
    assert not needs_permits_now(case)
    assert plan_openings(case) == (Opening("power", "works"),)


def test_no_permit_is_asked_for_where_nobody_digs():
    assert not needs_permits_now(CaseView((track("net", SHORT, "reply"),), confirmed=True, permits_needed=True))


def test_connection_opens_for_each_track_when_it_is_cleared():
    slow = track("power", FULL, "survey reply")
    paid = track("net", SHORT, "reply", cleared=True)
    unpaid = track("water", SHORT, "reply")
    assert opened(slow, paid, unpaid, confirmed=True) == {("power", "review"), ("net", "connection")}


def test_gas_is_connected_only_after_its_acceptance():
    gas = track("gas", GAS_SHORT, "reply", cleared=True)
    power = track("power", SHORT, "reply", cleared=True)
    assert opened(gas, power, confirmed=True) == {("gas", "acceptance"), ("power", "connection")}
    passed = track("gas", GAS_SHORT, "reply acceptance", cleared=True)
    assert opened(passed, confirmed=True) == {("gas", "connection")}


def test_where_a_case_stands():
    both = (track("power", FULL, "survey"), track("net", SHORT))
    assert case_stage(CaseView(both)) == "reply"
    replied = (track("power", FULL, "survey reply"), track("net", SHORT, "reply"))
    assert case_stage(CaseView(replied)) == "confirm"
    assert case_turns(CaseView(replied)) == ("applicant",)
    assert case_stage(CaseView(replied, confirmed=True)) == "review"
    through = (track("net", SHORT, "reply connection"),)
    assert case_stage(CaseView(through, confirmed=True)) == "closed"
    late = track("water", FULL, split_off=frozenset({"survey"}), tasks={"survey": TaskView("survey", "issued")})
    assert case_stage(CaseView((*through, late), confirmed=True)) == "survey"
    assert case_stage(CaseView((track("power", FULL, "survey reply"), late), confirmed=True)) == "review"


def test_a_case_closes_when_all_is_connected_and_paid():
    through = CaseView((track("net", SHORT, "reply connection"), track("gas", FULL, state="declined")), confirmed=True)
    assert is_finished(through, bill_paid=True)
    assert not is_finished(through, bill_paid=False)
    assert not is_finished(CaseView((track("net", SHORT, "reply"),), confirmed=True), bill_paid=True)
    everybody_left = CaseView((track("gas", FULL, state="declined"),))
    assert is_finished(everybody_left, bill_paid=False)
    assert not is_finished(CaseView(()), bill_paid=True)


def test_the_unpaid_connection_is_the_applicants_turn():
    assert case_turns(CaseView((track("net", SHORT, "reply"),), confirmed=True)) == ("applicant",)


def test_the_joint_wait_ends_a_day_before_the_earliest_cap():
    plain = WeekCalendar()
    assert joint_wait_until(plain, [(local(23), 8), (local(23), 11)]) == local(2, 17, 30, month=12)
    assert joint_wait_until(plain, [(local(23), 2)]) == local(24, 17, 30)
    assert joint_wait_until(plain, [(local(23), 1)]) == local(24, 13, 0)
    assert joint_wait_until(plain, []) is None


# --- random cases, walked to the end -----------------------------------------------------------------------------

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
@settings(max_examples=150, deadline=None)
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
def test_a_case_in_which_everybody_does_its_part_takes_every_stage_in_order(case):
    seen: list[str] = []
    while not is_finished(case, bill_paid=True):
        for opening in plan_openings(case):
            case = set_task(case, opening.track_id, opening.stage, "done")
            seen.append(opening.stage)
        case = replace(case, tracks=tuple(replace(t, cleared=True) for t in case.tracks))
        case = replace(case, confirmed=case.confirmed or case_stage(case) == "confirm")
        case = replace(case, permits_done=case.permits_done or needs_permits_now(case))
    assert sorted(seen) == sorted(stage for t in case.tracks for stage in t.stages)
    joint = [stage for stage in seen if stage in JOINT_STAGES]
    assert joint == sorted(joint, key=STAGES.index)
