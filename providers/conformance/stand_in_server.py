"""The stand-in portal on a port of this machine, for providers that are told to call it instead of the real one."""

from __future__ import annotations

import hmac
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from portal.exchange.conformance import stand_in
from portal.exchange.conformance.judging import Finding, judge_calls
from providers.conformance.checks import Target, push_event

PREFIX = "/api/v1"
MAX_BODY = 1_048_576
_LOOK_S = 0.2


class StandInPortal:
    """Serves in a thread until `stop`. Its state is guarded by one lock; slow answers wait outside it."""

    def __init__(self, host: str, port: int, *, key: str, target: Target, provider: str = "sandbox") -> None:
        self._key, self._target = key, target
        self.state = stand_in.begin(provider=provider, utility="water", at=target.now())
        self._lock = threading.Lock()
        self._http = ThreadingHTTPServer((host, port), _routes_of(self))
        self._http.daemon_threads = True
        self.url = f"http://{host}:{self._http.server_address[1]}"
        threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        """No more calls are taken."""
        self._http.shutdown()
        self._http.server_close()

    def watch(self, limit_s: float) -> list[Finding]:
        """Push what there is to push until every promise about calls is decided, at most `limit_s` seconds."""
        end = time.monotonic() + limit_s
        while True:
            self._push()
            with self._lock:
                findings = judge_calls(self.state, self._target.level, self._target.now())
            if time.monotonic() > end or all(finding.is_kept is not None for finding in findings):
                return findings
            time.sleep(_LOOK_S)

    def _push(self) -> None:
        with self._lock:
            waiting, self.state["outgoing"] = self.state["outgoing"], []
            events = [(kind, dict(self.state["tasks"][task_id]["document"])) for kind, task_id in waiting]
        if self._target.level != "pull":
            for kind, document in events:
                push_event(self._target, kind, document)

    def take(self, method: str, target: str, headers: dict[str, str], raw: bytes) -> stand_in.Answer:
        """One call; 401 when the key is not the one given."""
        given = headers.get("authorization", "").partition(" ")[2]
        if not hmac.compare_digest(given.encode(), self._key.encode()):
            return stand_in.Answer(
                401, {"type": "about:blank", "status": 401, "code": "bad_key", "detail": "访问密钥不对"}
            )
        parts = urlsplit(target)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        call = stand_in.Call(method, parts.path.removeprefix(PREFIX), query, headers, raw)
        with self._lock:
            return stand_in.take_call(self.state, call, secrets=self._target.secrets, at=self._target.now())


def _routes_of(portal: StandInPortal) -> type[BaseHTTPRequestHandler]:
    class Routes(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer(b"")

        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            self._answer(self.rfile.read(min(length, MAX_BODY + 1)))

        def _answer(self, raw: bytes) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            answer = portal.take(self.command, self.path, headers, raw)
            time.sleep(answer.delay_s)
            body = json.dumps(answer.body, ensure_ascii=False).encode()
            self.send_response(answer.status)
            kind = "application/problem+json" if answer.status >= 400 else "application/json"
            for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **answer.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args: Any) -> None:
            pass

    return Routes
