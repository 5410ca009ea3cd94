"""The simulated calendar: who is busy, when the next thing happens anywhere, and moving everybody to that time."""

from __future__ import annotations

import datetime as dt
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import requests

from providers.simulator.workdays import instant

TIMEOUT_S = 30
LOOK_S = 0.03


@dataclass(frozen=True, slots=True)
class Look:
    """One look at everything that keeps time. `activity` counts what happened per case since the start."""

    now: dt.datetime
    portal_pending: int
    portal_next: dt.datetime | None
    busy: int
    next_times: tuple[dt.datetime, ...]
    activity: Mapping[str, int]
    errors: tuple[Mapping[str, Any], ...]
    advance_requested: bool = False

    @property
    def is_idle(self) -> bool:
        """Nothing is under way anywhere."""
        return not self.portal_pending and not self.busy

    def next_time(self) -> dt.datetime | None:
        """The earliest time after now at which something will happen."""
        return min((at for at in self.next_times if at > self.now), default=None)


class Clocks:
    """Portal, simulators and gateway seen as one calendar."""

    def __init__(self, portal_url: str, simulator_urls: Iterable[str], gateway_url: str = "") -> None:
        self._portal = portal_url
        self._simulators = tuple(simulator_urls)
        self._gateway = gateway_url
        self._session = requests.Session()
        self._session.trust_env = False

    def look(self) -> Look:
        """Ask everybody, simulators before and after the portal, so that nothing slips between two answers."""
        before = [self._get(url, "/sim/state?brief=1") for url in self._worlds()]
        portal = self._get(self._portal, "/demo/clock")
        after = [self._get(url, "/sim/state?brief=1") for url in self._worlds()]
        activity: Counter[str] = Counter()
        for state in after:
            activity.update(state.get("activity") or {})
        earlier = sum(sum((state.get("activity") or {}).values()) for state in before)
        moved = earlier != activity.total()
        times = [portal.get("next_at"), *(s.get("next_action_at") for s in after)]
        return Look(
            now=dt.datetime.fromisoformat(portal["now"]),
            portal_pending=int(portal.get("pending", 0)),
            portal_next=dt.datetime.fromisoformat(times[0]) if times[0] else None,
            busy=sum(int(s.get("busy") or 0) for s in (*before, *after)) + moved,
            next_times=tuple(dt.datetime.fromisoformat(at) for at in times if at),
            activity=activity,
            errors=tuple(error for state in after for error in state.get("errors") or ()),
            advance_requested=bool(portal.get("advance_requested")),
        )

    def wait_idle(self, limit_s: float) -> Look:
        """Look until nothing is under way, at most `limit_s` seconds of real time; returns the last look."""
        end = time.monotonic() + limit_s
        while True:
            is_over = time.monotonic() >= end
            if is_over or not self._is_busy():
                look = self.look()
                if is_over or look.is_idle or look.errors:
                    return look
            time.sleep(LOOK_S)

    def _is_busy(self) -> bool:
        """A quick look, ended by the first who has something to do; a whole look costs everybody two answers."""
        if int(self._get(self._portal, "/demo/clock?brief=1").get("pending", 0)):
            return True
        for url in self._worlds():
            state = self._get(url, "/sim/state?brief=1")
            if int(state.get("busy") or 0) and not state.get("errors"):
                return True
        return False

    def move_to(self, at: dt.datetime) -> None:
        """The portal's time first, so that nobody reports from its future; then everybody's."""
        self._post(self._portal, "/demo/clock", {"to": instant(at)})
        self.tell(at)

    def tell(self, at: dt.datetime) -> None:
        """Tell simulators and gateway the business time."""
        for url in self._worlds():
            self._post(url, "/sim/clock", {"now": instant(at)})

    def set_faults(self, url: str, faults: Mapping[str, Any]) -> None:
        """Turn fault switches of one simulator or the gateway."""
        self._post(url, "/sim/faults", faults)

    def _worlds(self) -> tuple[str, ...]:
        return (*self._simulators, self._gateway) if self._gateway else self._simulators

    def _get(self, url: str, path: str) -> Mapping[str, Any]:
        answer = self._session.get(url + path, timeout=TIMEOUT_S)
        if answer.status_code == 404 and url == self._gateway:
            return {}  # a gateway that acts only when it is asked has nothing to tell
        answer.raise_for_status()
        body: Mapping[str, Any] = answer.json()
        return body

    def _post(self, url: str, path: str, body: Mapping[str, Any]) -> None:
        self._session.post(url + path, json=body, timeout=TIMEOUT_S).raise_for_status()
