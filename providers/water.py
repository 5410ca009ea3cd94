"""Water: what sizes the pipe and the meter."""

from __future__ import annotations

from typing import ClassVar

from providers.transports.ladder import UtilityAdapter


class WaterAdapter(UtilityAdapter):
    """Reaches water providers; the wire is the protocol's own."""

    utility: ClassVar[str] = "water"
    vital_fields: ClassVar[tuple[str, ...]] = ("use", "daily_m3", "peak_hour_m3", "pipe_dn_mm", "meters")
