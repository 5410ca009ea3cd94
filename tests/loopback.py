"""Refuses every connection and name look-up of the test process that would leave this machine."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable
from functools import wraps
from typing import Any

import pytest


def refuse_other_machines(patch: pytest.MonkeyPatch) -> None:
    """Guard the ways out of Python's own sockets; a library in C (PostgreSQL's) is pointed at loopback by its URL."""
    for method in ("connect", "connect_ex"):
        patch.setattr(socket.socket, method, _guarded(getattr(socket.socket, method), lambda _self, address: address))
    patch.setattr(socket.socket, "sendto", _guarded(socket.socket.sendto, lambda _self, _bytes, *rest: rest[-1]))
    patch.setattr(socket, "getaddrinfo", _guarded(socket.getaddrinfo, lambda host, *_rest, **_named: (host,)))


def _guarded(real: Callable[..., Any], address_of: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(real)
    def checked(*args: Any, **named: Any) -> Any:
        address = address_of(*args, **named)
        if isinstance(address, tuple) and not _is_here(address[0]):
            raise RuntimeError(f"a test spoke to another machine: {address[0]}")
        return real(*args, **named)

    return checked


def _is_here(host: object) -> bool:
    name = host.decode() if isinstance(host, bytes) else host
    if name in (None, "", "localhost"):
        return True
    try:
        address = ipaddress.ip_address(str(name).partition("%")[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified
