"""A provider's server that fails in a chosen way for a while; counts what took effect by webhook-id."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import threading
from collections import Counter

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"
_CLOSE = b"Connection: close\r\n\r\n"
BYTES = {
    "500": b"HTTP/1.1 500 no\r\nContent-Length: 0\r\n" + _CLOSE,
    "503 retry-after": b"HTTP/1.1 503 no\r\nRetry-After: 90\r\nContent-Length: 0\r\n" + _CLOSE,
    "302": b"HTTP/1.1 302 go\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n" + _CLOSE,
    "garbage 200": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n" + _CLOSE + b"\x00\xff<x>",
    "wrong schema": b"HTTP/1.1 200 OK\r\nContent-Length: 14\r\n" + _CLOSE + b'{"task_id": 7}',
    "truncated": b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n" + _CLOSE + b"{",
}
TAKEN = (
    "garbage 200",
    "wrong schema",
    "truncated",
    "reset after commit",
    "duplicate",
)  # it has the message all the same


class FaultyProvider:
    """`fault` acts on calls of `method` until `faults_left` is used up; all else is answered as it should be."""

    def __init__(self, fault: str, *, method: str = "POST", times: int = 2) -> None:
        self.fault, self.method, self.faults_left = fault, method, times
        self.effects: dict[str, bytes] = {}
        self.tries: Counter[str] = Counter()
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._stop.set()
        self._listener.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while not self._stop.is_set():
                connection, _ = self._listener.accept()
                threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError, ValueError, IndexError):
            head, body = _request(connection)
            method = head.split(" ", 1)[0]
            name = next(x.split(":", 1)[1].strip() for x in head.split("\r\n") if x.lower().startswith("webhook-id:"))
            with self._lock:
                is_bad = method == self.method and self.faults_left > 0
                self.faults_left -= is_bad
                if method == "POST":
                    self.tries[name] += 1
                    if not is_bad or self.fault in TAKEN:
                        self.effects.setdefault(name, body)
            if is_bad:
                self._fail(connection)
            elif method == "GET":
                held = json.dumps(json.loads(next(iter(self.effects.values())))["data"]).encode()
                size = f"HTTP/1.1 200 OK\r\nContent-Length: {len(held)}\r\n".encode()
                connection.sendall(size + _CLOSE + held)
            else:
                connection.sendall(OK)

    def _fail(self, connection: socket.socket) -> None:
        if self.fault in BYTES:
            connection.sendall(BYTES[self.fault])
        elif self.fault == "hang":
            self._stop.wait(5)
        elif self.fault == "drip":
            for byte in OK * 9:
                connection.sendall(bytes([byte]))
                if self._stop.wait(0.3):
                    return
        else:  # refused, reset: the connection breaks without a word
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _request(connection: socket.socket) -> tuple[str, bytes]:
    data = b""
    while b"\r\n\r\n" not in data:
        if not (chunk := connection.recv(65_536)):
            raise ValueError("no request")
        data += chunk
    head, _, body = data.partition(b"\r\n\r\n")
    text = head.decode("latin-1")
    size = next((int(x.split(":")[1]) for x in text.split("\r\n") if x.lower().startswith("content-length:")), 0)
    while len(body) < size:
        body += connection.recv(65_536)
    return text, body
