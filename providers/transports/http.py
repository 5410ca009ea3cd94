"""The one outbound HTTP door: bounded connections, time and answers, no redirects, nothing decompressed."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

import urllib3

from providers.transports.addresses import LOOPBACK, AddressRefused, Network, Target, find_target
from providers.transports.deadlines import TimedPool, TimedTlsPool

TIMEOUT_S = 15.0
CONNECT_S = 5.0
MAX_ANSWER = 65_536
_KEPT = 32  # connections kept alive to one place; how many are open at once is bounded by whoever calls


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """Status, headers (lower-case names) and at most `MAX_ANSWER` bytes of body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class NotSent(Exception):
    """Nothing left this machine: the address is refused, or nobody took the connection."""


class NoAnswer(Exception):
    """It may have arrived: the connection broke, or the answer did not come in time or had no end."""


class HttpDoor:
    """Keeps connections alive per checked address; safe for many threads."""

    def __init__(self, networks: Sequence[Network] = LOOPBACK, timeout_s: float = TIMEOUT_S) -> None:
        self._networks = tuple(networks)
        self._timeout_s = timeout_s
        self._pools: dict[tuple[str, str, str, int], urllib3.HTTPConnectionPool] = {}
        self._lock = threading.Lock()

    def call(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None = None) -> HttpAnswer:
        """One request, one answer. Raises NotSent or NoAnswer; every status is an answer."""
        try:
            target = find_target(url, self._networks)
        except (AddressRefused, OSError) as wrong:
            raise NotSent(str(wrong)) from wrong
        deadline = time.monotonic() + self._timeout_s
        named = {"Host": _host_header(target), "Accept": "application/json", **headers}
        try:
            response = self._pool(target).urlopen(
                method,
                target.path,
                body=body,
                headers=named,
                redirect=False,
                retries=False,
                preload_content=False,
                decode_content=False,
            )
        except (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError) as wrong:
            raise NotSent(f"no connection to {target.host}:{target.port}") from wrong
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as wrong:
            raise NoAnswer(type(wrong).__name__) from wrong
        return HttpAnswer(
            status=response.status,
            headers={name.lower(): value for name, value in response.headers.items()},
            body=_read(response, deadline),
        )

    def _pool(self, target: Target) -> urllib3.HTTPConnectionPool:
        key = (target.scheme, target.host, target.address, target.port)
        with self._lock:
            if key not in self._pools:
                self._pools[key] = self._open(target)
            return self._pools[key]

    def _open(self, target: Target) -> urllib3.HTTPConnectionPool:
        timeout = urllib3.Timeout(connect=min(CONNECT_S, self._timeout_s), read=self._timeout_s)
        if target.scheme == "http":
            # Never block: two providers may share an address, and one that hangs must not hold up the other.
            return TimedPool(target.address, target.port, maxsize=_KEPT, timeout=timeout)
        return TimedTlsPool(
            target.address,
            target.port,
            maxsize=_KEPT,
            timeout=timeout,
            server_hostname=target.host,
            assert_hostname=target.host,
        )


def retry_after_s(answer: HttpAnswer, now: dt.datetime) -> float | None:
    """Seconds the answer asks us to wait (a number or an HTTP date), or None."""
    text = answer.headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit() and len(text) <= 9:
        return float(text)
    try:
        at = parsedate_to_datetime(text)
        return max(0.0, (at.replace(tzinfo=at.tzinfo or dt.UTC) - now).total_seconds())
    except (ValueError, TypeError, OverflowError):
        return None


def _read(response: urllib3.BaseHTTPResponse, deadline: float) -> bytes:
    """The body up to its end. An endless or dripping one breaks the connection and counts as no answer."""
    body = b""
    try:
        while len(body) <= MAX_ANSWER and time.monotonic() < deadline:
            chunk = response.read1(MAX_ANSWER + 1 - len(body))
            if not chunk:
                response.release_conn()
                return body
            body += chunk
    except (urllib3.exceptions.HTTPError, OSError, ValueError) as wrong:
        response.close()
        raise NoAnswer(type(wrong).__name__) from wrong
    response.close()
    raise NoAnswer("the answer is too large or too slow")


def _host_header(target: Target) -> str:
    host = f"[{target.host}]" if ":" in target.host else target.host
    usual = 443 if target.scheme == "https" else 80
    return host if target.port == usual else f"{host}:{target.port}"
