"""Push and two-way: signed POSTs to a provider's own address, and the read-back after "accepted".

A template: a utility's adapter adds only what is its own. What is sent are the bytes of the outbox, never remade.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from portal.exchange.port import Delivered, Endpoint, Message, Outcome, ReadBack, Refused, Repetition, Unknown
from portal.exchange.signatures import sign
from providers.transports.http import HttpAnswer, HttpDoor, NoAnswer, NotSent, retry_after_s


class PushAdapter:
    """Sends one message to `endpoint.url` + `path`; 2xx is delivered, everything else is tried again."""

    utility: ClassVar[str]
    repetition: Repetition = "idempotent"  # the protocol: webhook-id is the idempotency key
    # Fields of its part that a two-way provider must read back as sent: an error there digs or wires wrong.
    vital_fields: ClassVar[tuple[str, ...]] = ()

    def __init__(self, door: HttpDoor | None = None) -> None:
        self._door = door or HttpDoor()

    def deliver(self, message: Message) -> Outcome:
        """POST the message's bytes, signed with all secrets of the endpoint."""
        endpoint = message.endpoint
        if endpoint is None:
            return Refused(0, "no endpoint")
        headers = {
            "Content-Type": message.media_type,
            "User-Agent": "yikou/1",
            **sign(endpoint.secrets, message.id, message.sent_at, message.body),
        }
        try:
            answer = self._door.call("POST", endpoint.url + message.path, headers, message.body)
        except NotSent as wrong:
            return Refused(0, str(wrong))
        except NoAnswer as wrong:
            return Unknown(str(wrong))
        return self._outcome(message, endpoint, answer)

    def _outcome(self, message: Message, endpoint: Endpoint, answer: HttpAnswer) -> Outcome:
        if 200 <= answer.status < 300 and not _is_taken(endpoint, answer):
            return Refused(answer.status, _said(answer))
        if 200 <= answer.status < 300:
            read_back = self.read_back(message) if endpoint.level == "two_way" and message.task_id else None
            return Delivered(answer.status, answer.body, read_back)
        throttled = answer.status in (429, 503)
        return Refused(
            answer.status,
            _said(answer),
            retry_after_s=retry_after_s(answer, message.sent_at) if throttled else None,
            gone=answer.status == 410,
        )

    def read_back(self, message: Message) -> ReadBack:
        """What the provider's system now holds of this task, against what was sent."""
        endpoint = message.endpoint
        if endpoint is None:
            return "unread"
        headers = sign(endpoint.secrets, f"{message.id[:60]}-rb", message.sent_at, b"")
        url = f"{endpoint.url.rstrip('/')}/tasks/{message.task_id}"
        try:
            answer = self._door.call("GET", url, headers)
        except (NotSent, NoAnswer):
            return "unread"
        if answer.status != 200:
            return "unread"
        try:
            held, sent = json.loads(answer.body), json.loads(message.body)["data"]
        except (ValueError, KeyError, RecursionError):
            return "mismatch"
        return "match" if isinstance(held, dict) and self._agrees(held, sent) else "mismatch"

    def _agrees(self, held: Mapping[str, Any], sent: Mapping[str, Any]) -> bool:
        """Same task, at least this revision (a newer one may have overtaken us), and the vital fields unchanged."""
        revision = held.get("revision")
        if held.get("task_id") != sent.get("task_id") or not isinstance(revision, int):
            return False
        if revision != sent.get("revision"):
            return revision > int(sent.get("revision", 0))
        part, own = held.get("part"), sent.get("part", {})
        if not isinstance(part, dict):
            return True  # the protocol asks for the task, not for its whole content
        return all(part.get(name) == own.get(name) for name in self.vital_fields if name in part)


def _said(answer: HttpAnswer) -> str:
    """The status and the beginning of what came with it, for whoever looks after hand-overs."""
    text = " ".join(
        "".join(c if c.isprintable() else " " for c in answer.body[:900].decode("utf-8", "replace")).split()
    )
    return f"HTTP {answer.status}: {text[:300]}" if text else f"HTTP {answer.status}"


def _is_taken(endpoint: Endpoint, answer: HttpAnswer) -> bool:
    """Systems with a dialect say no with a 200 and a code in the body."""
    if not endpoint.answer_field:
        return True
    try:
        said = json.loads(answer.body)
    except (ValueError, RecursionError):
        return False
    return isinstance(said, dict) and str(said.get(endpoint.answer_field)) in endpoint.answer_ok
