"""A real SMTP server on loopback that keeps the letters it takes and can be told to refuse, hang or break off."""

from __future__ import annotations

import asyncio
import email
import socket
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import default
from types import TracebackType
from typing import Any

from aiosmtpd.controller import Controller

from portal.kernel.settings import Smtp


@dataclass
class StubMailServer:
    """`says`: SMTP answers in turn, the last one for ever; `hangs_s`: how long it thinks after the letter's end."""

    says: list[str] = field(default_factory=lambda: ["250 taken"])
    refuses_mailbox: str = ""
    hangs_s: float = 0.0
    letters: list[EmailMessage] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    mailboxes: list[str] = field(default_factory=list)

    def __enter__(self) -> StubMailServer:
        with socket.create_server(("127.0.0.1", 0)) as probe:  # the library cannot find a free port by itself
            self.port = probe.getsockname()[1]
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port)
        self._controller.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._controller.stop()

    def settings(self) -> Smtp:
        return Smtp("127.0.0.1", self.port, "yikou@portal.example", "none", "", "")

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:  # noqa: N802
        if self.refuses_mailbox:
            return self.refuses_mailbox
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        said = self.says.pop(0) if len(self.says) > 1 else self.says[0]
        if said.startswith("250"):
            self.raw.append(envelope.content)
            self.letters.append(email.message_from_bytes(envelope.content, policy=default))  # type: ignore[arg-type]
            self.mailboxes += envelope.rcpt_tos
        await asyncio.sleep(self.hangs_s)
        return said
