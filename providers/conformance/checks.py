"""What a provider's endpoint must do with what the portal posts to it, one check a promise of the protocol."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from portal.exchange.signatures import new_secret, sign
from portal.kernel.clock import format_instant
from portal.kernel.ids import new_id
from providers.transports.http import HttpAnswer, HttpDoor, NoAnswer, NotSent


@dataclass(frozen=True, slots=True)
class Target:
    """The provider under test. `now` gives wire time."""

    url: str
    secret: str
    door: HttpDoor
    now: Callable[[], dt.datetime]


@dataclass(frozen=True, slots=True)
class Result:
    """One line of the score card; `found` says what happened where it failed."""

    check: str
    promise: str
    is_passed: bool
    found: str = ""


Check = Callable[[Target], str | None]  # None, or what was found instead


def _event(target: Target, **more: Any) -> tuple[str, bytes]:
    name = new_id()
    event = {"type": "test.ping", "id": name, "occurred_at": format_instant(target.now()), "data": {}, **more}
    return name, json.dumps(event, ensure_ascii=False).encode()


def _post(target: Target, headers: Mapping[str, str], body: bytes) -> HttpAnswer | str:
    try:
        return target.door.call("POST", target.url, {"Content-Type": "application/json", **headers}, body)
    except (NotSent, NoAnswer) as wrong:
        return f"no answer: {wrong}"


def _expect_taken(answer: HttpAnswer | str) -> str | None:
    if isinstance(answer, str):
        return answer
    return None if 200 <= answer.status < 300 else f"HTTP {answer.status}"


def _expect_refused(answer: HttpAnswer | str) -> str | None:
    if isinstance(answer, str):
        return answer
    return None if 400 <= answer.status < 500 else f"HTTP {answer.status}"


def takes_a_signed_event(target: Target) -> str | None:
    """A signed event is answered 2xx within 15 s."""
    name, body = _event(target)
    return _expect_taken(_post(target, sign(target.secret, name, target.now(), body), body))


def takes_a_replay(target: Target) -> str | None:
    """The same message again is answered 2xx again: the portal repeats what it does not know to have arrived."""
    name, body = _event(target)
    headers = sign(target.secret, name, target.now(), body)
    return _expect_taken(_post(target, headers, body)) or _expect_taken(_post(target, headers, body))


def takes_two_signatures(target: Target) -> str | None:
    """While a secret rotates a message carries two signatures; one that fits is enough."""
    name, body = _event(target)
    return _expect_taken(_post(target, sign([new_secret(), target.secret], name, target.now(), body), body))


def ignores_unknown_fields(target: Target) -> str | None:
    """Fields the receiver does not know are ignored: the portal may add, never rename."""
    name, body = _event(target, added_later={"x": [1, 2]})
    return _expect_taken(_post(target, sign(target.secret, name, target.now(), body), body))


def refuses_a_foreign_signature(target: Target) -> str | None:
    """A message signed with another secret is refused with 4xx."""
    name, body = _event(target)
    return _expect_refused(_post(target, sign(new_secret(), name, target.now(), body), body))


def refuses_an_altered_body(target: Target) -> str | None:
    """A body changed after signing is refused with 4xx."""
    name, body = _event(target)
    return _expect_refused(_post(target, sign(target.secret, name, target.now(), body), body + b" "))


def refuses_an_old_message(target: Target) -> str | None:
    """A message signed more than 300 s ago is refused with 4xx."""
    name, body = _event(target)
    old = target.now() - dt.timedelta(seconds=900)
    return _expect_refused(_post(target, sign(target.secret, name, old, body), body))


def refuses_an_unsigned_message(target: Target) -> str | None:
    """A message without the three headers is refused with 4xx."""
    return _expect_refused(_post(target, {}, _event(target)[1]))


CHECKS: tuple[Check, ...] = (
    takes_a_signed_event,
    takes_a_replay,
    takes_two_signatures,
    ignores_unknown_fields,
    refuses_a_foreign_signature,
    refuses_an_altered_body,
    refuses_an_old_message,
    refuses_an_unsigned_message,
)


def run_checks(target: Target) -> list[Result]:
    """All checks, in order; none stops the others."""
    results = []
    for check in CHECKS:
        found = check(target)
        result = Result(check.__name__, (check.__doc__ or "").strip(), found is None)
        results.append(result if found is None else dataclasses.replace(result, found=found))
    return results
