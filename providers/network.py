"""Network operators: what is laid into the building."""

from __future__ import annotations

from typing import ClassVar

from providers.transports.push import PushAdapter


class NetworkAdapter(PushAdapter):
    """Pushes to network providers; the wire is the protocol's own."""

    utility: ClassVar[str] = "network"
    vital_fields: ClassVar[tuple[str, ...]] = ("service", "bandwidth_mbps", "fibre_cores", "ducts")
