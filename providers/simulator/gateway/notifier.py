"""Posting notifications: signed anew on every try, retried until answered, and wrong where a switch says so."""

from __future__ import annotations

import datetime as dt
import secrets
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import requests

from providers.payment.keys import PlatformKeys
from providers.payment.seals import answer_headers
from providers.simulator.gateway.book import SimOrder
from providers.simulator.gateway.faults import Faults
from providers.simulator.gateway.messages import notification

DELAYS_S = (15, 15, 30, 180, 600, 1200, 1800, 1800, 1800, 3600, 10800, 10800, 10800, 21600, 21600)
HOLD_S = 1.0  # a notification held back for reordering goes out after this at the latest
TIMEOUT_S = 5


class Notifier:
    """Sends in threads of its own; `busy` counts what is still on its way."""

    def __init__(
        self, keys: PlatformKeys, faults: Faults, wire_now: Callable[[], dt.datetime], *, retry_scale: float
    ) -> None:
        self._keys, self._faults, self._now, self._scale = keys, faults, wire_now, retry_scale
        self._pool = ThreadPoolExecutor(max_workers=16, thread_name_prefix="notify")
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._held: threading.Event | None = None
        self.busy = 0
        self.sent = 0
        self.given_up: list[str] = []

    def announce(self, order: SimOrder) -> None:
        """Tell the merchant that `order` is paid, as the switches allow."""
        if self._faults.strikes("drop_notify_every"):
            return
        extra = 1 if self._faults.strikes("wrong_amount_every") else 0
        notice_id = secrets.token_hex(16)
        body = notification(order, self._keys.api_v3_key, notice_id=notice_id, extra_fen=extra)
        wait = self._hold() if self._faults.reorder_notify else None
        for _ in range(2 if self._faults.duplicate_notify else 1):
            with self._lock:
                self.busy += 1
            self._pool.submit(self._deliver, order.notify_url, body, wait)

    def close(self) -> None:
        """Stop; what is not delivered is dropped."""
        self._stop.set()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _hold(self) -> threading.Event | None:
        # The first of two waits until the second has been sent.
        with self._lock:
            if self._held is None:
                self._held = threading.Event()
                return self._held
            threading.Timer(0.05, self._held.set).start()
            self._held = None
            return None

    def _deliver(self, url: str, body: bytes, wait: threading.Event | None) -> None:
        try:
            if wait is not None:
                wait.wait(HOLD_S)
            self._stop.wait(self._faults.delay_notify_ms / 1000)
            for delay in (*DELAYS_S, None):
                if self._stop.is_set() or self._post(url, body):
                    return
                if delay is None or self._stop.wait(delay * self._scale):
                    self.given_up.append(url)
                    return
        finally:
            with self._lock:
                self.busy -= 1

    def _post(self, url: str, body: bytes) -> bool:
        headers = answer_headers(self._keys.private_key, serial=self._keys.serial, body=body, at=self._now())
        headers["Content-Type"] = "application/json"
        try:
            with requests.Session() as session:
                session.trust_env = False
                answer = session.post(url, data=body, headers=headers, timeout=TIMEOUT_S, allow_redirects=False)
        except requests.RequestException:
            return False
        self.sent += 1
        return 200 <= answer.status_code < 300
