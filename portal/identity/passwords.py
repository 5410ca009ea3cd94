"""Passwords: Argon2id, and the same time spent whether the login exists or not."""

from __future__ import annotations

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

MAX_LENGTH = 1024
# OWASP's second recommendation: 19 MiB, two passes, one lane.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
_NOBODY = _HASHER.hash("nobody signs in with this")


def hash_password(password: str) -> str:
    """The stored form. Raises ValueError for a password over 1 KiB."""
    if len(password) > MAX_LENGTH:
        raise ValueError("the password is too long")
    return _HASHER.hash(password)


def is_password(password: str, stored: str | None) -> bool:
    """Whether it is the right one; an unknown login (None) takes as long as a known one."""
    if len(password) > MAX_LENGTH:
        return False
    try:
        return _HASHER.verify(stored or _NOBODY, password) and stored is not None
    except (VerificationError, InvalidHashError):
        return False
