"""What the gateway does wrong on purpose, set at run time by POST /sim/faults. `every: n` means each n-th time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, fields

STATEMENT_FAULTS = ("missing", "extra", "altered", "duplicate", "fee", "status")


@dataclass(slots=True)
class Faults:
    """The switches; all off. `statement` changes one line of each statement in the named ways."""

    drop_notify_every: int = 0
    duplicate_notify: bool = False
    reorder_notify: bool = False
    delay_notify_ms: int = 0
    wrong_amount_every: int = 0
    fail_after_commit_every: int = 0
    error_500_every: int = 0
    slow_ms: int = 0
    statement: tuple[str, ...] = ()
    counts: Counter[str] = field(default_factory=Counter)

    def set(self, body: Mapping[str, object]) -> None:
        """Turn switches; `{"reset": true}` turns all off first. Raises ValueError naming an unknown or wrong one."""
        known = {f.name: f for f in fields(self) if f.name != "counts"}
        changes = {name: value for name, value in body.items() if name != "reset"}
        if unknown := sorted(changes.keys() - known.keys()):
            raise ValueError(f"unknown switch: {unknown[0]}")
        values = {name: _checked(name, value) for name, value in changes.items()}
        if body.get("reset"):
            for name, row in known.items():
                setattr(self, name, row.default)
        for name, value in values.items():
            setattr(self, name, value)

    def strikes(self, switch: str) -> bool:
        """Whether the `…_every` switch hits this time; counts the times it was asked."""
        every = int(getattr(self, switch))
        self.counts[switch] += 1
        return every > 0 and self.counts[switch] % every == 0


def _checked(name: str, value: object) -> object:
    if name == "statement":
        if not isinstance(value, list) or not set(value) <= set(STATEMENT_FAULTS):
            raise ValueError(f"statement: a list of {', '.join(STATEMENT_FAULTS)}")
        return tuple(value)
    if name in ("duplicate_notify", "reorder_notify"):
        if not isinstance(value, bool):
            raise ValueError(f"{name}: true or false")
        return value
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 60_000:
        raise ValueError(f"{name}: a whole number from 0 to 60000")
    return value
