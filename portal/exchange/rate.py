"""The rate limit of one destination, a token bucket. Pure: wire time in, tokens out."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limit:
    """Messages a minute, and how many at once after a rest (at least 1)."""

    per_minute: int
    burst: int | None = None

    @property
    def most(self) -> float:
        """What the bucket holds: `burst`, or else what one second brings."""
        return float(max(1, self.burst if self.burst is not None else self.per_minute // 60))


def tokens_at(limit: Limit, *, left: float | None, since: dt.datetime | None, now: dt.datetime) -> float:
    """Tokens in the bucket at `now`: `left` at `since` and what has come in; full when nothing is known of it."""
    if left is None or since is None:
        return limit.most
    passed_s = max(0.0, (now - since).total_seconds())
    return min(limit.most, left + passed_s * limit.per_minute / 60)
