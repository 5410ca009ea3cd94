"""The WSGI server: granian, or waitress where its wheel cannot be had."""

from __future__ import annotations

from granian import Granian
from granian.constants import Interfaces
from waitress import serve as serve_with_waitress
from werkzeug.utils import import_string

from portal.kernel.settings import Settings

THREADS = 8


def serve(factory: str, settings: Settings, *, server: str = "granian") -> None:
    """Serve `factory` (`module:function`) at the bind address until told to stop. `server`: granian or waitress.

    One process on SQLite (one writer), two on PostgreSQL.
    """
    host, _, port = settings.bind.rpartition(":")
    if server == "waitress":
        serve_with_waitress(import_string(factory)(settings), host=host, port=int(port), threads=THREADS)
        return
    Granian(
        factory,
        address=host,
        port=int(port),
        interface=Interfaces.WSGI,
        factory=True,
        workers=1 if settings.is_sqlite else 2,
        blocking_threads=THREADS,
        log_access=False,
    ).serve()
