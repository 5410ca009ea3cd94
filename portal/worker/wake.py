"""Waking the worker after a commit that left it something to do.

On SQLite by one datagram on loopback, sent after the commit; on PostgreSQL by NOTIFY inside the transaction, which the
server gives out to the workers of all machines when it commits. A lost call costs nothing but time: the worker looks
by itself every second.
"""

from __future__ import annotations

import contextlib
import socket

from sqlalchemy import event, text
from sqlalchemy.orm import Session

from portal.exchange.outbox import WAKE
from portal.worker.port import AlreadyRunning

HOST = "127.0.0.1"
# Channels belong to a whole database; a portal may be one schema of several.
CHANNEL = "'yikou_' || current_schema()"
_NOTIFY = text(f"SELECT pg_notify({CHANNEL}, '')")


def wake(port: int) -> None:
    """Send the datagram; nobody listening is no error."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"!", (HOST, port))


def register(port: int) -> None:
    """From now on every committed session that asked for it wakes the worker (once a process).

    `port` is where the one worker of a SQLite database listens.
    """
    if not event.contains(Session, "after_commit", _after_commit):
        event.listen(Session, "before_commit", _before_commit)
        event.listen(Session, "after_commit", _after_commit)
        event.listen(Session, "after_soft_rollback", _after_rollback)
    _ports.add(port)


_ports: set[int] = set()


def _is_postgres(session: Session) -> bool:
    return session.get_bind().dialect.name == "postgresql"


def _before_commit(session: Session) -> None:
    # A savepoint's end is no commit yet; the call goes out with the transaction, or not at all.
    if session.info.get(WAKE) and not session.in_nested_transaction() and _is_postgres(session):
        session.execute(_NOTIFY)


def _after_commit(session: Session) -> None:
    if session.info.pop(WAKE, False) and not _is_postgres(session):
        for port in _ports:
            wake(port)


def _after_rollback(session: Session, previous: object) -> None:
    # A savepoint that is undone takes nothing back: what was asked before it still stands.
    if session.get_transaction() is None:
        session.info.pop(WAKE, None)


class Bell:
    """What the loop sleeps on: rung by a datagram, by a finished sending, or by the stop signal.

    Binding the port is also the lock that keeps a second worker off a SQLite file. Raises AlreadyRunning.
    """

    def __init__(self, port: int) -> None:
        self._incoming = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._incoming.bind((HOST, port))
        except OSError as taken:
            self._incoming.close()
            raise AlreadyRunning(f"a worker listens at {HOST}:{port} already ({taken})") from taken
        self._incoming.setblocking(False)
        self.port = self._incoming.getsockname()[1]
        self._outgoing = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    def ring(self) -> None:
        """Wake the loop from another thread."""
        with contextlib.suppress(OSError):
            self._outgoing.sendto(b"!", (HOST, self.port))

    def wait(self, timeout_s: float) -> None:
        """Sleep until rung or `timeout_s` has passed; all rings so far count as one."""
        self._incoming.settimeout(max(timeout_s, 0.0005))
        with contextlib.suppress(OSError):
            self._incoming.recv(16)
            self._incoming.setblocking(False)
            while self._incoming.recv(16):
                pass

    def close(self) -> None:
        """Free the port."""
        self._incoming.close()
        self._outgoing.close()
