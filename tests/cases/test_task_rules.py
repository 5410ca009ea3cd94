"""One task by itself: every state × action, and what each stage expects in each state."""

from __future__ import annotations

import itertools

import pytest

from portal.cases.workflow import (
    REPORT_ACTIONS,
    TASK_ACTIONS,
    TASK_STATES,
    NotExpected,
    expects,
    next_state,
    whose_turn,
)

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
    last = (*LAST, "quote_final") if stage == "works" else LAST
    wanted = {
        "issued": ("received", "declined", *OWN[stage], *last),
        "received": ("declined", *OWN[stage], *last),
        "working": ("declined", *OWN[stage], *last),
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
    assert "quote_final" in expects("works", "working", works_status="planned")
    assert "quote_final" not in expects("works", "working", works_status="started")
    assert "quote_final" in expects("review", "working", drawings=True)
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
