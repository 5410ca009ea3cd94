"""Central heat: what sizes the exchange station."""

from __future__ import annotations

from typing import ClassVar

from providers.transports.ladder import UtilityAdapter


class HeatingAdapter(UtilityAdapter):
    """Reaches heating providers; the wire is the protocol's own."""

    utility: ClassVar[str] = "heating"
    vital_fields: ClassVar[tuple[str, ...]] = ("use", "heated_area_m2", "heat_load_kw", "terminal")
