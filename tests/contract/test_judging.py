"""The stand-in portal and its judge: a good caller keeps every promise, and each bad habit is named."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace

import pytest

from portal.exchange.conformance.judging import judge_calls
from portal.exchange.conformance.promises import BY_ID, promises_for
from portal.exchange.conformance.stand_in import Answer, Call, begin, take_call
from portal.exchange.signatures import new_secret, sign

SECRET = new_secret()
AT = dt.datetime(2026, 11, 23, 1, 0, tzinfo=dt.UTC)
BODIES = {
    "received": {},
    "availability": {"slots": [{"start_at": "2026-11-24T09:00:00+08:00", "end_at": "2026-11-24T11:00:00+08:00"}]},
    "findings": {"conclusion": "ready", "outside_line_m": 0, "access_point": {"description": "东门"}},
    "reply": {"verdict": "not_concerned"},
    "works": {"status": "finished"},
    "acceptance": {"verdict": "pass", "mode": "site", "items": [{"code": "tightness", "ok": True}]},
}


class Caller:
    """A provider that calls well, unless `habits` say otherwise."""

    def __init__(self, *habits: str) -> None:
        self.habits, self.now, self.count = habits, AT, 0
        self.state = begin(provider="sandbox", utility="water", at=AT)

    def call(self, method: str, path: str, raw: bytes = b"", headers: dict | None = None, **query: str) -> Answer:
        self.now += dt.timedelta(seconds=1)
        answer = take_call(self.state, Call(method, path, query, headers or {}, raw), secrets=[SECRET], at=self.now)
        if "hasty" not in self.habits:
            self.now += dt.timedelta(seconds=answer.delay_s)
        return replace(answer, body=json.loads(json.dumps(answer.body)))  # as it arrives: a copy

    def report(self, task: dict, kind: str, *, name: str | None = None, **fields) -> Answer:
        self.count += 1
        head = {"kind": kind, "occurred_at": "2026-11-23T09:00:00+08:00", "revision": task["revision"]}
        raw = json.dumps({**head, **BODIES[kind], **fields}).encode()
        secret = new_secret() if "unsigned" in self.habits else SECRET
        return self.call("POST", f"/tasks/{task['task_id']}/reports", raw, self.sign(secret, name, raw))

    def sign(self, secret, name, raw):
        return sign(secret, name or f"m{self.count}", self.now, raw)

    def work(self) -> dict[str, bool | None]:
        page = self.call("GET", "/tasks").body
        for task in page["items"]:
            self.work_on(task)
        after = "0" if "forgetful" in self.habits else page["next"]
        for _ in range(3):
            after = after if "forgetful" in self.habits else self.call("GET", "/tasks", after=after).body["next"]
            self.call("GET", "/tasks", after=after)
        self.now += dt.timedelta(seconds=10)
        return {f.promise: f.is_kept for f in judge_calls(self.state, "pull", self.now)}

    def work_on(self, task: dict) -> None:
        for _ in range(8):
            kinds = [kind for kind in task["expects"] if kind != "received"]
            if not kinds:
                return
            more = {"nonsense": 1} if "careless" in self.habits else {}
            answer = self.report(task, kinds[0], **more)
            if answer.status == 503:
                answer = self.report(task, kinds[0], name=f"{'n' if 'renames' in self.habits else 'm'}{self.count}")
            if answer.delay_s and "hasty" in self.habits:
                answer = self.report(task, kinds[0], name="hasty")
            if answer.status == 200:
                task = answer.body["task"]
            elif "stubborn" not in self.habits:
                task = answer.body.get("task") or {**task, "expects": answer.body.get("expects", [])}


def test_a_good_caller_keeps_every_promise():
    assert Caller().work() == {p.id: True for p in promises_for("pull") if p.side == "calls"}


@pytest.mark.parametrize(
    ("habit", "broken"),
    [
        ("unsigned", {"signs_its_reports"}),
        ("careless", {"reports_what_is_valid"}),
        ("renames", {"repeats_under_one_id"}),
        ("hasty", {"waits_for_a_slow_portal"}),
        ("stubborn", {"heeds_stale_revision", "heeds_not_expected"}),
        ("forgetful", {"keeps_its_cursor"}),
    ],
)
def test_each_bad_habit_is_named(habit, broken):
    found = Caller(habit).work()
    assert {promise for promise, is_kept in found.items() if is_kept is False} == broken
    assert broken <= set(BY_ID)


def test_nobody_calling_breaks_nothing_and_keeps_nothing():
    state = begin(provider="sandbox", utility="water", at=AT)
    assert {finding.is_kept for finding in judge_calls(state, "push", AT)} == {None}


def test_the_state_is_json_and_stays_bounded():
    caller = Caller()
    for _ in range(1200):
        caller.call("GET", "/ping")
    assert len(json.dumps(caller.state)) < 200_000


def test_an_id_answers_the_same_again_and_another_body_is_refused():
    caller = Caller()
    task = caller.call("GET", "/tasks").body["items"][0]
    first = caller.report(task, "availability", name="one")
    assert caller.report(task, "availability", name="one").body == first.body
    assert caller.report(task, "received", name="one").body["code"] == "idempotency_mismatch"
    assert caller.call("GET", "/tasks/nosuch").status == 404
    assert caller.call("GET", "/tasks", after="x").status == 422
    assert caller.call("DELETE", "/tasks").status == 404
