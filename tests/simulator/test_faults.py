"""Each fault switch does what it says, and the work is still done in the end."""

from __future__ import annotations

import pytest
import requests

from providers.simulator.fault_mix import SIMULATOR_FAULTS
from providers.simulator.faults import BadFaults, FaultBox

PART = {"use": "commercial", "daily_m3": 6, "pipe_dn_mm": 25}


def set_faults(world, utility, **faults):
    return requests.post(world.url(utility) + "/sim/faults", json=faults, timeout=5).status_code


def push_until_taken(world, portal, task, tries=6):
    answers = []
    for _ in range(tries):
        answers.append(portal.push(world.url("water"), task, message_id="one-message"))
        if answers[-1] == 202:
            return answers
    raise AssertionError(answers)


@pytest.mark.parametrize(
    ("faults", "first_answers"),
    [
        ({"down": 2}, [0, 0, 202]),
        ({"error_500_every": 1}, None),
        ({"slow_ms": 30}, [202]),
        ({"out_of_order": True}, [202]),
        ({"duplicate_reports": True}, [202]),
    ],
)
def test_trouble_passes_and_the_work_is_done(world, portal, faults, first_answers):
    assert set_faults(world, "water", **faults) == 200
    task = portal.issue("connection", "water-linhe", "water", PART)
    if first_answers is None:
        assert portal.push(world.url("water"), task) == 500
        set_faults(world, "water", error_500_every=0)
        first_answers = [202]
    assert push_until_taken(world, portal, task) == first_answers
    world.run_until_quiet()
    assert [report["kind"] for _, report in portal.reports][-1] == "connected"
    assert portal.wrong == []
    assert world.errors() == []


def test_garbage_is_answered_only_after_the_message_was_stored(world, portal):
    set_faults(world, "water", garbage_every=1)
    task = portal.issue("connection", "water-linhe", "water", PART)
    assert portal.push(world.url("water"), task, message_id="m1") == 0
    set_faults(world, "water", garbage_every=0)
    assert portal.push(world.url("water"), task, message_id="m1") == 202
    world.run_until_quiet()
    assert [report["kind"] for _, report in portal.reports] == ["received", "connected"]


def test_busy_says_when_to_come_back(world, portal):
    set_faults(world, "water", busy_every=2)
    task = portal.issue("connection", "water-linhe", "water", PART)
    assert [portal.push(world.url("water"), task) for _ in range(4)] == [202, 503, 202, 503]


def test_duplicate_reports_notice_an_answer_that_differs(world, portal):
    set_faults(world, "water", duplicate_reports=True)
    first = portal.report
    calls = []

    def forgetful(path, headers, body):
        calls.append(headers["webhook-id"])
        portal.answers.clear()
        return first(path, headers, body)

    portal.report = forgetful
    portal.push(world.url("water"), portal.issue("connection", "water-linhe", "water", PART))
    world.run_until_quiet()
    assert calls[0] == calls[1], "the same id is sent twice"
    assert any(error["kind"] == "duplicate" for error in world.errors())


def test_late_days_make_the_reply_late(world, portal):
    set_faults(world, "water", late_days=1)
    task = portal.issue("reply", "water-linhe", "water", PART)
    portal.push(world.url("water"), task)
    world.settle()
    assert world.servers["water"].state()["next_action_at"] > "2026-11-27T09:30:00+00:00"


def test_unknown_or_wrong_switches_are_refused(world):
    assert set_faults(world, "water", gravity=True) == 422
    assert set_faults(world, "water", down=True) == 422
    assert set_faults(world, "water", slow_ms=-1) == 422
    with pytest.raises(BadFaults):
        FaultBox().set({"late_days": 1.5})


def test_the_demo_mix_turns_every_switch_somewhere():
    turned = {name for faults in SIMULATOR_FAULTS.values() for name in faults}
    box = FaultBox()
    for faults in SIMULATOR_FAULTS.values():
        box.set(dict(faults))
    assert turned == set(FaultBox().now.__dataclass_fields__)
