"""The one statement the two databases spell alike but SQLAlchemy does not: insert unless the key is there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Table, literal
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from portal.kernel.database import Base


def insert_unless_there(
    session: Session, model: type[Base], values: Mapping[str, Any], *, unique: Sequence[str]
) -> bool:
    """INSERT … ON CONFLICT (unique) DO NOTHING; True if the row is new.

    On PostgreSQL it waits for a transaction that is inserting the same key right now.
    """
    table = model.__table__
    assert isinstance(table, Table)
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    statement = insert(table).values(**values).on_conflict_do_nothing(index_elements=list(unique))
    # What comes back is asked for: the row count of an insert is not reported by every driver.
    return session.execute(statement.returning(literal(1))).first() is not None
