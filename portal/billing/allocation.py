"""Which lines an amount of money pays. The rule is published, versioned and frozen into each payment.

1. the payer's own choice of lines (民法典 560: the payer may designate), else all;
2. overdue before not yet due, the oldest due date first, lines without a date last;
3. among equals pro rata by what *remains*, largest remainder, ties to the smaller provider code and line id;
4. what is left over is nobody's yet: surplus, kept for the payer.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from portal.kernel.money import allocate

PROFILE = "2026-1"


@dataclass(frozen=True, slots=True)
class OpenLine:
    """A bill line with what is still owed on it, in fen (0 or more)."""

    id: str
    provider: str
    remaining_fen: int
    due_on: dt.date | None = None


@dataclass(frozen=True, slots=True)
class Share:
    """`amount_fen` (above 0) of a payment for one line."""

    line_id: str
    provider: str
    amount_fen: int


@dataclass(frozen=True, slots=True)
class Allocated:
    """The shares, in the order of (provider, line), and what no line could take."""

    shares: tuple[Share, ...]
    surplus_fen: int


def allocate_payment(amount_fen: int, lines: Sequence[OpenLine], *, chosen: Iterable[str] | None = None) -> Allocated:
    """Share `amount_fen` over `lines`; shares and surplus sum to it exactly, no share exceeds what remains.

    The order in which lines are given does not matter. Raises ValueError for a negative amount or remainder.
    """
    if amount_fen < 0 or any(line.remaining_fen < 0 for line in lines):
        raise ValueError("amounts must not be negative")
    wanted = None if chosen is None else frozenset(chosen)
    open_lines = [line for line in lines if line.remaining_fen and (wanted is None or line.id in wanted)]
    open_lines.sort(key=lambda line: (line.due_on or dt.date.max, line.provider, line.id))
    left, shares = amount_fen, []
    for _, bucket in groupby(open_lines, key=lambda line: line.due_on):
        equals = list(bucket)
        part = min(left, sum(line.remaining_fen for line in equals))
        amounts = allocate(part, [line.remaining_fen for line in equals])
        shares += [Share(line.id, line.provider, fen) for line, fen in zip(equals, amounts, strict=True) if fen]
        left -= part
    shares.sort(key=lambda share: (share.provider, share.line_id))
    return Allocated(tuple(shares), left)
