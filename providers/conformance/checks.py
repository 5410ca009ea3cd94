"""What a provider's endpoint does with what the portal posts to it: one check a promise, by the promise's id."""

from __future__ import annotations

import datetime as dt
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from portal.exchange.conformance.documents import PROBE, probe_task
from portal.exchange.conformance.judging import Finding
from portal.exchange.conformance.promises import Level, promises_for
from portal.exchange.signatures import new_secret, sign
from portal.kernel.clock import format_instant
from portal.kernel.ids import new_id
from providers.transports.http import HttpAnswer, HttpDoor, NoAnswer, NotSent

LIMIT_S = 15.0
LARGE = 256 * 1024
TOO_LARGE = 8 * 1024 * 1024
OLD_S = 900


@dataclass(frozen=True, slots=True)
class Target:
    """The provider under test: its secrets, newest first, and the level it is tried at. `now` gives wire time."""

    url: str
    secrets: Sequence[str]
    door: HttpDoor
    now: Callable[[], dt.datetime]
    level: Level = "push"
    provider: str = "sandbox"

    def sign(self, name: str, body: bytes) -> dict[str, str]:
        """The three headers, as of now."""
        return sign(self.secrets, name, self.now(), body)


Answered = HttpAnswer | str  # or why there is none
Check = Callable[[Target], str | None]  # None, or what was found instead


def run_checks(target: Target) -> list[Finding]:
    """Every check of the target's level, in order; none stops the others."""
    findings = []
    for promise in promises_for(target.level):
        if promise.id in CHECKS:
            found = CHECKS[promise.id](target)
            findings.append(Finding(promise.id, found is None, found or ""))
    return findings


def push_event(target: Target, kind: str, document: Mapping[str, Any]) -> str | None:
    """Post one task event as the portal would; None when it was taken, else what happened."""
    name, body = _event(target, document, type=kind)
    return _taken(_post(target, target.sign(name, body), body))


def _probe(target: Target, **options: Any) -> dict[str, Any]:
    return {**probe_task(f"{PROBE}{new_id()[:12]}", at=target.now(), **options), "provider": target.provider}


def _event(target: Target, data: Mapping[str, Any], name: str | None = None, **more: Any) -> tuple[str, bytes]:
    name = name or new_id()
    event = {"type": "task.issued", "id": name, "occurred_at": format_instant(target.now()), "data": data, **more}
    return name, json.dumps(event, ensure_ascii=False).encode()


def _post(target: Target, headers: Mapping[str, str], body: bytes) -> Answered:
    return _call(target, "POST", target.url, {"Content-Type": "application/json", **headers}, body)


def _call(target: Target, method: str, url: str, headers: Mapping[str, str], body: bytes | None = None) -> Answered:
    try:
        return target.door.call(method, url, headers, body)
    except (NotSent, NoAnswer) as wrong:
        return f"没有回复（{wrong}）"


def _taken(answer: Answered) -> str | None:
    if isinstance(answer, str):
        return answer
    return None if 200 <= answer.status < 300 else f"回复了 HTTP {answer.status}，应为 2xx"


def _refused(answer: Answered) -> str | None:
    if isinstance(answer, str):
        return answer
    return None if 400 <= answer.status < 500 else f"回复了 HTTP {answer.status}，应为 4xx"


def _send(target: Target, data: Mapping[str, Any], name: str | None = None, **more: Any) -> Answered:
    named, body = _event(target, data, name, **more)
    return _post(target, target.sign(named, body), body)


def _held(target: Target, task_id: str) -> dict[str, Any] | str:
    """The document the provider gives back, or why it does not."""
    answer = _call(target, "GET", f"{target.url.rstrip('/')}/tasks/{task_id}", target.sign(new_id(), b""))
    if isinstance(answer, str):
        return answer
    try:
        document = json.loads(answer.body) if answer.status == 200 else None
    except (ValueError, RecursionError):
        document = None
    return document if isinstance(document, dict) else f"回读得到 HTTP {answer.status}，应为 200 和任务文档"


def _holds(target: Target, document: Mapping[str, Any]) -> str | None:
    """At the two-way level: whether what is held is this document."""
    if target.level != "two_way":
        return None
    held = _held(target, document["task_id"])
    if isinstance(held, str):
        return held
    for name in ("task_id", "revision", "part"):
        if held.get(name) != document[name]:
            return f"回读的 {name} 与发出的不一致：{str(held.get(name))[:80]}"
    return None


def _takes_a_signed_event(target: Target) -> str | None:
    begun = time.monotonic()
    found = _taken(_send(target, _probe(target)))
    passed = time.monotonic() - begun
    return found or (f"{passed:.1f} 秒后才回复" if passed > LIMIT_S else None)


def _takes_test_ping(target: Target) -> str | None:
    return _taken(_send(target, {}, type="test.ping"))


def _takes_a_replay(target: Target) -> str | None:
    name, body = _event(target, _probe(target))
    headers = target.sign(name, body)
    return _taken(_post(target, headers, body)) or _taken(_post(target, headers, body))


def _survives_one_id_with_another_body(target: Target) -> str | None:
    first, name = _probe(target), new_id()
    if found := _taken(_send(target, first, name)):
        return found
    other = {**first, "part": {"kind": "new", "daily_m3": 1}}
    answer = _send(target, other, name)
    if isinstance(answer, str) or not 200 <= answer.status < 500 or 300 <= answer.status < 400:
        return answer if isinstance(answer, str) else f"回复了 HTTP {answer.status}，应为 2xx 或 4xx"
    return _holds(target, first)


def _takes_two_signatures(target: Target) -> str | None:
    name, body = _event(target, _probe(target))
    return _taken(_post(target, sign([new_secret(), *target.secrets], name, target.now(), body), body))


def _ignores_unknown_fields(target: Target) -> str | None:
    return _taken(_send(target, _probe(target), added_later={"x": [1, 2]}))


def _takes_a_large_event(target: Target) -> str | None:
    return _taken(_send(target, _probe(target, filling=LARGE)))


def _refuses_a_foreign_signature(target: Target) -> str | None:
    name, body = _event(target, _probe(target))
    return _refused(_post(target, sign(new_secret(), name, target.now(), body), body))


def _refuses_an_altered_body(target: Target) -> str | None:
    name, body = _event(target, _probe(target))
    return _refused(_post(target, target.sign(name, body), body + b" "))


def _refuses_an_old_message(target: Target) -> str | None:
    name, body = _event(target, _probe(target))
    for off_s in (-OLD_S, OLD_S):
        at = target.now() + dt.timedelta(seconds=off_s)
        if found := _refused(_post(target, sign(target.secrets, name, at, body), body)):
            return f"时间相差 {off_s} 秒：{found}"
    return None


def _refuses_an_unsigned_message(target: Target) -> str | None:
    name, body = _event(target, _probe(target))
    whole = target.sign(name, body)
    for left_out in (None, *whole):
        headers = {key: value for key, value in whole.items() if left_out and key != left_out}
        if found := _refused(_post(target, headers, body)):
            return f"缺少 {left_out or '全部签名头'}：{found}"
    return None


def _bounds_bodies(target: Target) -> str | None:
    name, body = _event(target, {}, filling="x" * TOO_LARGE)
    answer = _post(target, target.sign(name, body), body)
    if not isinstance(answer, str) and answer.status < 400:
        return f"回复了 HTTP {answer.status}，应为 413 或断开连接"
    return _taken(_send(target, _probe(target)))


def _takes_revisions_out_of_order(target: Target) -> str | None:
    newer = _probe(target, revision=2)
    older = {**newer, "revision": 1, "part": {"kind": "new"}}
    for document in (newer, older):
        if found := _taken(_send(target, document, type="task.changed")):
            return f"第 {document['revision']} 版：{found}"
    return _holds(target, newer)


def _reads_back(target: Target) -> str | None:
    document = _probe(target)
    return _taken(_send(target, document)) or _holds(target, document)


def _refuses_an_unsigned_read_back(target: Target) -> str | None:
    document = _probe(target)
    if found := _taken(_send(target, document)):
        return found
    return _refused(_call(target, "GET", f"{target.url.rstrip('/')}/tasks/{document['task_id']}", {}))


CHECKS: dict[str, Check] = {
    "takes_a_signed_event": _takes_a_signed_event,
    "takes_test_ping": _takes_test_ping,
    "takes_a_replay": _takes_a_replay,
    "survives_one_id_with_another_body": _survives_one_id_with_another_body,
    "takes_two_signatures": _takes_two_signatures,
    "ignores_unknown_fields": _ignores_unknown_fields,
    "takes_a_large_event": _takes_a_large_event,
    "refuses_a_foreign_signature": _refuses_a_foreign_signature,
    "refuses_an_altered_body": _refuses_an_altered_body,
    "refuses_an_old_message": _refuses_an_old_message,
    "refuses_an_unsigned_message": _refuses_an_unsigned_message,
    "bounds_bodies": _bounds_bodies,
    "takes_revisions_out_of_order": _takes_revisions_out_of_order,
    "reads_back": _reads_back,
    "refuses_an_unsigned_read_back": _refuses_an_unsigned_read_back,
}
