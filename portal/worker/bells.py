"""The bell of a worker on PostgreSQL: a connection that listens, and holds the worker's name while it is open."""

from __future__ import annotations

import threading
import time

import psycopg
import psycopg.sql
import structlog
from flask import Flask

from portal.kernel.database import db
from portal.worker.port import AlreadyRunning
from portal.worker.wake import CHANNEL, Bell

_log = structlog.get_logger("worker")
_LOOK_S = 0.5  # how soon a closing bell is noticed
_RECONNECT_S = 1.0
_NAME_WITHIN_S = 3.0
# A machine that vanished must not hold its worker's name for hours: the server notices after half a minute.
_KEEP_ALIVE = "SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 4"
_TAKE_NAME = "SELECT pg_try_advisory_lock(hashtextextended(current_schema() || '/worker/' || %s, 0))"


def postgres_address() -> str:
    """Where the current application's PostgreSQL is, as psycopg takes it."""
    return db.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)


def open_bell(app: Flask, owner: str, port: int) -> Bell:
    """The bell that suits the application's database. Raises AlreadyRunning."""
    with app.app_context():
        if db.engine.dialect.name == "sqlite":
            return Bell(port)
        return ListeningBell(postgres_address(), owner)


class ListeningBell(Bell):
    """Rung from all machines. Two live workers of one name would give back each other's leases: it is locked."""

    def __init__(self, address: str, owner: str) -> None:
        super().__init__(0)
        self._address, self._owner = address, owner
        self._closing = threading.Event()
        first = self._connect()
        if not self._take_name(first, within_s=_NAME_WITHIN_S):
            first.close()
            super().close()
            raise AlreadyRunning(f"a worker named {owner!r} runs already; give each its own PORTAL_WORKER_NAME")
        self._thread = threading.Thread(target=self._listen, args=(first,), name="listen", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening and let the name go."""
        self._closing.set()
        self._thread.join()
        super().close()

    def _connect(self) -> psycopg.Connection[tuple[object, ...]]:
        connection = psycopg.connect(self._address, autocommit=True)
        connection.execute(_KEEP_ALIVE)
        row = connection.execute(f"SELECT {CHANNEL}").fetchone()
        assert row is not None
        connection.execute(psycopg.sql.SQL("LISTEN {}").format(psycopg.sql.Identifier(str(row[0]))))
        return connection

    def _take_name(self, connection: psycopg.Connection[tuple[object, ...]], *, within_s: float = 0) -> bool:
        """Whether the name is ours; a worker just killed may take the server a moment to bury."""
        end = time.monotonic() + within_s
        while connection.execute(_TAKE_NAME, (self._owner,)).fetchone() != (True,):
            if time.monotonic() >= end:
                return False
            time.sleep(0.1)
        return True

    def _listen(self, first: psycopg.Connection[tuple[object, ...]]) -> None:
        connection: psycopg.Connection[tuple[object, ...]] | None = first
        while not self._closing.is_set():
            try:
                if connection is None:
                    connection = self._connect()
                    self._take_name(connection)
                    self.ring()  # for what was committed while nobody listened
                for _ in connection.notifies(timeout=_LOOK_S, stop_after=1):
                    self.ring()
            except psycopg.Error as broken:
                _log.warning("listening broke off", error=str(broken))
                if connection is not None:
                    connection.close()
                connection = None
                self._closing.wait(_RECONNECT_S)
        if connection is not None:
            connection.close()
