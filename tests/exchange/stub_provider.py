"""A tiny real HTTP server that plays any provider: keeps every call, counts effects by webhook-id."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Reply = tuple[int, dict[str, str], bytes]


@dataclass
class Call:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class StubProvider:
    """`script(call, count)` decides the answer; default: 202. `effects` counts ids once answered 2xx."""

    script: Callable[[Call, int], Reply] = lambda _call, _count: (202, {}, b"{}")
    delay_s: float = 0.0
    calls: list[Call] = field(default_factory=list)
    tries: Counter[str] = field(default_factory=Counter)
    effects: dict[str, bytes] = field(default_factory=dict)
    arrived_s: list[float] = field(default_factory=list)  # when each call was answered, monotonic
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __enter__(self) -> StubProvider:
        stub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                self._answer("POST")

            def do_GET(self) -> None:
                self._answer("GET")

            def _answer(self, method: str) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                status, extra, answer = stub.take(Call(method, self.path, headers, body))
                self.send_response(status)
                for name, value in extra.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_args: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            request_queue_size = 128

            def handle_error(self, *_args: object) -> None:
                pass  # a killed worker breaks its connections; that is the point of some tests

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_args: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def take(self, call: Call) -> Reply:
        time.sleep(self.delay_s)
        message_id = call.headers.get("webhook-id", "")
        with self._lock:
            self.calls.append(call)
            self.tries[message_id] += 1
            self.arrived_s.append(time.monotonic())
            status, extra, answer = self.script(call, self.tries[message_id])
            if 200 <= status < 300 and call.method == "POST":
                self.effects.setdefault(message_id, call.body)
        return status, extra, answer

    def task_ids(self) -> list[str]:
        """The tasks in the order their messages took effect."""
        return [json.loads(body)["data"]["task_id"] for body in self.effects.values()]
