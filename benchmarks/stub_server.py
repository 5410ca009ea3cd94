"""A provider that answers every POST after a fixed time and costs next to nothing; its own process.

`python -m benchmarks.stub_server 0.05 [tell]`: prints its port; with `tell` also, for each request that has arrived
whole, its webhook-id and the machine's monotonic time in nanoseconds (one clock for all processes of a machine).
"""

from __future__ import annotations

import asyncio
import sys
import time

ANSWER = b"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\n{}"


class Stub(asyncio.Protocol):
    """Keep-alive HTTP/1.1 with Content-Length, no pipelining: all a pooled client sends."""

    delay_s = 0.05
    tells = False

    def __init__(self) -> None:
        self.buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport to answer on."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer once the request is whole."""
        self.buffer += data
        head, separator, body = self.buffer.partition(b"\r\n\r\n")
        if separator and len(body) >= int(_header(head, b"content-length") or 0):
            arrived_ns = time.monotonic_ns()
            self.buffer = b""
            asyncio.get_running_loop().call_later(self.delay_s, self.answer)
            if self.tells:
                print((_header(head, b"webhook-id") or b"-").decode(), arrived_ns, flush=True)

    def answer(self) -> None:
        """Send the fixed answer unless the client has gone."""
        if not self.transport.is_closing():
            self.transport.write(ANSWER)


def _header(head: bytes, name: bytes) -> bytes | None:
    for line in head.split(b"\r\n"):
        found, _, value = line.partition(b":")
        if found.lower() == name:
            return value.strip()
    return None


async def serve(delay_s: float, *, tells: bool) -> None:
    """Print the port, then serve until killed."""
    Stub.delay_s, Stub.tells = delay_s, tells
    server = await asyncio.get_running_loop().create_server(Stub, "127.0.0.1", 0, backlog=256)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(float(sys.argv[1]), tells="tell" in sys.argv))
