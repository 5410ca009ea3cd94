"""What the staff's lists share: pages of fixed size, and the words for whose turn it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

PAGE_SIZE = 50
ENDED_STATES = ("done", "declined", "withdrawn", "failed")


@dataclass(frozen=True, slots=True)
class Paged:
    """One page of a list, counted from 1; `total` counts all pages' rows."""

    rows: tuple[Any, ...]
    page: int
    total: int

    @property
    def pages(self) -> int:
        """How many pages there are, at least one."""
        return max(1, -(-self.total // PAGE_SIZE))


def offset_of(page: int) -> int:
    """Where page `page` (from 1) begins; a page below 1 is the first."""
    return (max(page, 1) - 1) * PAGE_SIZE


def counts_by(session: Session, column: Any, *where: ColumnElement[bool]) -> dict[str, int]:
    """How many rows there are for each value of `column`."""
    found = session.execute(select(column, func.count()).where(*where).group_by(column).order_by(column))
    return {str(value): int(count) for value, count in found}


def turn_name(turn: str, names: Mapping[str, str]) -> str:
    """`applicant`, `agency`, `portal` or `provider:<code>` in the reader's words; `names` by provider code."""
    fixed = {"applicant": "申请人", "agency": "牵头部门", "portal": "门户"}
    code = turn.partition(":")[2]
    return fixed.get(turn) or names.get(code, code)
