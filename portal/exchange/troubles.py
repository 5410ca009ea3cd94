"""Hand-overs that need a person: who it is, and how long may be taken. Pure; a table instead of branches."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Literal

Owner = Literal["portal", "provider"]


@dataclass(frozen=True, slots=True)
class Care:
    """Who sees to it, and within how much working time; `calls`: the provider's duty phone is told."""

    owner: Owner
    within: dt.timedelta
    calls: bool = False


_HOUR = dt.timedelta(hours=1)
# Reason → care. The times are this portal's own service promise, not the protocol's.
CARE: dict[str, Care] = {
    "late": Care("provider", 2 * _HOUR, calls=True),  # not there in time: the desk copy is live
    "dead": Care("portal", _HOUR),  # the last try was made
    "gone": Care("portal", _HOUR, calls=True),  # 410: the endpoint is switched off
    "mismatch": Care("portal", _HOUR),  # read back, it was not what was sent
    "unread": Care("portal", 4 * _HOUR),  # accepted, and never read back until the schedule ended
    "unmapped": Care("portal", 4 * _HOUR),  # a code or field that nobody has mapped
    "refused": Care("provider", 4 * _HOUR),  # its status message cannot be applied as things stand
    "notice": Care("portal", _HOUR),  # the gateway's notice contradicts our books
}
# Protocol: the hand-over is red after 30 working minutes or 20 % of the task's limit, whichever comes first.
LATE_AFTER = dt.timedelta(minutes=30)
LATE_SHARE_PERCENT = 20


def late_after(limit: dt.timedelta | None) -> dt.timedelta:
    """Working time after which a message without 2xx is late; `limit`: the working time its task was given."""
    if limit is None or limit <= dt.timedelta():
        return LATE_AFTER
    return min(LATE_AFTER, limit * LATE_SHARE_PERCENT / 100)
