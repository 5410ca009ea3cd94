"""Procrastinate's own tables in our database: made, and brought up to the installed version, by `app.py init`.

The library ships its whole schema and one SQL file for each change it ever made, named in order. The name of the last
change a database has is noted as a comment on the first of the tables, in the change's own transaction.
"""

from __future__ import annotations

from pathlib import Path

from procrastinate.schema import SchemaManager
from sqlalchemy import Connection, Engine, text

_TABLE = "procrastinate_jobs"


def update_schema(engine: Engine) -> list[str]:
    """Make the tables or bring them up to date; answers the changes made, none when all was there.

    Raises RuntimeError when the tables were made by hand and nobody can tell how far they are.
    """
    with engine.begin() as connection:
        if connection.scalar(text(f"SELECT to_regclass('{_TABLE}')")) is None:
            newest = changes()[-1].name
            _run(connection, SchemaManager.get_schema(), newest)
            return [newest]
        noted = connection.scalar(text(f"SELECT obj_description('{_TABLE}'::regclass)"))
    if noted is None:
        raise RuntimeError(
            f"{_TABLE} is there, but not its version. Note the last change it has, one of the names in"
            f" {SchemaManager.get_migrations_path()}: COMMENT ON TABLE {_TABLE} IS '{changes()[-1].name}'"
        )
    missing = [path for path in changes() if path.name > noted]
    for path in missing:
        # A transaction each: PostgreSQL lets no value be used in the one that adds it to an enumeration.
        with engine.begin() as connection:
            _run(connection, path.read_text(encoding="utf-8"), path.name)
    return [path.name for path in missing]


def changes() -> list[Path]:
    """The library's changes, the first one first."""
    return sorted(Path(SchemaManager.get_migrations_path()).glob("*.sql"))


def _run(connection: Connection, script: str, name: str) -> None:
    # Straight to the driver without parameters: `%` and `:` in the library's SQL mean themselves.
    driver = connection.connection.driver_connection
    assert driver is not None
    driver.execute(script)
    connection.exec_driver_sql(f"COMMENT ON TABLE {_TABLE} IS '{name}'")
