"""Everything outside the portal, behind its ports.

A sixth utility is one module like `water.py` and one line here.
"""

from __future__ import annotations

from portal.exchange.port import Adapter
from providers.gas import GasAdapter
from providers.heating import HeatingAdapter
from providers.network import NetworkAdapter
from providers.power import PowerAdapter
from providers.transports.http import HttpDoor
from providers.transports.ladder import UtilityAdapter
from providers.transports.mail import PostOffice
from providers.water import WaterAdapter

ADAPTERS: dict[str, type[UtilityAdapter]] = {
    "water": WaterAdapter,
    "power": PowerAdapter,
    "gas": GasAdapter,
    "heating": HeatingAdapter,
    "network": NetworkAdapter,
}


def make_adapters(door: HttpDoor, post: PostOffice | None = None) -> dict[str, Adapter]:
    """One adapter a utility over one shared door and post office, by `provider:<utility>`."""
    return {f"provider:{utility}": adapter(door, post) for utility, adapter in ADAPTERS.items()}
