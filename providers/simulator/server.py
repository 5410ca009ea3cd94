"""One utility's server: takes pushes at once, works them off in one thread, acts when business time has come."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from http.server import ThreadingHTTPServer
from typing import Any

import requests

from providers.simulator.config import SimulatorConfig
from providers.simulator.desk import Desk
from providers.simulator.faults import FaultBox
from providers.simulator.http_routes import QueueFull, routes_of
from providers.simulator.portal_client import PortalClient
from providers.simulator.workdays import Workdays

MAX_WAITING_EVENTS = 10_000
MAX_ERRORS = 200
RETRY_S = 0.5
HOLD_S = 0.15

Job = Callable[[], None]


class UtilityServer:
    """All providers of one utility behind one port. `start()` serves until `stop()`; thread-safe from outside."""

    def __init__(self, config: SimulatorConfig, utility: str, *, wire_clock: Callable[[], float] = time.time) -> None:
        self.utility = utility
        self.faults = FaultBox()
        self.wire_clock = wire_clock
        self._client = PortalClient(config.portal_url)
        workdays = Workdays(config.closed_on)
        self.desks = {
            p.code: Desk(p, self._client, workdays, self.faults, self._note_error) for p in config.of_utility(utility)
        }
        self.accepted: dict[str, dict[str, Mapping[str, Any]]] = {code: {} for code in self.desks}
        self._cond = threading.Condition()
        self._now: dt.datetime | None = None
        self._events: deque[tuple[float, str, Mapping[str, Any]]] = deque()
        self._received: Counter[str] = Counter()
        self._applied: Counter[str] = Counter()
        self._activity: Counter[str] = Counter()
        self._errors: list[Mapping[str, Any]] = []
        self._planned: list[tuple[dt.datetime, str, str]] = []
        self._retry_at: dict[str, float] = {}
        self._working = False
        self._stopping = False
        self._catching_up = False
        self._http = ThreadingHTTPServer(("127.0.0.1", config.ports[utility]), routes_of(self))
        self._http.daemon_threads = True
        self._threads: list[threading.Thread] = []

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    def start(self) -> None:
        """Serve and work in threads of their own."""
        for target in (self._http.serve_forever, self._work):
            thread = threading.Thread(target=target, name=f"{self.utility}-{target.__name__}", daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        """Stop taking requests, let the act in progress end."""
        with self._cond:
            self._stopping = True
            self._cond.notify_all()
        self._http.shutdown()
        self._http.server_close()
        for thread in self._threads:
            thread.join(timeout=5)

    def set_clock(self, now: dt.datetime) -> None:
        """Business time moves to `now`; what is due runs."""
        with self._cond:
            self._now = now
            self._cond.notify_all()

    def catch_up(self) -> None:
        """Look up all open tasks at the portal before anything else is done."""
        with self._cond:
            self._catching_up = True
            self._cond.notify_all()

    def take_push(self, code: str, message_id: str, event: Mapping[str, Any]) -> bool:
        """Store one verified push. True if it is new, False for a message id seen before. Raises QueueFull."""
        with self._cond:
            if len(self._events) >= MAX_WAITING_EVENTS:
                raise QueueFull
            self._received[message_id] += 1
            if self._received[message_id] > 1:
                return False
            data = event.get("data")
            if isinstance(data, Mapping) and "task_id" in data:
                self._keep(code, data)
            self._events.append((time.monotonic(), code, event))
            self._cond.notify_all()
            return True

    def _keep(self, code: str, document: Mapping[str, Any]) -> None:
        known = self.accepted[code].get(str(document["task_id"]))
        if known is None or int(document.get("revision", 0)) >= int(known.get("revision", 0)):
            self.accepted[code][str(document["task_id"])] = document

    def state(self, *, is_brief: bool = False) -> dict[str, Any]:
        """What the demo driver and tests look at; `effects` counts arrivals of each message id, unless brief."""
        with self._cond:
            now = self._now
            due = [at for at, _, _ in self._planned if now is not None and at <= now]
            later = [at for at, _, _ in self._planned if now is None or at > now]
            return {
                "utility": self.utility,
                "now": now.isoformat() if now else None,
                "pending_actions": len(self._planned),
                "next_action_at": min(later).isoformat() if later else None,
                "busy": len(self._events) + len(due) + self._working + self._catching_up,
                "errors": list(self._errors),
                "effects": {} if is_brief else dict(self._received),
                "applied": {} if is_brief else dict(self._applied),
                "activity": dict(self._activity),
            }

    def _note_error(self, error: Mapping[str, Any]) -> None:
        with self._cond:
            if len(self._errors) < MAX_ERRORS:
                self._errors.append({"utility": self.utility, **error})

    def _work(self) -> None:
        while True:
            with self._cond:
                job = self._next_job()
                while job is None and not self._stopping:
                    self._cond.wait(HOLD_S)
                    job = self._next_job()
                if job is None or self._stopping:
                    return
                self._working = True
            try:
                job()
            finally:
                planned = [(at, code, task) for code, desk in self.desks.items() for at, task in desk.next_due()]
                with self._cond:
                    self._planned = planned
                    self._working = False

    def _next_job(self) -> Job | None:
        """The next thing to do; called with the lock held."""
        if self._catching_up:
            return self._catch_up
        if self._events and not self._holds_back():
            return self._event_job()
        wire = time.monotonic()
        due = [
            entry
            for entry in self._planned
            if self._now is not None and entry[0] <= self._now and self._retry_at.get(entry[2], 0) <= wire
        ]
        return self._act_job(*min(due)[1:]) if due else None

    def _holds_back(self) -> bool:
        if not self.faults.now.out_of_order:
            return False
        return time.monotonic() - self._events[-1][0] < HOLD_S

    def _event_job(self) -> Job:
        stamp, code, event = self._events.pop() if self.faults.now.out_of_order else self._events.popleft()
        if self._now is None:
            self._now = dt.datetime.fromisoformat(str(event["occurred_at"]))
        now = self._now

        def job() -> None:
            try:
                case_no = self.desks[code].take_event(event, now)
            except requests.RequestException:
                with self._cond:
                    self._events.append((stamp + RETRY_S, code, event))
                time.sleep(RETRY_S / 5)
                return
            except Exception as bad:  # one event must not stop the server; it is shown as an error
                self._note_error({"kind": "event", "event": event, "error": repr(bad)})
                return
            with self._cond:
                self._applied[str(event.get("id"))] += 1
                self._activity[case_no or ""] += 1

        return job

    def _act_job(self, code: str, task_id: str) -> Job:
        now = self._now
        assert now is not None

        def job() -> None:
            desk = self.desks[code]
            try:
                answered = desk.act(task_id, now)
            except requests.RequestException:
                answered = False
            except Exception as bad:  # one task must not stop the others; it is shown as an error
                self._note_error({"kind": "act", "task_id": task_id, "error": repr(bad)})
                desk.files[task_id].step = None
                return
            with self._cond:
                self._activity[desk.files[task_id].task.case_no] += 1
                if not answered:
                    self._retry_at[task_id] = time.monotonic() + RETRY_S

        return job

    def _catch_up(self) -> None:
        try:
            for desk in self.desks.values():
                desk.catch_up(self._now or dt.datetime.fromtimestamp(self.wire_clock(), dt.UTC))
        except requests.RequestException:
            time.sleep(RETRY_S)
            return
        except Exception as bad:
            self._note_error({"kind": "catch_up", "error": repr(bad)})
        with self._cond:
            self._catching_up = False
