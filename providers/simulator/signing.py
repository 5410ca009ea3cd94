"""Standard Webhooks 1.0 signatures (HMAC-SHA256, `v1,`), made and checked from the public protocol page alone."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping

TOLERANCE_S = 300


class BadSignature(Exception):
    """The three headers do not prove that the body comes from the portal; the message says which check failed."""


def key_bytes(secret: str) -> bytes:
    """The HMAC key inside `whsec_<base64>`. Raises ValueError for anything else."""
    if not secret.startswith("whsec_"):
        raise ValueError("a secret starts with whsec_")
    try:
        return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except binascii.Error as bad:
        raise ValueError("a secret is base64 after whsec_") from bad


def sign(secret: str, message_id: str, at: int, body: bytes) -> dict[str, str]:
    """The three headers for `body`, sent at `at` (Unix seconds, wire time)."""
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(at),
        "webhook-signature": "v1," + _mac(secret, message_id, str(at), body),
    }


def check(secret: str, headers: Mapping[str, str], body: bytes, now: float) -> str:
    """The message id if one of the signatures is right and the time is within 300 s of `now`. Raises BadSignature."""
    message_id, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not message_id or len(message_id) > 100 or "." in message_id:
        raise BadSignature("webhook-id is missing or malformed")
    if not (timestamp.isascii() and timestamp.isdigit()) or len(timestamp) > 12:
        raise BadSignature("webhook-timestamp is missing or malformed")
    if abs(now - int(timestamp)) > TOLERANCE_S:
        raise BadSignature("webhook-timestamp is too far from now")
    wanted = f"v1,{_mac(secret, message_id, timestamp, body)}".encode()
    given = headers.get("webhook-signature", "").encode("utf-8", "replace").split(b" ")
    if not any(hmac.compare_digest(wanted, one) for one in given):
        raise BadSignature("no signature fits")
    return message_id


def _mac(secret: str, message_id: str, timestamp: str, body: bytes) -> str:
    signed = f"{message_id}.{timestamp}.".encode() + body
    return base64.b64encode(hmac.new(key_bytes(secret), signed, hashlib.sha256).digest()).decode()
