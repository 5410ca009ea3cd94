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
    (reasons, pauses, questions, conditions) in the portal's order.
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


def no_fields(_setting: Setting) -> Fields:
    """For reports that carry nothing but their kind."""
    return {}
