"""Identifiers. Rule modules never make one; use cases do, and pass it on as a value."""

from __future__ import annotations

import secrets
import uuid

# Crockford's alphabet: no I, L, O, U, so that a number read over the phone or from paper is not mistaken.
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_id() -> str:
    """A row's name: 32 hex digits (UUIDv4). A name, not a secret."""
    return uuid.uuid4().hex


def new_number(prefix: str, day: str, *, length: int = 6) -> str:
    """A number people read: `<prefix><yymmdd>-<random>`, for example `SL261122-7QK2MX`.

    The random part has 5 bits a character, so that neighbours cannot be guessed from one's own number.
    """
    return f"{prefix}{day}-" + "".join(secrets.choice(_ALPHABET) for _ in range(length))


def new_secret_code(length: int = 10) -> str:
    """A code that lets its bearer look something up (50 bits by default)."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))
