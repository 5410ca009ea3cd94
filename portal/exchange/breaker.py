"""The breaker of one destination. Pure: five failures in a row open it, then one probe at a time goes through.

The open span doubles with every failed probe, 30 s to 10 min, times PORTAL_RETRY_SCALE like every retry delay.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

THRESHOLD = 5
_FIRST_S = 30.0
_LONGEST_S = 600.0
# A probe that never reports (its worker died) makes room for the next one after this long.
PROBE_LEASE = dt.timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Health:
    """What is known of a destination. `failures` are counted in a row."""

    failures: int = 0
    opened_until: dt.datetime | None = None
    probing_until: dt.datetime | None = None


def room(health: Health, now: dt.datetime, *, usual: int) -> int:
    """How many messages may go now: `usual` while closed, none while open, one while half-open."""
    if health.failures < THRESHOLD:
        return usual
    if health.opened_until is not None and health.opened_until > now:
        return 0
    is_probing = health.probing_until is not None and health.probing_until > now
    return 0 if is_probing else 1


def start_probe(health: Health, now: dt.datetime) -> Health:
    """Note that the one probe is on its way."""
    return replace(health, probing_until=now + PROBE_LEASE)


def after_success(_health: Health) -> Health:
    """Closed again."""
    return Health()


def after_failure(health: Health, now: dt.datetime, *, scale: float) -> Health:
    """One failure more; from the fifth on it opens."""
    failures = health.failures + 1
    if failures < THRESHOLD:
        return Health(failures=failures)
    seconds = min(_FIRST_S * 2 ** min(failures - THRESHOLD, 10), _LONGEST_S) * scale
    return Health(failures=failures, opened_until=now + dt.timedelta(seconds=seconds))
