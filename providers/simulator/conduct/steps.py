"""What a provider will do next on one task, and what it may look at while doing it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from providers.simulator.config import ProviderConfig
from providers.simulator.workdays import Workdays

Fields = dict[str, Any]
FeeItem = Mapping[str, Any]
Codes = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Setting:
    """What stands around one act: who acts, business time, and the portal's published lists.

    `fee_items(on)` gives the provider's published items on a day; `codes(group)` the codes of one group
    (reason, pause, question, condition) in the portal's order.
    """

    provider: ProviderConfig
    now: dt.datetime
    workdays: Workdays
    fee_items: Callable[[dt.date], Sequence[FeeItem]]
    codes: Callable[[str], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Step:
    """One report to make: `key` tells it from all others of the task, `build` gives its fields when it is due."""

    key: str
    kind: str
    due_at: dt.datetime
    build: Callable[[Setting], Fields]


@dataclass(slots=True)
class Memory:
    """What this provider already did on a task: step key → business time; `reworked` holds refused drawings."""

    done: dict[str, dt.datetime] = field(default_factory=dict)
    reworked: set[str] = field(default_factory=set)


def known_code(setting: Setting, group: str, wanted: str) -> str:
    """`wanted` where the portal knows it, else the group's first code, else `wanted` all the same."""
    codes = setting.codes(group)
    return wanted if wanted in codes or not codes else codes[0]


def no_fields(_setting: Setting) -> Fields:
    """For reports that carry nothing but their kind."""
    return {}
