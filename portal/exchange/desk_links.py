"""The link in a mail: it opens one task at the desk, for a while, and gives no right: whoever follows it signs in.

Signed, so that nobody can make links that look like ours or lengthen the life of one. Made from the row alone.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import re
from collections.abc import Callable

from portal.exchange.port import Message

LIFE = dt.timedelta(days=30)
_FORM = re.compile(r"([A-Za-z0-9_-]{1,64})\.(\d{9,11})\.([0-9a-f]{64})")


def make_link(key: bytes, *, task_id: str, sent_at: dt.datetime) -> str:
    """The token of a link to this task, good until `LIFE` after `sent_at` (wire time)."""
    until = int((sent_at + LIFE).timestamp())
    return f"{task_id}.{until}.{_sign(key, task_id, until)}"


def link_maker(key: bytes, base_url: str) -> Callable[[Message], str]:
    """What writes the link into a letter: to the message's task, or to the desk where it is about none."""

    def link_of(message: Message) -> str:
        if message.task_id is None:
            return f"{base_url}/desk"
        sent_at = message.enqueued_at or message.sent_at
        return f"{base_url}/desk/links/{make_link(key, task_id=message.task_id, sent_at=sent_at)}"

    return link_of


def read_link(key: bytes, token: str, now: dt.datetime) -> str | None:
    """The id of the task, or None for a token that is malformed, forged or expired: nobody is told which."""
    found = _FORM.fullmatch(token)
    if found is None:
        return None
    task_id, until, signature = found[1], int(found[2]), found[3]
    if not hmac.compare_digest(signature, _sign(key, task_id, until)) or now.timestamp() > until:
        return None
    return task_id


def _sign(key: bytes, task_id: str, until: int) -> str:
    # The key signs sessions too: the purpose in front keeps one from passing for the other.
    return hmac.new(key, f"desk-link\n{task_id}\n{until}".encode(), hashlib.sha256).hexdigest()
