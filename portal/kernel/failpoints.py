"""Named points at which the process can be made to die, for kill tests.

`PORTAL_FAILPOINT=name:count` makes the process kill itself (SIGKILL, no clean-up whatever) at the count-th hit of
that point. Nothing is armed in production mode, and an unarmed point costs one comparison.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Mapping

# Every point the code has, in the order work passes them; `tests/worker` kills the worker at each one.
POINTS = (
    "outbox.before-claim-commit",
    "outbox.after-claim-commit",
    "outbox.before-send",
    "outbox.after-send",
    "outbox.before-record-commit",
    "outbox.after-record-commit",
    "outbox.before-reclaim-commit",
    "jobs.before-claim-commit",
    "jobs.after-claim-commit",
    "jobs.before-run",
    "jobs.after-run",
    "jobs.before-finish-commit",
    "jobs.after-finish-commit",
    "inbox.before-apply",
    "inbox.after-apply",
)

_lock = threading.Lock()


def read_failpoint(environ: Mapping[str, str]) -> tuple[str, int] | None:
    """The armed point and its count from `environ`, or None. Raises ValueError for a point that does not exist."""
    text = environ.get("PORTAL_FAILPOINT")
    if not text or environ.get("PORTAL_MODE") not in ("demo", "dev"):
        return None
    name, _, count = text.partition(":")
    if name not in POINTS:
        raise ValueError(f"PORTAL_FAILPOINT names {name!r}; there are {', '.join(POINTS)}")
    return name, int(count or 1)


_armed = read_failpoint(os.environ)
_left = _armed[1] if _armed else 0


def hit(name: str) -> None:
    """Die here if this point is armed and its count is reached."""
    if _armed is None or _armed[0] != name:
        return
    global _left
    with _lock:
        _left -= 1
        if _left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
