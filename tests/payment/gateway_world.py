"""A gateway simulator and our client to it, over real loopback HTTP."""

from __future__ import annotations

import datetime as dt
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from portal.billing.port import Created, Order, SubOrder
from portal.kernel.clock import RealClock
from providers.payment.keys import load_merchant_keys
from providers.payment.wechat import WechatContract, WechatGateway
from providers.simulator.gateway import GatewaySimulator, start_gateway
from tests.conftest import AT

wire_now = RealClock().wire_now


@dataclass
class Ear:
    """An HTTP server that keeps what is posted to it and answers with `status`."""

    status: int = 200
    heard: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        ear = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers["Content-Length"]))
                ear.heard.append((dict(self.headers), raw))
                self.send_response(ear.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/gateway/notify"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@dataclass
class World:
    sim: GatewaySimulator
    client: WechatGateway
    ear: Ear

    def create(self, order: Order) -> str:
        """Create the order; answers the cashier's token."""
        outcome = self.client.read_order_answer(self.client.send(self.client.render_order(order)))
        assert isinstance(outcome, Created), outcome
        return urlsplit(outcome.pay_url).path.rsplit("/", 1)[1]

    def close(self) -> None:
        self.sim.stop()
        self.ear.close()


def make_world(folder: Path, *, fee_ppm: int = 0, notify_url: str | None = None) -> World:
    sim = start_gateway(folder, environ={"GATEWAY_MODE": "sim"}, retry_scale=0.001, fee_ppm=fee_ppm)
    sim.set_clock(AT)
    ear = Ear()
    contract = WechatContract(
        base_url=sim.url,
        app_id="wx0000000000000001",
        merchant_id="1900000001",
        notify_url=notify_url or ear.url,
        keys=load_merchant_keys(folder),
    )
    return World(sim, WechatGateway(contract, wire_now), ear)


def combined(name: str, *amounts: int) -> Order:
    subs = tuple(SubOrder(f"{name}sub{i:03d}", f"16000000{i:02d}", fen) for i, fen in enumerate(amounts))
    return Order(f"{name}order", "COMBINE", "联合账单", subs, AT + dt.timedelta(hours=24))


def plain(name: str, amount: int) -> Order:
    number = f"{name}order"
    subs = (SubOrder(number, "1600000099", amount),)
    return Order(number, "PLAIN", "联合账单", subs, AT + dt.timedelta(hours=24))
