"""Network operators: what is laid into the building."""

from __future__ import annotations

from typing import ClassVar

from providers.transports.ladder import UtilityAdapter


class NetworkAdapter(UtilityAdapter):
    """Reaches network providers; the wire is the protocol's own."""

    utility: ClassVar[str] = "network"
    vital_fields: ClassVar[tuple[str, ...]] = ("service", "bandwidth_mbps", "fibre_cores", "ducts")
