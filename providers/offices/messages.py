"""Messages to people's phones: the channel a city plugs in, and one that writes them to files for demo and trials."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from portal.exchange.port import Delivered, Message, Outcome, Refused, Repetition


@dataclass(frozen=True, slots=True)
class Notice:
    """One message to one phone. `id` is the same on every try: a channel that knows it sends it once."""

    id: str
    to: str
    text: str


class Channel(Protocol):
    """An SMS or mail gateway. `repetition` says what a second call with the same id does (see `port.Adapter`)."""

    repetition: Repetition

    def send(self, notice: Notice) -> Outcome:
        """Hand the message over. Never raises for the network: what is not known is `Unknown`."""
        ...


class FileChannel:
    """One file a message, named by its id: a second try changes nothing."""

    repetition: Repetition = "idempotent"

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def send(self, notice: Notice) -> Outcome:
        """Write the message whole or not at all."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            whole = self._folder / f"{notice.id}.json"
            part = whole.with_suffix(".part")
            part.write_text(json.dumps({"to": notice.to, "text": notice.text}, ensure_ascii=False), encoding="utf-8")
            os.replace(part, whole)
        except OSError as wrong:
            return Refused(0, f"{type(wrong).__name__}: {wrong.strerror}")
        return Delivered(200)


class DutyAdapter:
    """Takes the outbox's messages for duty phones (`{to, provider, text}`) to a channel."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self.repetition: Repetition = channel.repetition

    def deliver(self, message: Message) -> Outcome:
        """Send once."""
        body = json.loads(message.body)
        return self._channel.send(Notice(id=message.id, to=body["to"], text=body["text"]))


def open_duty_phone(folder: Path) -> DutyAdapter:
    """The adapter of destination `duty`: a city's SMS gateway takes this channel's place, in one line here."""
    return DutyAdapter(FileChannel(folder / "messages"))
