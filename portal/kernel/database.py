"""The database: SQLite for one machine, PostgreSQL for many, the same code on both; and the one commit point.

SQLite runs in WAL mode only on a version without the WAL-reset bug (fixed in 3.51.3 and some backports), with
synchronous=FULL and foreign keys on. Write transactions begin with BEGIN IMMEDIATE, so that two writers queue
instead of one losing its read-then-write.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from pysqlite3 import dbapi2 as sqlite
from sqlalchemy import JSON, DateTime, Engine, MetaData, String, event
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Connection
from sqlalchemy.orm import DeclarativeBase, Session, registry
from sqlalchemy.schema import DDL, Table
from sqlalchemy.types import TypeDecorator

NAMING = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
BUSY_TIMEOUT_MS = 30_000


class Instant(TypeDecorator[dt.datetime]):
    """An aware UTC datetime. SQLite keeps no offset, so it is put back when reading; a naive value is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Any) -> dt.datetime | None:  # noqa: D102
        if value is not None and value.tzinfo is None:
            raise ValueError("a naive datetime cannot be stored")
        return None if value is None else value.astimezone(dt.UTC)

    def process_result_value(self, value: dt.datetime | None, dialect: Any) -> dt.datetime | None:  # noqa: D102
        if value is None:
            return None
        return value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value.astimezone(dt.UTC)


# Plain JSON on SQLite, JSONB on PostgreSQL.
Json = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
Id = String(32)


class Base(DeclarativeBase):
    """All mapped classes of all wings share one metadata with named constraints."""

    registry = registry(metadata=MetaData(naming_convention=NAMING), type_annotation_map={dt.datetime: Instant})


db = SQLAlchemy(model_class=Base)
if TYPE_CHECKING:
    Model = Base
else:
    Model = db.Model


def is_wal_safe(version: tuple[int, int, int]) -> bool:
    """Whether this SQLite version is free of the WAL-reset bug (sqlite.org/changes.html, 3.51.3)."""
    if version >= (3, 51, 3):
        return True
    return (version[:2] == (3, 50) and version[2] >= 7) or (version[:2] == (3, 44) and version[2] >= 6)


def init_database(app: Flask, url: str) -> None:
    """Bind `db` to `url`. The folder of a SQLite file is made with owner-only rights."""
    options: dict[str, Any] = {}
    if url.startswith("sqlite"):
        path = url.removeprefix("sqlite:///")
        if path and path != ":memory:":
            Path(path).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        options = {"module": sqlite, "connect_args": {"timeout": BUSY_TIMEOUT_MS / 1000}, "pool_size": 40}
    else:
        options = {"pool_size": 20, "max_overflow": 20, "pool_pre_ping": True}
    app.config["SQLALCHEMY_DATABASE_URI"] = url.replace("postgresql://", "postgresql+psycopg://")
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = options
    db.init_app(app)


@event.listens_for(Engine, "connect")
def _set_up_sqlite(connection: Any, _record: Any) -> None:
    if not isinstance(connection, sqlite.Connection):
        return
    connection.isolation_level = None  # we say BEGIN ourselves, below
    cursor = connection.cursor()
    version = tuple(int(part) for part in sqlite.sqlite_version.split("."))
    mode = "WAL" if is_wal_safe((version[0], version[1], version[2])) else "DELETE"
    for pragma in (
        f"journal_mode={mode}",
        "synchronous=FULL",
        "foreign_keys=ON",
        f"busy_timeout={BUSY_TIMEOUT_MS}",
        "secure_delete=ON",
        "trusted_schema=OFF",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


@event.listens_for(Engine, "begin")
def _begin_sqlite(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        writes = connection.get_execution_options().get("portal_write", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def transaction() -> Iterator[Session]:
    """The one commit point: a write session of its own, committed on leaving, rolled back on any error.

    Only use cases in `portal.journey` open it, once each. It ends the request's read session first, so that
    nothing read before can be written back. Needs an application context.
    """
    db.session.remove()
    engine = db.engine.execution_options(portal_write=True)
    with Session(engine, expire_on_commit=False) as session, session.begin():
        yield session


_SQLITE_GUARD = """CREATE TRIGGER {table}_no_{verb} BEFORE {verb} ON {table}
BEGIN SELECT RAISE(ABORT, '{table} is insert-only'); END"""
_POSTGRES_FUNCTION = """CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION '% is insert-only', TG_TABLE_NAME; END $$"""
_POSTGRES_GUARD = """CREATE TRIGGER {table}_insert_only BEFORE UPDATE OR DELETE ON {table}
FOR EACH ROW EXECUTE FUNCTION refuse_change()"""


def insert_only_statements(table: str, dialect: str) -> tuple[str, ...]:
    """The statements that make `table` insert-only on `dialect` (sqlite or postgresql)."""
    if dialect == "sqlite":
        return tuple(_SQLITE_GUARD.format(table=table, verb=verb) for verb in ("UPDATE", "DELETE"))
    return _POSTGRES_FUNCTION, _POSTGRES_GUARD.format(table=table)


INSERT_ONLY: list[str] = []
TableClass = TypeVar("TableClass", bound=Base)


def insert_only(model: type[TableClass]) -> type[TableClass]:
    """Class decorator: the database itself refuses UPDATE and DELETE on this table."""
    table = model.__table__
    assert isinstance(table, Table)
    INSERT_ONLY.append(table.name)
    for dialect in ("sqlite", "postgresql"):
        for statement in insert_only_statements(table.name, dialect):
            ddl = DDL(statement.replace("%", "%%"))  # type: ignore[no-untyped-call] # SQLAlchemy left it bare
            event.listen(table, "after_create", ddl.execute_if(dialect=dialect))
    return model
