"""Payment gateways behind `portal.billing.port`."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from portal.billing.port import Gateway
from portal.kernel.clock import RealClock
from providers.payment.adapter import GatewayAdapter
from providers.payment.keys import load_account, load_merchant_keys, make_keys
from providers.payment.wechat import WechatContract, WechatGateway

__all__ = ["GatewayAdapter", "open_gateway"]


def open_gateway(gateway_url: str, folder: Path, base_url: str) -> Gateway:
    """The gateway at `gateway_url` with the contract in `folder` (keys, serials, account.json); told at `base_url`.

    On the loopback address a missing contract is made, for the simulator to share; a real one must be there.
    """
    if urlsplit(gateway_url).hostname in ("127.0.0.1", "localhost", "::1"):
        make_keys(folder)
    app_id, merchant_id = load_account(folder)
    contract = WechatContract(
        base_url=gateway_url,
        app_id=app_id,
        merchant_id=merchant_id,
        notify_url=f"{base_url}/gateway/notify",
        keys=load_merchant_keys(folder),
    )
    return WechatGateway(contract, RealClock().wire_now)
