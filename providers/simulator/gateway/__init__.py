"""A payment gateway to try things on: WeChat Pay v3 shapes over loopback HTTP, fault switches, a cashier page."""

from providers.simulator.gateway.server import GatewaySimulator, start_gateway

__all__ = ["GatewaySimulator", "start_gateway"]
