"""The pump: deliveries, on either engine. It claims rows of the outbox, has threads send them, records what came of it.

Outcomes are committed in groups, and the pump claims a little ahead of the threads; what it holds is leased under its
worker's name and renewed while it lives, so that a crash gives it to whoever sweeps next. Several pumps on several
machines share the outbox: each skips the rows the others are claiming.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from portal.exchange.port import Message
from portal.journey import delivery
from portal.journey.delivery_outcomes import Attempt, record_and_claim, record_outcomes
from portal.worker.port import Duties, Every
from portal.worker.sending import SLOW_S, Senders

IDLE_S = 1.0
DRAIN_S = 20.0  # a little more than a sending may take


class Pump:
    """The messages' part of an engine's loop."""

    def __init__(self, duties: Duties, ring: Callable[[], None]) -> None:
        self._duties = duties
        self._senders = Senders(duties.adapters, duties.clock, duties.send_threads, ring)
        self._in_hand: set[str] = set()  # messages claimed and not yet recorded
        self._unrecorded: list[Attempt] = []
        self._sweep, self._renewal = Every(duties.sweep_every_s), Every(duties.renew_every_s)

    @property
    def is_busy(self) -> bool:
        """Many messages are on their way: outcomes will come in groups."""
        return len(self._in_hand) - self._senders.stuck() > self._duties.send_threads // 4

    def reclaim(self) -> int:
        """What a worker of this name held when it was killed goes out again now."""
        return delivery.reclaim_deliveries(owner=self._duties.owner, wire_at=self._duties.clock.wire_now())

    def turn(self) -> float:
        """Renew, sweep, record, claim; answers how long nothing needs to be done (seconds)."""
        duties, now = self._duties, self._duties.clock.wire_now()
        if self._renewal.is_due(now) and self._in_hand:
            delivery.renew_deliveries(self._in_hand, owner=duties.owner, wire_at=now, lease=duties.lease)
        if self._sweep.is_due(now):
            delivery.sweep_deliveries(wire_at=now)
        self._exchange()
        return self._until_next()

    def drain(self) -> None:
        """Let what has been begun end and write it down; what has not been begun is leased and comes back."""
        self._senders.drop_waiting()
        self._senders.join(DRAIN_S)
        self._record()

    def _exchange(self) -> None:
        """Write down what came back and claim what goes out next; in one commit where there is both."""
        self._unrecorded += self._senders.collect()
        room, duties = self._room(), self._duties
        if not room:
            self._record()
            return
        if not self._unrecorded:
            self._send(
                delivery.claim_deliveries(
                    limit=room, owner=duties.owner, wire_at=duties.clock.wire_now(), lease=duties.lease
                )
            )
            return
        try:
            found = record_and_claim(
                self._unrecorded,
                limit=room,
                owner=duties.owner,
                wire_at=duties.clock.wire_now(),
                retry_scale=duties.retry_scale,
                jitter=duties.jitter,
                lease=duties.lease,
            )
        except Exception:
            self._record()  # what has arrived is written down even if nothing can be claimed
            raise
        self._forget()
        self._send(found)

    def _record(self) -> None:
        self._unrecorded += self._senders.collect()
        if not self._unrecorded:
            return
        duties = self._duties
        record_outcomes(
            self._unrecorded,
            owner=duties.owner,
            wire_at=duties.clock.wire_now(),
            retry_scale=duties.retry_scale,
            jitter=duties.jitter,
        )
        self._forget()

    def _forget(self) -> None:
        self._in_hand.difference_update(attempt.message.id for attempt in self._unrecorded)
        self._unrecorded = []

    def _room(self) -> int:
        """How many to claim: up to two sets of the threads' work in hand, when less than one set is waiting."""
        threads = self._duties.send_threads
        self._senders.grow()
        if self._senders.waiting() >= threads:
            return 0
        on_their_way = len(self._in_hand) - len(self._unrecorded) - self._senders.stuck()
        return max(0, 2 * threads - on_their_way)

    def _send(self, messages: Sequence[Message]) -> None:
        self._in_hand.update(message.id for message in messages)
        for message in messages:
            self._senders.send(message)

    def _until_next(self) -> float:
        """With many messages in hand one of them will ring before anything else is due."""
        now = self._duties.clock.wire_now()
        idle_s = SLOW_S if self._in_hand else IDLE_S  # whether one is stuck is looked at from time to time
        own = min(idle_s, self._sweep.left_s(now), self._renewal.left_s(now))
        if len(self._in_hand) - self._senders.stuck() >= self._duties.send_threads:
            return own
        next_at = delivery.next_delivery_at(now)
        return own if next_at is None else min(own, max(0.0, (next_at - now).total_seconds()))
