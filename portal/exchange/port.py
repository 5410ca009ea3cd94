"""The port: what the outside must implement to take messages from the outbox. Frozen values in, frozen values out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

Repetition = Literal["idempotent", "queryable", "blind"]
ReadBack = Literal["match", "mismatch", "unread"]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a provider takes messages: its utility, address (URL or mailbox), signing secrets (newest first), level."""

    utility: str
    url: str
    secrets: tuple[str, ...] = field(repr=False)
    level: Literal["push", "two_way", "mail"] = "push"
    answer_field: str = ""  # a dialect's own word for "taken" in an answer of 2xx; empty: 2xx says it
    answer_ok: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Message:
    """One message on its way. `attempt` counts from 1; `endpoint` is None for destinations that know their own.

    `sent_at` is wire time, set anew just before each sending: signatures are made with it; `enqueued_at` never moves.
    `in_doubt`: an earlier sending may have arrived. `reads_only`: it was accepted, and only its read-back is missing.
    """

    id: str
    destination: str
    kind: str
    path: str
    body: bytes
    task_id: str | None
    case_id: str | None
    attempt: int
    sent_at: dt.datetime
    endpoint: Endpoint | None = None
    media_type: str = "application/json"
    enqueued_at: dt.datetime | None = None
    in_doubt: bool = False
    reads_only: bool = False


@dataclass(frozen=True, slots=True)
class Delivered:
    """The other side has it (2xx), or has answered in a way that no retry would change; `body` is its answer."""

    status: int
    body: bytes = b""
    read_back: ReadBack | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """The other side said no, for now, or was not there at all (`status` 0): nothing arrived.

    `gone` (410) disables the endpoint; `retry_after_s` is what it asked for.
    """

    status: int
    error: str
    retry_after_s: float | None = None
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Unknown:
    """No answer: the message may or may not have arrived. It is sent again under the same id."""

    error: str


Outcome = Delivered | Refused | Unknown


class Queryable(Protocol):
    """What an adapter can do besides that declares `queryable`."""

    def ask(self, message: Message) -> Outcome:
        """Has it arrived? Delivered: yes. Refused: no, it may be sent. Unknown: still nobody knows."""
        ...


class Readable(Protocol):
    """What an adapter of two-way providers can do besides."""

    def read_back(self, message: Message) -> ReadBack:
        """What the provider's system holds now, against what was sent. Sends nothing."""
        ...


class Adapter(Protocol):
    """Takes messages for one kind of destination. Called from many threads at once; never raises for the network.

    `repetition` declares what a second sending of the same id does: `idempotent` (nothing), `queryable` (we can ask
    first: it is a `Queryable` besides), `blind` (it may act twice: such a destination is retried by a person only).
    """

    repetition: Repetition

    def deliver(self, message: Message) -> Outcome:
        """Send once and say what is known of it afterwards."""
        ...


# By destination, or by `provider:<utility>` for all providers of one utility.
Adapters = Mapping[str, Adapter]
