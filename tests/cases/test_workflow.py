"""When the stages of a case open and close: joins, late providers, permits, clearance, the end."""

from __future__ import annotations

from dataclasses import replace

import pytest

from portal.cases.workflow import (
    TRACK_STAGES,
    CaseView,
    Opening,
    TaskView,
    TrackView,
    case_stage,
    case_turns,
    is_finished,
    joint_wait_until,
    needs_permits_now,
    plan_openings,
)
from tests.cases.days import WeekCalendar, local

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
