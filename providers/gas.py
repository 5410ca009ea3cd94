"""Pipe gas: what sizes the regulator and decides the pressure."""

from __future__ import annotations

from typing import ClassVar

from providers.transports.ladder import UtilityAdapter


class GasAdapter(UtilityAdapter):
    """Reaches gas providers; the wire is the protocol's own."""

    utility: ClassVar[str] = "gas"
    vital_fields: ClassVar[tuple[str, ...]] = ("use", "peak_m3_h", "daily_m3", "pressure", "appliances")
