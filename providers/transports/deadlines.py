"""Connections that end at a deadline, however slowly the other side drips.

A socket's timeout counts from byte to byte, so one byte a second would hold a thread for hours. One watchman thread
breaks the connections whose time is over; waiting for an answer's head then ends with an error like any other.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from typing import Any

import urllib3.connection

_LOOK_S = 0.25


class Watchman:
    """Breaks what is overdue. Its thread runs only while something is watched."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._watched: dict[int, tuple[float, socket.socket]] = {}
        self._is_running = False

    def watch(self, sock: socket.socket, seconds: float) -> int:
        """Break `sock` in `seconds` unless it is let go before; answers what to let go."""
        with self._lock:
            self._watched[id(sock)] = (time.monotonic() + seconds, sock)
            if not self._is_running:
                self._is_running = True
                threading.Thread(target=self._run, name="watchman", daemon=True).start()
        return id(sock)

    def let_go(self, name: int) -> None:
        """It came back in time."""
        with self._lock:
            self._watched.pop(name, None)

    def _run(self) -> None:
        while True:
            time.sleep(_LOOK_S)
            now = time.monotonic()
            with self._lock:
                if not self._watched:
                    self._is_running = False
                    return
                late = [sock for until, sock in self._watched.values() if until <= now]
            for sock in late:
                with contextlib.suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)


_WATCHMAN = Watchman()


class _Timed:
    """Waiting for the head of an answer ends when the read timeout has passed since the question."""

    sock: Any
    timeout: Any

    def getresponse(self) -> Any:
        """The answer, or an error once the whole time is over."""
        seconds = self.sock.gettimeout() if self.sock is not None else None
        if seconds is None:
            return super().getresponse()  # type: ignore[misc]
        name = _WATCHMAN.watch(self.sock, seconds)
        try:
            return super().getresponse()  # type: ignore[misc]
        finally:
            _WATCHMAN.let_go(name)


class TimedConnection(_Timed, urllib3.connection.HTTPConnection):
    """Plain."""


class TimedTlsConnection(_Timed, urllib3.connection.HTTPSConnection):
    """Over TLS."""


class TimedPool(urllib3.HTTPConnectionPool):
    """A pool of such connections."""

    ConnectionCls = TimedConnection


class TimedTlsPool(urllib3.HTTPSConnectionPool):
    """A pool of such connections over TLS."""

    ConnectionCls = TimedTlsConnection
