"""Believable variety without chance: every choice follows from words, so that the same case runs the same again."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TypeVar

Choice = TypeVar("Choice")


def fraction(*words: str) -> float:
    """A number in [0, 1) that these words always give."""
    digest = hashlib.sha256("|".join(words).encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48


def between(low: float, high: float, *words: str) -> float:
    """A number in [low, high) that these words always give."""
    return low + (high - low) * fraction(*words)


def pick(choices: Sequence[Choice], *words: str) -> Choice:
    """One of `choices`, always the same for these words."""
    return choices[int(fraction(*words) * len(choices))]


def digits(length: int, *words: str) -> str:
    """A number of `length` decimal digits that these words always give."""
    return str(int(hashlib.sha256("|".join(words).encode()).hexdigest(), 16))[-length:].rjust(length, "0")
