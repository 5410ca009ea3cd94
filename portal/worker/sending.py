"""The sending threads: they take messages, call the adapter, hand back the outcome. They never see the database.

A sending that does not come back soon is *stuck*: it keeps its thread, and another thread takes that one's place, so
that those who hang take nothing from the others. Claims bound how many may hang at each destination.
"""

from __future__ import annotations

import dataclasses
import queue
import threading
import time
from collections.abc import Callable
from typing import cast

from portal.exchange.port import Adapter, Adapters, Delivered, Message, Outcome, Queryable, Readable, Refused, Unknown
from portal.journey.delivery_outcomes import Attempt
from portal.kernel import failpoints
from portal.kernel.clock import Clock

SLOW_S = 0.25  # a provider that answers later than this does not hold its thread against the others
_IDLE_S = 2.0  # a thread that was added ends after so long without work
_MOST = 8  # times the usual number of threads, at the very most


def _deliver(adapter: Adapter, message: Message) -> Outcome:
    """Send; where a second sending might act twice, ask before it is sent again, or leave it to a person."""
    if message.reads_only:
        return Delivered(200, read_back=cast(Readable, adapter).read_back(message))
    if adapter.repetition == "blind" and message.in_doubt:
        return Unknown("an earlier sending may have arrived, and the receiver cannot be asked")
    if adapter.repetition == "queryable" and message.attempt > 1:
        known = cast(Queryable, adapter).ask(message)
        if not isinstance(known, Refused):
            return known
    return adapter.deliver(message)


class Senders:
    """Threads between a queue of messages and a queue of attempts: a fixed number, and one for each that is stuck."""

    def __init__(self, adapters: Adapters, clock: Clock, threads: int, ring: Callable[[], None]) -> None:
        self._adapters, self._clock, self._ring = adapters, clock, ring
        self._todo: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[Attempt] = queue.SimpleQueue()
        self._usual = threads
        self._lock = threading.Lock()
        self._begun_s: dict[str, float] = {}  # by message: when its sending began
        self._added: set[threading.Thread] = set()
        self._threads = [threading.Thread(target=self._run, name=f"send-{n}", daemon=True) for n in range(threads)]
        for thread in self._threads:
            thread.start()

    def stuck(self) -> int:
        """How many sendings have not come back for longer than `SLOW_S`."""
        slow = time.monotonic() - SLOW_S
        with self._lock:
            return sum(begun < slow for begun in self._begun_s.values())

    def grow(self) -> None:
        """Let other threads take the places of those that are stuck. To be called at every turn."""
        missing = min(self.stuck(), self._usual * _MOST) - len(self._added)
        for _ in range(min(missing, self.waiting())):
            thread = threading.Thread(target=self._run_while_needed, name="send-more", daemon=True)
            self._added.add(thread)
            thread.start()

    def send(self, message: Message) -> None:
        """Queue one message."""
        self._todo.put(message)

    def waiting(self) -> int:
        """How many messages no thread has taken yet."""
        return self._todo.qsize()

    def collect(self) -> list[Attempt]:
        """All attempts finished since the last call."""
        attempts: list[Attempt] = []
        while True:
            try:
                attempts.append(self._done.get_nowait())
            except queue.Empty:
                return attempts

    def drop_waiting(self) -> None:
        """Take back what no thread has begun (its lease is given back at the next start), and end the threads."""
        while True:
            try:
                self._todo.get_nowait()
            except queue.Empty:
                break
        for _ in range(len(self._threads) + len(self._added)):
            self._todo.put(None)

    def join(self, timeout_s: float) -> None:
        """Wait for the threads to end, at most `timeout_s` each."""
        for thread in [*self._threads, *self._added]:
            thread.join(timeout_s)

    def _run(self) -> None:
        while (message := self._todo.get()) is not None:
            self._send(message)

    def _run_while_needed(self) -> None:
        try:
            while (message := self._todo.get(timeout=_IDLE_S)) is not None:
                self._send(message)
        except queue.Empty:
            pass  # nobody is stuck any more, or nothing waits
        finally:
            self._added.discard(threading.current_thread())

    def _send(self, message: Message) -> None:
        failpoints.hit("outbox.before-send")
        with self._lock:
            self._begun_s[message.id] = time.monotonic()
        try:
            attempt = self._attempt(dataclasses.replace(message, sent_at=self._clock.wire_now()))
        finally:
            with self._lock:
                del self._begun_s[message.id]
        failpoints.hit("outbox.after-send")
        self._done.put(attempt)
        self._ring()

    def _attempt(self, message: Message) -> Attempt:
        endpoint = message.endpoint
        name = message.destination if endpoint is None else f"provider:{endpoint.utility}"
        adapter = self._adapters.get(name)
        if adapter is None:
            return Attempt(message, Refused(0, f"no adapter for {name}"))
        outcome: Outcome
        try:
            outcome = _deliver(adapter, message)
        except Exception as broken:  # an adapter's bug must not end the thread; the row shows it
            outcome = Unknown(f"{type(broken).__name__}: {broken}")
        return Attempt(message, outcome, adapter.repetition)
