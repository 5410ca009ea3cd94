"""一口答复: all providers' answers side by side, honestly summed up: who agrees, on what terms, who is missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from portal.cases.reply_parts import Condition, MissingPart, Option, ReplyPart

__all__ = ["MergedReply", "MissingPart", "ReplyPart", "merge_reply", "to_content"]

UTILITY_ORDER = ("water", "power", "gas", "heating", "network")
OFFERS = ("approve", "conditional")
VERDICT_TEXTS = {
    "approve": "同意接入",
    "conditional": "附条件同意接入",
    "refuse": "不予接入",
    "not_concerned": "不涉及",
    "not_served": "暂无管网覆盖",
}
STATE_TEXTS = {
    "all_approved": "全部同意",
    "some_conditional": "部分附条件",
    "some_refused": "部分不能接入",
    "none_approved": "均不能接入",
    "some_missing": "部分未答复",
}


@dataclass(frozen=True, slots=True)
class MergedReply:
    """The joint reply. `state` is a key of STATE_TEXTS; equal conditions stand once, with their providers."""

    parts: tuple[ReplyPart, ...]
    missing: tuple[MissingPart, ...]
    conditions: tuple[Condition, ...]
    state: str
    summary: str


def merge_reply(parts: Sequence[ReplyPart], missing: Sequence[MissingPart] = ()) -> MergedReply:
    """Put the parts in the order of the utilities and sum them up. Raises ValueError for a provider named twice."""
    codes = Counter([part.provider for part in parts] + [part.provider for part in missing])
    if doubled := [code for code, count in codes.items() if count > 1]:
        raise ValueError(f"answered twice: {', '.join(doubled)}")
    ordered = tuple(sorted(parts, key=_place))
    late = tuple(sorted(missing, key=_place))
    return MergedReply(
        parts=ordered,
        missing=late,
        conditions=_merged_conditions(ordered),
        state=_state(ordered, late),
        summary=_summary(ordered, late),
    )


def to_content(merged: MergedReply) -> dict[str, Any]:
    """The joint reply as plain JSON: `state`, `state_text`, `summary`, `providers`, `conditions`, `late`, `totals`."""
    return {
        "state": merged.state,
        "state_text": STATE_TEXTS[merged.state],
        "summary": merged.summary,
        "providers": [_part_content(part) for part in merged.parts],
        "conditions": [asdict(condition) | {"providers": list(condition.providers)} for condition in merged.conditions],
        "late": [asdict(part) for part in merged.missing],
        "totals": _totals(merged.parts),
    }


def _place(part: ReplyPart | MissingPart) -> tuple[int, str]:
    known = part.utility in UTILITY_ORDER
    return (UTILITY_ORDER.index(part.utility) if known else len(UTILITY_ORDER), part.provider)


def _merged_conditions(parts: Sequence[ReplyPart]) -> tuple[Condition, ...]:
    held: dict[Condition, list[str]] = {}
    for part in parts:
        for condition in part.conditions:
            providers = held.setdefault(condition, [])
            if part.provider not in providers:
                providers.append(part.provider)
    return tuple(Condition(c.code, c.text, c.before_stage, tuple(providers)) for c, providers in held.items())


def _state(parts: Sequence[ReplyPart], missing: Sequence[MissingPart]) -> str:
    verdicts = {part.verdict for part in parts} - {"not_concerned"}
    if missing:
        return "some_missing"
    if verdicts.isdisjoint(OFFERS):
        return "none_approved"
    if verdicts - set(OFFERS):
        return "some_refused"
    return "some_conditional" if "conditional" in verdicts else "all_approved"


def _summary(parts: Sequence[ReplyPart], missing: Sequence[MissingPart]) -> str:
    counts = Counter(part.verdict for part in parts)
    said = [f"{counts[verdict]} 家{text}" for verdict, text in VERDICT_TEXTS.items() if counts[verdict]]
    if missing:
        names = "、".join(part.provider_name for part in missing)
        said.append(f"{len(missing)} 家尚未答复（{names}），答复后另行补充")
    return f"共 {len(parts) + len(missing)} 家单位：" + "，".join(said) + "。"


def _part_content(part: ReplyPart) -> dict[str, Any]:
    return {
        "provider": part.provider,
        "name": part.provider_name,
        "utility": part.utility,
        "verdict": part.verdict,
        "verdict_text": VERDICT_TEXTS[part.verdict],
        "options": _marked_options(part.options),
        "conditions": [{"code": c.code, "text": c.text, "before_stage": c.before_stage} for c in part.conditions],
        "investment_boundary": part.investment_boundary,
        "valid_until_on": part.valid_until_on,
        **part.details,
    }


def _marked_options(options: Sequence[Option]) -> list[dict[str, Any]]:
    cheapest = _leading([option.user_fen for option in options])
    fastest = _leading([option.works_days for option in options])
    return [
        asdict(option)
        | {
            "quote": [asdict(line) for line in option.quote],
            "user_fen": option.user_fen,
            "is_cheapest": option.user_fen == cheapest,
            "is_fastest": fastest is not None and option.works_days == fastest,
            "is_recommended": option.recommended_why is not None,
        }
        for option in options
    ]


def _leading(values: Sequence[int | None]) -> int | None:
    """The least of the values where it says something: every option that has it leads, unless all have it."""
    known = [value for value in values if value is not None]
    return min(known) if len(set(values)) > 1 and known else None


def _totals(parts: Sequence[ReplyPart]) -> dict[str, int | None]:
    """The least and the most the applicant may pay in all, and the longest works if it always takes the fastest."""
    choices = [part.options for part in parts if part.verdict in OFFERS and part.options]
    days = [min((o.works_days for o in options if o.works_days is not None), default=None) for options in choices]
    return {
        "least_fen": sum(min(o.user_fen for o in options) for options in choices),
        "most_fen": sum(max(o.user_fen for o in options) for options in choices),
        "fastest_works_days": max((d for d in days if d is not None), default=None),
    }
