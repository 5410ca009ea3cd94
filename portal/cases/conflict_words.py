"""A conflict in plain words: what is wrong, what may be decided, and what was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

KIND_NAMES = {
    "beside": "并行管线间距不足",
    "crossing": "交叉管线上下间距不足",
    "cover": "覆土深度不足",
    "place": "接入位置相同",
    "window": "施工时间互相排斥",
    "order": "接通先后互相等待",
    "condition": "前置条件互相矛盾",
}
_MOVES, _WAITS, _YIELDS = "由{who}调整路径、位置或者埋深", "由{who}错开施工时间", "由{who}撤回该项条件"
# What a utility of the conflict may be told to do, and what else settles it, by kind.
_ACTS = {"window": ("waits", _WAITS), "order": ("yields", _YIELDS), "condition": ("yields", _YIELDS)}
_OTHERWISE = {
    "beside": ("protect", "保持现有路径，加装套管或者隔离防护"),
    "crossing": ("protect", "保持现有路径，加装套管或者隔离防护"),
    "cover": ("protect", "保持现有埋深，加装保护和保温"),
    "place": ("share", "共用该位置，由双方商定布置"),
}


def choices_of(kind: str, utilities: Sequence[str], names: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """(code, text) of everything that may be decided. `names`: utility code → how people call it."""
    act, words = _ACTS.get(kind, ("moves", _MOVES))
    choices = [(f"{act}:{utility}", words.format(who=names.get(utility, utility))) for utility in utilities]
    return (*choices, *([_OTHERWISE[kind]] if kind in _OTHERWISE else []))


def what_is_wrong(kind: str, utilities: Sequence[str], facts: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """One sentence: between whom, how much it is and how much it should be."""
    who = "与".join(names.get(utility, utility) for utility in utilities)
    said = f"{who}：{KIND_NAMES.get(kind, kind)}"
    measured, required = facts.get("measured_m"), facts.get("required_m")
    if measured is not None and required is not None:
        said += f"，实际 {measured:g} 米，应不小于 {required:g} 米"
    return said + "。"


def decision_text(
    kind: str, utilities: Sequence[str], facts: Mapping[str, Any], resolution: str, note: str, names: Mapping[str, str]
) -> str:
    """What was decided, as the condition under which the reply holds."""
    chosen = dict(choices_of(kind, utilities, names)).get(resolution, resolution)
    said = f"{what_is_wrong(kind, utilities, facts, names)}经核定：{chosen}。"
    return said + (f"说明：{note}" if note else "")
