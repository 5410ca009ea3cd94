"""Where we may call. The addresses a name resolves to are checked, never the text, and the checked one is called.

An allowlist, not a blocklist: providers sit in private networks, and the forms an address can take have no end.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

Resolve = Callable[[str, int], Sequence[str]]
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
LOOPBACK: tuple[Network, ...] = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))
_PRINTABLE = re.compile(r"[\x21-\x7e]+")
_HOST = re.compile(r"[A-Za-z0-9.\-:]+")


class AddressRefused(ValueError):
    """The URL is malformed or leads outside the allowed networks."""


@dataclass(frozen=True, slots=True)
class Target:
    """A checked place to connect to: `address` is the IP to call, `host` the name for Host and TLS."""

    scheme: str
    host: str
    port: int
    address: str
    path: str


def resolve_name(host: str, port: int) -> Sequence[str]:
    """All addresses of a name. Raises OSError when it has none."""
    return [str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def find_target(url: str, networks: Sequence[Network], resolve: Resolve = resolve_name) -> Target:
    """The target behind `url`; every address its name resolves to must lie in `networks`.

    Plain http is for loopback only. Raises AddressRefused; a name that does not resolve raises OSError.
    """
    if not _PRINTABLE.fullmatch(url) or "\\" in url:
        raise AddressRefused("the address has characters no address has")
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError as wrong:
        raise AddressRefused("the address cannot be read") from wrong
    host = parts.hostname or ""
    if parts.scheme not in ("http", "https") or not _HOST.fullmatch(host) or "@" in parts.netloc or parts.fragment:
        raise AddressRefused("an address is http(s)://host[:port]/path, nothing more")
    found = sorted({host} if _is_literal(host) else set(resolve(host, port)))
    for address in found:
        _check(address, parts.scheme, networks)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(scheme=parts.scheme, host=host, port=port, address=found[0], path=path)


def _is_literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _check(address: str, scheme: str, networks: Sequence[Network]) -> None:
    ip = ipaddress.ip_address(address.partition("%")[0])
    if not any(ip in network for network in networks):
        raise AddressRefused(f"{address} is outside the allowed networks")
    if scheme == "http" and not any(ip in network for network in LOOPBACK):
        raise AddressRefused("plain http is for this machine only; use https")
