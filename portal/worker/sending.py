"""The sending threads: they take messages, call the adapter, hand back the outcome. They never see the database."""

from __future__ import annotations

import dataclasses
import queue
import threading
from collections.abc import Callable
from typing import cast

from portal.exchange.port import Adapter, Adapters, Message, Outcome, Queryable, Refused, Unknown
from portal.journey.delivery_outcomes import Attempt
from portal.kernel import failpoints
from portal.kernel.clock import Clock


def _deliver(adapter: Adapter, message: Message) -> Outcome:
    """Send; where a second sending might act twice and the receiver can be asked, ask before it is sent again."""
    if adapter.repetition == "queryable" and message.attempt > 1:
        known = cast(Queryable, adapter).ask(message)
        if not isinstance(known, Refused):
            return known
    return adapter.deliver(message)


class Senders:
    """A fixed number of threads between a queue of messages and a queue of attempts."""

    def __init__(self, adapters: Adapters, clock: Clock, threads: int, ring: Callable[[], None]) -> None:
        self._adapters, self._clock, self._ring = adapters, clock, ring
        self._todo: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[Attempt] = queue.SimpleQueue()
        self._threads = [threading.Thread(target=self._run, name=f"send-{n}", daemon=True) for n in range(threads)]
        for thread in self._threads:
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
        for _ in self._threads:
            self._todo.put(None)

    def join(self, timeout_s: float) -> None:
        """Wait for the threads to end, at most `timeout_s` each."""
        for thread in self._threads:
            thread.join(timeout_s)

    def _run(self) -> None:
        while (message := self._todo.get()) is not None:
            failpoints.hit("outbox.before-send")
            attempt = self._attempt(dataclasses.replace(message, sent_at=self._clock.wire_now()))
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
