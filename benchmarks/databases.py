"""Fresh databases for a benchmark: a SQLite file, and a schema of its own where a PostgreSQL answers."""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask
from sqlalchemy import create_engine, text

from portal.kernel.database import db, init_database
from portal.kernel.ids import new_id

DEFAULT_POSTGRES = "postgresql://postgres@127.0.0.1:5432/test"
SQLITE, POSTGRES = "sqlite FULL", "postgres"


def available() -> list[str]:
    """The databases that can be measured here, as they are named in the figures."""
    return [SQLITE, *([POSTGRES] if _postgres() else [])]


def _postgres() -> str | None:
    if url := os.environ.get("PORTAL_TEST_POSTGRES_URL"):
        return url
    try:
        socket.create_connection(("127.0.0.1", 5432), timeout=0.5).close()
    except OSError:
        return None
    return DEFAULT_POSTGRES


@contextmanager
def fresh_app(database: str) -> Iterator[Flask]:
    """An application context over an empty database with all tables, which is removed afterwards."""
    if database == SQLITE:
        with tempfile.TemporaryDirectory() as folder, _app(f"sqlite:///{folder}/bench.db") as app:
            yield app
        return
    url, schema = _postgres(), f"bench{new_id()[:12]}"
    assert url is not None
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f'CREATE SCHEMA "{schema}"'))
    try:
        with _app(f"{url}?options=-csearch_path%3D{schema}") as app:
            yield app
    finally:
        with engine.connect() as connection:
            connection.execute(text(f'DROP SCHEMA "{schema}" CASCADE'))
        engine.dispose()


@contextmanager
def _app(url: str) -> Iterator[Flask]:
    app = Flask("benchmark")
    init_database(app, url)
    with app.app_context():
        db.create_all()
        yield app
        db.session.remove()
        db.engine.dispose()
