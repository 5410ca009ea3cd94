"""A socket that answers with exactly the bytes it is given, for answers no HTTP library would make."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator


@contextlib.contextmanager
def raw_server(answer: bytes, *, drip_s: float = 0.0, endless: bytes = b"") -> Iterator[str]:
    """The URL of a server that sends `answer`, then `endless` again and again with `drip_s` between."""
    listener = socket.create_server(("127.0.0.1", 0))
    stop = threading.Event()

    def serve() -> None:
        with contextlib.suppress(OSError):
            while not stop.is_set():
                connection, _ = listener.accept()
                threading.Thread(target=talk, args=(connection,), daemon=True).start()

    def talk(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.recv(65_536)
            connection.sendall(answer)
            while endless and not stop.is_set():
                connection.sendall(endless)
                time.sleep(drip_s)

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        stop.set()
        listener.close()
