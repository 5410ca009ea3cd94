"""Power: what sizes the supply and decides the voltage."""

from __future__ import annotations

from typing import ClassVar

from providers.transports.ladder import UtilityAdapter


class PowerAdapter(UtilityAdapter):
    """Reaches power providers; the wire is the protocol's own."""

    utility: ClassVar[str] = "power"
    vital_fields: ClassVar[tuple[str, ...]] = ("load_class", "existing_kva", "added_kva", "voltage", "sources")
