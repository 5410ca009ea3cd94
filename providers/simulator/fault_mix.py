"""The faults of `make demo FAULTS=1`: every switch is at work somewhere, each utility with troubles of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SIMULATOR_FAULTS: Mapping[str, Mapping[str, Any]] = {
    "water": {"error_500_every": 4, "duplicate_reports": True},
    "power": {"garbage_every": 5, "slow_ms": 40},
    "gas": {"out_of_order": True, "down": 3},
    "heating": {"late_days": 1, "duplicate_reports": True},
    "network": {"busy_every": 6, "forget_every": 7, "down": 2},
}
# Wrong statements are left out: they must end in a difference that a person settles, not in a reconciled day.
GATEWAY_FAULTS: Mapping[str, Any] = {
    "drop_notify_every": 3,
    "duplicate_notify": True,
    "reorder_notify": True,
    "delay_notify_ms": 50,
    "wrong_amount_every": 5,
    "fail_after_commit_every": 4,
    "error_500_every": 6,
    "slow_ms": 20,
}
