"""Alembic on the portal's own engine and metadata. SQLite changes tables by copying them (batch mode)."""

from __future__ import annotations

from typing import Any

from alembic import context
from flask import current_app
from sqlalchemy import JSON

import portal.tables  # noqa: F401 - registers every wing's tables
from portal.kernel.database import Base, Instant


def render_item(kind: str, item: Any, autogen_context: Any) -> str | bool:
    """Write our own column types by their plain SQL type, so that a migration does not depend on today's code."""
    if kind == "type" and isinstance(item, Instant):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, JSON):
        autogen_context.imports.add("from sqlalchemy.dialects import postgresql")
        return "sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), 'postgresql')"
    return False


def is_ours(name: str | None, kind: str, _parents: Any) -> bool:
    """Leave Procrastinate's tables to it (`portal/worker/carrier_schema.py`)."""
    return not (kind == "table" and name is not None and name.startswith("procrastinate_"))


def run() -> None:
    """Run on the database of the current application."""
    engine = current_app.extensions["migrate"].db.engine.execution_options(portal_write=True)
    with engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            render_as_batch=engine.dialect.name == "sqlite",
            render_item=render_item,
            include_name=is_ours,
            compare_type=True,
        )
        with context.begin_transaction():
            context.run_migrations()


run()
