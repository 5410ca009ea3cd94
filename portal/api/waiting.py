"""The room where long polls wait: few seats, one for each provider, so that threads are left for the others.

Under WSGI a waiting call keeps its thread; a seat bounds how many do. Whoever finds none is answered at once.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

SEATS = 3  # of the web server's threads; the others serve
STEP_S = 0.25


class WaitingRoom:
    """Seats by holder. A holder's new call sends its old one home: one client waits once."""

    def __init__(self, seats: int = SEATS, step_s: float = STEP_S) -> None:
        self._seats, self._step_s = seats, step_s
        self._lock = threading.Lock()
        self._holders: dict[str, threading.Event] = {}

    def wait(self, holder: str, seconds: float, has_news: Callable[[], bool]) -> bool:
        """Wait for news; True when there is some, False when time is up, the seat is lost or there was none."""
        leave = self._take_seat(holder)
        if leave is None:
            return False
        try:
            end = time.monotonic() + seconds
            while not has_news():
                left = end - time.monotonic()
                if left <= 0 or leave.wait(min(self._step_s, left)):
                    return False
            return True
        finally:
            with self._lock:
                if self._holders.get(holder) is leave:
                    del self._holders[holder]

    def _take_seat(self, holder: str) -> threading.Event | None:
        with self._lock:
            before = self._holders.pop(holder, None)
            if before is not None:
                before.set()
            if len(self._holders) >= self._seats:
                return None
            leave = self._holders[holder] = threading.Event()
            return leave
