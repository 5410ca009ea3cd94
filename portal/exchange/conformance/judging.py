"""What the calls at the stand-in portal show of each promise. Pure: the state in, findings out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from portal.exchange.conformance.promises import Level, Promise, promises_for
from portal.kernel.clock import parse_instant

PATIENCE = dt.timedelta(seconds=3)
_MANY_LISTS = 3


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found of one promise: kept, broken, or (None) not seen yet. `seen` says what we saw."""

    promise: str
    is_kept: bool | None
    seen: str


Calls = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class _Log:
    state: Mapping[str, Any]
    now: dt.datetime

    @property
    def calls(self) -> Calls:
        calls: Calls = self.state["calls"]
        return calls

    def task(self, script: str) -> Mapping[str, Any]:
        found: Mapping[str, Any] = next(t for t in self.state["tasks"].values() if t["script"] == script)
        return found

    def reports(self, script: str | None = None) -> Calls:
        """Signed reports that could be read, of one scripted task or of all."""
        wanted = self.task(script)["document"]["task_id"] if script else None
        return [c for c in self.calls if c.get("kind") and wanted in (None, c["task_id"])]


_Verdict = tuple[bool | None, str]


def judge_calls(state: Mapping[str, Any], level: Level, now: dt.datetime) -> list[Finding]:
    """A finding for each promise about the provider's calls at this level; `now` is wire time."""
    log = _Log(state, now)
    return [Finding(p.id, *JUDGES[p.id](log)) for p in promises_for(level) if p.side == "calls"]


def is_worthy(promises: Sequence[Promise], findings: Mapping[str, bool | None]) -> bool:
    """Whether every promise that must be kept was seen to be kept."""
    return all(findings.get(promise.id) is True for promise in promises if promise.must)


def _key(log: _Log) -> _Verdict:
    return (True, f"共 {len(log.calls)} 次调用") if log.calls else (None, "还没有收到任何调用")


def _signed(log: _Log) -> _Verdict:
    posts = [c for c in log.calls if c["method"] == "POST" and c["path"].endswith("/reports")]
    wrong = [c for c in posts if c["code"] == "bad_signature"]
    if not posts:
        return None, "还没有收到回报"
    if posts[-1]["code"] == "bad_signature":
        return False, f"{len(posts)} 次回报中有 {len(wrong)} 次签名不符"
    return True, f"{len(posts) - len(wrong)} 次回报签名正确"


def _valid(log: _Log) -> _Verdict:
    posts = [c for c in log.calls if c.get("message_id")]
    if not posts:
        return None, "还没有收到签名正确的回报"
    # A report that was refused for its fields is mended by a later good one on the same task.
    last = {c["task_id"]: c for c in posts}
    wrong = [c for c in last.values() if c["status"] == 422]
    if wrong:
        errors = "；".join(f"{e['field']}：{e['message']}" for e in (wrong[0].get("errors") or [])[:3])
        return False, f"回报被退回（422）{errors}"
    return (True, "回报均可受理") if any(c["status"] == 200 for c in posts) else (None, "还没有受理的回报")


def _end(log: _Log) -> _Verdict:
    document = log.task("end")["document"]
    if document["state"] == "done":
        return True, "踏勘任务已办结"
    return None, f"踏勘任务状态 {document['state']}，待报：{'、'.join(document['expects'])}"


def _again(log: _Log) -> _Verdict:
    tries = log.reports("again")
    if len(tries) < 2:
        return None, "回复任务的第一次回报会收到 503，等待重发" if tries else "等待对答复任务的回报"
    same = [(c["message_id"], c["fingerprint"]) for c in tries[:2]]
    return same[0] == same[1], "以同一编号和内容重发" if same[0] == same[1] else "重发时编号或内容变了"


def _slow(log: _Log) -> _Verdict:
    slow = [c for c in log.reports("again") if c["delay_s"]]
    if not slow:
        return None, "等待对答复任务的回报（会回复得很慢）"
    begun = parse_instant(slow[0]["at"])
    until = begun + dt.timedelta(seconds=slow[0]["delay_s"])
    hasty = [
        c
        for c in log.reports("again")
        if begun < parse_instant(c["at"]) < until and c["message_id"] != slow[0]["message_id"]
    ]
    if hasty:
        return False, "没有等到回复就换编号再发"
    return (True, "等到了回复") if log.now > until else (None, "正在慢速回复")


def _stale(log: _Log) -> _Verdict:
    reports = log.reports("stale")
    told = [c for c in reports if c["code"] == "stale_revision"]
    after = reports[reports.index(told[0]) + 1 :] if told else []
    if any(c["status"] == 200 and c["revision"] == 2 for c in after):
        return True, "按第 2 版重新回报"
    repeated = [c for c in after if c["revision"] == 1 and c["message_id"] != told[0]["message_id"]]
    if repeated:
        return False, "被告知版次已更新，仍按第 1 版回报"
    return None, "已告知版次更新，等待按新版次回报" if told else "等待对施工任务的回报"


def _stops(log: _Log) -> _Verdict:
    reports = log.reports("withdrawn")
    told = [c for c in reports if c["code"] == "not_expected"]
    if not told:
        return None, "等待对验收任务的回报（任务届时已撤回）"
    if any(not c.get("is_replay") for c in reports[reports.index(told[0]) + 1 :]):
        return False, "任务已撤回，仍继续回报"
    is_over = log.now - parse_instant(told[0]["at"]) > PATIENCE
    return (True, "收到 not_expected 后停止回报") if is_over else (None, "观察是否停止回报")


def _cursor(log: _Log) -> _Verdict:
    lists = [c for c in log.calls if "next" in c]
    given = {c["next"] for c in lists} - {"0"}
    if any(c["after"] in given for c in lists):
        return True, "以 after=<next> 继续读取"
    if len(lists) >= _MANY_LISTS:
        return False, f"读取了 {len(lists)} 次列表，都是从头开始"
    return None, "等待读取任务列表"


JUDGES: dict[str, Callable[[_Log], _Verdict]] = {
    "uses_its_key": _key,
    "signs_its_reports": _signed,
    "reports_what_is_valid": _valid,
    "works_a_task_to_its_end": _end,
    "repeats_under_one_id": _again,
    "waits_for_a_slow_portal": _slow,
    "heeds_stale_revision": _stale,
    "heeds_not_expected": _stops,
    "keeps_its_cursor": _cursor,
}
