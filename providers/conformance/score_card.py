"""The score card: every promise of the level with what was found, to read and as JSON."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from portal.exchange.conformance.judging import Finding, is_worthy
from portal.exchange.conformance.promises import PROTOCOL, Level, promises_for
from portal.kernel.clock import format_instant

_NOT_LOOKED_AT = "没有检查：加 --listen 让本命令充当门户，并让贵方系统调用它 (give --listen to look at your reports)"
_MARKS = {True: "pass", False: "FAIL", None: "open"}


def score_card(findings: Sequence[Finding], level: Level, *, url: str | None, at: dt.datetime) -> dict[str, Any]:
    """The card as JSON. `passed`: nothing that must be kept was seen broken; `complete`: all of it was seen kept.

    `failed` and `open` are ids of promises: broken though they must be kept, and not looked at (or not seen yet).
    """
    found = {finding.promise: finding for finding in findings}
    rows = []
    for promise in promises_for(level):
        finding = found.get(promise.id, Finding(promise.id, None, _NOT_LOOKED_AT))
        row: dict[str, Any] = {"promise": promise.id, "title": promise.title, "english": promise.english}
        row |= {"must": promise.must, "result": _MARKS[finding.is_kept].lower(), "found": finding.seen}
        if finding.is_kept is not True:
            row |= {"why": promise.why, "mend": promise.mend}
        rows.append(row)
    verdicts = {finding.promise: finding.is_kept for finding in findings}
    failed = [row["promise"] for row in rows if row["result"] == "fail" and row["must"]]
    return {
        "protocol": PROTOCOL,
        "level": level,
        "url": url,
        "at": format_instant(at),
        "passed": bool(findings) and not failed,
        "complete": is_worthy(promises_for(level), verdicts),
        "failed": failed,
        "open": [row["promise"] for row in rows if row["result"] == "open"],
        "promises": rows,
    }


def readable(card: dict[str, Any]) -> str:
    """The card as lines of text; what is not kept says why it matters and how to mend it."""
    lines = []
    for row in card["promises"]:
        is_advice = row["result"] == "fail" and not row["must"]
        mark = "advice" if is_advice else row["result"].replace("fail", "FAIL")
        lines.append(f"{mark:<6} {row['promise']}: {row['title']} ({row['english']})")
        if row["result"] == "open":
            lines.append(f"       {row['found']}")
        elif row["result"] == "fail":
            lines += [f"       看到：{row['found']}", f"       原因：{row['why']}", f"       改法：{row['mend']}"]
    kept = sum(row["result"] == "pass" for row in card["promises"])
    looked = len(card["promises"]) - len(card["open"])
    not_seen = f", {len(card['open'])} not looked at or not seen yet" if card["open"] else ""
    lines.append(f"{kept} of {looked} passed{not_seen}; level {card['level']}, protocol {card['protocol']}")
    return "\n".join(lines) + "\n"
