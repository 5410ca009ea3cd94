"""Guarded changes: the WHERE clause decides, not what was read before. One row must match, or nothing happened."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from portal.kernel.database import Base
from portal.kernel.errors import Conflict


def try_change(
    session: Session, model: type[Base], row_id: object, expected: Mapping[str, Any], values: Mapping[str, Any]
) -> bool:
    """UPDATE the row `row_id` where the `expected` columns still hold; True if it did, False if somebody was faster."""
    table = model.__table__
    key = next(iter(table.primary_key))
    where = [key == row_id, *(table.c[name] == value for name, value in expected.items())]
    result = session.execute(update(model).where(*where).values(**values).execution_options(synchronize_session=False))
    assert isinstance(result, CursorResult)
    return result.rowcount == 1


def change(
    session: Session, model: type[Base], row_id: object, expected: Mapping[str, Any], values: Mapping[str, Any]
) -> None:
    """As `try_change`, but raises Conflict when the row has moved on."""
    if not try_change(session, model, row_id, expected, values):
        raise Conflict("内容已被更新，请刷新后再试。", code="changed_meanwhile")
