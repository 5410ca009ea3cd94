"""A portal for trying: answers a provider's calls as the protocol says, from one JSON-able state and nothing else.

It hands out four made-up tasks, each with one thing to learn, and keeps a log of the calls for the judge. It is used
twice: behind `/sandbox/api/v1` with the state in a row, and in `python -m providers.conformance --listen`.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from portal.exchange.conformance.documents import PROBE, SCRIPTS, probe_task, sandbox_task
from portal.exchange.signatures import verify
from portal.exchange.wire.parsing import parse_report
from portal.kernel.clock import format_instant
from portal.kernel.errors import Conflict, DomainError, FieldError, Invalid, NotFound, Unavailable
from portal.kernel.ids import new_id
from portal.kernel.problems import problem_of

MAX_CALLS = 400
MAX_ANSWERS = 200
SLOW_S = 2.0
RETRY_AFTER_S = 1
_MAX_WAIT_S = 2.0
_WORKS = ("planned", "started", "finished")


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a provider whose key is good. `path` begins after `/api/v1`; header names in any case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    raw: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """What to answer, and how many seconds to take over it."""

    status: int
    body: Mapping[str, Any]
    delay_s: float = 0.0
    headers: Mapping[str, str] = field(default_factory=dict)


def begin(*, provider: str, utility: str, at: dt.datetime) -> dict[str, Any]:
    """A fresh state with its four tasks, not yet told about; `outgoing` names the events to be pushed."""
    tasks: dict[str, Any] = {}
    for seq, (script, stage) in enumerate(SCRIPTS.items(), start=1):
        task_id = new_id()
        document = sandbox_task(task_id, stage, provider=provider, utility=utility, at=at)
        tasks[task_id] = {"document": document, "script": script, "seq": seq}
    outgoing = [["task.issued", task_id] for task_id in tasks]
    return {"provider": provider, "seq": len(tasks), "tasks": tasks, "answers": {}, "calls": [], "outgoing": outgoing}


def take_call(state: dict[str, Any], call: Call, *, secrets: Sequence[str], at: dt.datetime) -> Answer:
    """Answer one call and write it down in `state`; `at` is wire time."""
    noted: dict[str, Any] = {"at": format_instant(at), "method": call.method, "path": call.path[:200]}
    try:
        answer = _answer(state, call, noted, secrets, at)
    except DomainError as refused:
        retry = {"Retry-After": str(RETRY_AFTER_S)} if refused.status == 503 else {}
        answer = Answer(refused.status, problem_of(refused), headers=retry)
    noted |= {"status": answer.status, "code": answer.body.get("code"), "delay_s": answer.delay_s}
    if answer.status == 422:
        noted["errors"] = answer.body.get("errors")
    state["calls"] = [*state["calls"], noted][-MAX_CALLS:]
    return answer


def _answer(
    state: dict[str, Any], call: Call, noted: dict[str, Any], secrets: Sequence[str], at: dt.datetime
) -> Answer:
    parts = call.path.strip("/").split("/")
    if call.method == "POST" and len(parts) == 3 and (parts[0], parts[2]) == ("tasks", "reports"):
        return _report(state, call, parts[1], noted, secrets, at)
    if call.method == "GET" and len(parts) == 2 and parts[0] == "tasks":
        return Answer(200, _document(state, parts[1], at))
    look_up = _LOOK_UPS.get(call.path.strip("/")) if call.method == "GET" else None
    if look_up is None:
        raise NotFound("沙箱没有这个接口；正式环境请看 /api/v1/openapi.json。", code="no_such_path")
    return look_up(state, call, noted, at)


def _list_tasks(state: dict[str, Any], call: Call, noted: dict[str, Any], _at: dt.datetime) -> Answer:
    after = call.query.get("after") or "0"
    if not after.isdigit() or len(after) > 9:
        raise Invalid([FieldError("after", "请使用上一次返回的 next。", "number")])
    found = sorted((task["seq"], task["document"]) for task in state["tasks"].values() if task["seq"] > int(after))
    items = [document for _, document in found]
    following = str(found[-1][0]) if found else after
    noted |= {"after": after, "next": following}
    wait = call.query.get("wait") or "0"
    delay_s = min(float(wait), _MAX_WAIT_S) if not items and wait.isdigit() else 0.0
    return Answer(200, {"items": items, "next": following}, delay_s=delay_s)


def _ping(state: dict[str, Any], _call: Call, _noted: dict[str, Any], at: dt.datetime) -> Answer:
    now = format_instant(at)
    return Answer(200, {"ok": True, "holder": state["provider"], "name": "沙箱供应单位", "at": now, "wire_at": now})


def _fee_items(_state: dict[str, Any], _call: Call, _noted: dict[str, Any], at: dt.datetime) -> Answer:
    item = {"code": "sandbox.works", "title": "沙箱接入工程", "unit": "m", "price_fen": 12_345, "max_price_fen": None}
    more = {"vat_rate": "9", "basis": "沙箱示例", "state": "published", "boundary": "outside", "payer": "user"}
    return Answer(200, {"on": at.date().isoformat(), "items": [{**item, **more, "version": "sandbox"}]})


def _codes(_state: dict[str, Any], _call: Call, _noted: dict[str, Any], _at: dt.datetime) -> Answer:
    groups = {"reason": "no_capacity", "question": "other", "pause": "testing", "condition": "meter_room"}
    return Answer(200, {"items": [{"group": g, "code": code, "title": "沙箱示例"} for g, code in groups.items()]})


def _settlements(_state: dict[str, Any], _call: Call, _noted: dict[str, Any], _at: dt.datetime) -> Answer:
    return Answer(200, {"items": []})  # no money moves in the sandbox


_LOOK_UPS: dict[str, Callable[[dict[str, Any], Call, dict[str, Any], dt.datetime], Answer]] = {
    "tasks": _list_tasks,
    "ping": _ping,
    "fee-items": _fee_items,
    "codes": _codes,
    "settlements": _settlements,
}


def _document(state: dict[str, Any], task_id: str, at: dt.datetime) -> dict[str, Any]:
    if task_id in state["tasks"]:
        return dict(state["tasks"][task_id]["document"])
    if task_id.startswith(PROBE):
        return probe_task(task_id[:64], at=at)
    raise NotFound


def _report(
    state: dict[str, Any], call: Call, task_id: str, noted: dict[str, Any], secrets: Sequence[str], at: dt.datetime
) -> Answer:
    message_id = verify(secrets, call.headers, call.raw, at)
    fingerprint = hashlib.sha256(call.path.encode() + b"\n" + call.raw).hexdigest()
    noted |= {"task_id": task_id[:64], "message_id": message_id, "fingerprint": fingerprint}
    if known := state["answers"].get(message_id):
        if known["fingerprint"] != fingerprint:
            raise Invalid([], message="该消息编号已用于另一份内容。", code="idempotency_mismatch")
        noted["is_replay"] = True
        return Answer(known["status"], json.loads(known["body"]))
    try:
        answer = _apply(state, call, task_id, noted, at)
    except Unavailable:
        raise  # nothing is stored: the same id is tried again
    except DomainError as refused:
        answer = Answer(refused.status, problem_of(refused))
    # As text: a database that sorts the names of an object would answer the same in other bytes.
    body = json.dumps(dict(answer.body), ensure_ascii=False)
    kept = {"fingerprint": fingerprint, "status": answer.status, "body": body, "at": at.timestamp()}
    answers = sorted({**state["answers"], message_id: kept}.items(), key=lambda item: float(item[1]["at"]))
    state["answers"] = dict(answers[-MAX_ANSWERS:])
    return answer


def _apply(state: dict[str, Any], call: Call, task_id: str, noted: dict[str, Any], at: dt.datetime) -> Answer:
    task = state["tasks"].get(task_id)
    if task is None:
        raise NotFound
    report = parse_report(call.raw)
    noted |= {"kind": report.kind, "revision": report.revision}
    document = task["document"]
    tries = [c for c in state["calls"] if c.get("task_id") == task_id and c["method"] == "POST" and c.get("kind")]
    if task["script"] == "again" and not tries:
        raise Unavailable("沙箱：门户暂时不可用，请用同一编号和同一内容再发一次。")
    if task["script"] == "stale" and document["revision"] == 1:
        _change(state, task, {"revision": 2})
    if report.revision != document["revision"]:
        raise Conflict("任务已更新，请按最新内容填报。", code="stale_revision", facts={"task": dict(document)})
    if task["script"] == "withdrawn" and document["state"] != "withdrawn":
        _change(state, task, {"state": "withdrawn", "expects": []}, "task.withdrawn")
    if report.kind not in document["expects"]:
        facts = {"expects": document["expects"], "state": document["state"]}
        raise Conflict("该任务当前不接收这类回报。", code="not_expected", facts=facts)
    _move_on(state, task, report, at)
    is_slow = task["script"] == "again" and len(tries) == 1
    return Answer(200, {"report_id": new_id(), "task": dict(document)}, delay_s=SLOW_S if is_slow else 0.0)


def _move_on(state: dict[str, Any], task: dict[str, Any], report: Any, at: dt.datetime) -> None:
    document = task["document"]
    own = [kind for kind in document["expects"] if kind != "received"]
    if report.kind == "received":
        _change(state, task, {"state": "received", "expects": own}, None)
    elif report.kind == "availability":
        slot = report.slots[0]
        visit = {"start_at": format_instant(slot.start_at), "end_at": format_instant(slot.end_at)}
        facts = {**document["shared_facts"], "visit": visit}
        _change(state, task, {"state": "working", "shared_facts": facts, "expects": ["findings"]}, "visit.fixed")
    elif report.kind == "works" and report.status != _WORKS[-1]:
        _change(state, task, {"state": "working", "expects": ["works"]}, None)
    else:
        _change(state, task, {"state": "done", "expects": []}, None)


def _change(
    state: dict[str, Any], task: dict[str, Any], values: Mapping[str, Any], event: str | None = "task.changed"
) -> None:
    """Change a task's document; with `event` the provider is told: it stands in the list again and is pushed."""
    task["document"].update(values)
    if event is not None:
        state["seq"] += 1
        task["seq"] = state["seq"]
        state["outgoing"].append([event, task["document"]["task_id"]])
