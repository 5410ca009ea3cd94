"""How many calls one key may make: a bucket of tokens a key, told in the RateLimit headers of every answer.

Header fields as in the IETF draft "RateLimit header fields for HTTP". Each web process counts by itself: behind N
processes a key has up to N times as much. It keeps one system's loop from starving the others, it is no accounting.
"""

from __future__ import annotations

import datetime as dt
import math
import threading
from dataclasses import dataclass

from flask import Flask, Response, g, request

from portal.kernel.errors import TooMany
from portal.kernel.settings import Settings

PER_MINUTE = 6000  # where the settings say nothing
WINDOW_S = 60
_MAX_KEYS = 10_000
PREFIX = "/api/v1/"


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class Room:
    """What a key has left: calls now, and seconds until the next one is free where there is none."""

    left: int
    wait_s: int


class Limiter:
    """Buckets of `per_minute` tokens that fill evenly. Safe for many threads; times are wire time."""

    def __init__(self, per_minute: int) -> None:
        self.per_minute = per_minute
        self._buckets: dict[str, _Bucket] = {}
        self._lock = threading.Lock()

    def take(self, key: str, now: dt.datetime) -> Room:
        """Take one call for `key`; `left` is -1 where there was none."""
        rate = self.per_minute / WINDOW_S
        with self._lock:
            bucket = self._buckets.get(key)
            if bucket is None:
                if len(self._buckets) >= _MAX_KEYS:
                    self._buckets.clear()  # whoever floods us with keys gains no more than a fresh bucket
                bucket = self._buckets[key] = _Bucket(float(self.per_minute), now)
            passed = max((now - bucket.at).total_seconds(), 0.0)
            bucket.tokens, bucket.at = min(bucket.tokens + passed * rate, float(self.per_minute)), now
            if bucket.tokens < 1:
                return Room(-1, math.ceil((1 - bucket.tokens) / rate))
            bucket.tokens -= 1
            return Room(int(bucket.tokens), 0)


def register_limits(app: Flask) -> None:
    """Count the calls of each key under /api/v1. After `register_authentication`, which finds them."""
    settings = app.config.get("PORTAL")
    limiter = Limiter(settings.api_per_minute if isinstance(settings, Settings) else PER_MINUTE)
    app.extensions["yikou.api_limiter"] = limiter

    def count() -> None:
        if request.path.startswith(PREFIX) and g.actor.kind in ("provider", "portal"):
            g.room = limiter.take(f"{g.actor.kind}:{g.actor.id}", g.wire_at)
            if g.room.left < 0:
                raise TooMany("调用过于频繁，请按 Retry-After 稍后再试。", retry_after_s=g.room.wait_s)

    def tell(response: Response) -> Response:
        room = g.get("room")
        if room is not None:
            response.headers["RateLimit-Policy"] = f'"key";q={limiter.per_minute};w={WINDOW_S}'
            response.headers["RateLimit"] = f'"key";r={max(room.left, 0)};t={room.wait_s}'
        return response

    app.before_request(count)
    app.after_request(tell)
