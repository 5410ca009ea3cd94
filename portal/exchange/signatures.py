"""Standard Webhooks 1.0: `v1,` HMAC-SHA256 over `id.timestamp.body`, with several secrets while one rotates.

Written here rather than taken from a library so that every hostile input has one outcome: NotSignedIn. The path is
not signed; it is part of the idempotency fingerprint instead (`journey/inbox.py`).
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import hashlib
import hmac
import re
import secrets as random_secrets
from collections.abc import Mapping, Sequence

from portal.kernel.errors import NotSignedIn

ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"
TOLERANCE_S = 300
_PREFIX = "whsec_"
_KEY_BYTES = (24, 64)  # what Standard Webhooks asks of a secret
_MAX_SIGNATURES = 8
# No dots: `a.b` + `.` + `1` and `a` + `.` + `b.1` would sign alike.
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")  # what we make
_TAKEN_ID = re.compile(r"[!-\-/-~]{1,128}")  # what others may make: anything printable but the dot
_SECONDS = re.compile(r"[1-9][0-9]{8,10}")


def new_secret() -> str:
    """A fresh signing secret, `whsec_` and 32 random bytes in base64."""
    return _PREFIX + base64.b64encode(random_secrets.token_bytes(32)).decode()


def sign(secrets: str | Sequence[str], message_id: str, at: dt.datetime, body: bytes) -> dict[str, str]:
    """The three headers for `body`; one signature for each secret, newest first. Raises ValueError on a bad id."""
    if not _ID.fullmatch(message_id):
        raise ValueError(f"a webhook-id has letters, digits, - and _ only: {message_id!r}")
    seconds = str(int(at.timestamp()))
    signatures = " ".join(_signature(secret, message_id, seconds, body) for secret in _listed(secrets))
    return {ID: message_id, TIMESTAMP: seconds, SIGNATURE: signatures}


def verify(secrets: str | Sequence[str], headers: Mapping[str, str], body: bytes, now: dt.datetime) -> str:
    """The webhook-id of a message signed with one of `secrets` within 300 s of `now` (wire time).

    `headers` may be any mapping; names are compared without case. Raises NotSignedIn `bad_signature`, for missing
    and malformed headers as well, and says nothing about which part was wrong.
    """
    named = {name.lower(): value for name, value in headers.items() if name.lower().startswith("webhook-")}
    message_id, seconds = named.get(ID, ""), named.get(TIMESTAMP, "")
    if not _TAKEN_ID.fullmatch(message_id) or not _SECONDS.fullmatch(seconds):
        raise _refused()
    if abs(now.timestamp() - int(seconds)) > TOLERANCE_S:
        raise _refused()
    given = named.get(SIGNATURE, "").split(" ")
    if len(given) > _MAX_SIGNATURES:
        raise _refused()
    expected = [_signature(secret, message_id, seconds, body).encode() for secret in _listed(secrets)]
    # Every pair is compared, so that the time taken tells nothing. Text is compared, not what it decodes to:
    # base64 has several spellings of the same bytes.
    matches = [hmac.compare_digest(mine, theirs.encode("utf-8", "replace")) for mine in expected for theirs in given]
    if not any(matches):
        raise _refused()
    return message_id


def check_secret(secret: str) -> bytes:
    """The key inside `whsec_…`. Raises ValueError when it is not 24 to 64 bytes of base64."""
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except binascii.Error as wrong:
        raise ValueError("a signing secret is whsec_ followed by base64") from wrong
    if not secret.startswith(_PREFIX) or not _KEY_BYTES[0] <= len(key) <= _KEY_BYTES[1]:
        raise ValueError("a signing secret is whsec_ followed by 24 to 64 bytes in base64")
    return key


def _signature(secret: str, message_id: str, seconds: str, body: bytes) -> str:
    signed = f"{message_id}.{seconds}.".encode() + body
    digest = hmac.new(check_secret(secret), signed, hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()


def _listed(secrets: str | Sequence[str]) -> Sequence[str]:
    return (secrets,) if isinstance(secrets, str) else secrets


def _refused() -> NotSignedIn:
    return NotSignedIn("签名无效、已过期或缺失。", code="bad_signature")
