"""A provider that answers every POST after a fixed time and costs next to nothing; its own process."""

from __future__ import annotations

import asyncio
import sys

ANSWER = b"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\n{}"


class Stub(asyncio.Protocol):
    """Keep-alive HTTP/1.1 with Content-Length, no pipelining: all a pooled client sends."""

    delay_s = 0.05

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
        if separator and len(body) >= _length(head):
            self.buffer = b""
            asyncio.get_running_loop().call_later(self.delay_s, self.answer)

    def answer(self) -> None:
        """Send the fixed answer unless the client has gone."""
        if not self.transport.is_closing():
            self.transport.write(ANSWER)


def _length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    return 0


async def serve(delay_s: float) -> None:
    """Print the port, then serve until killed."""
    Stub.delay_s = delay_s
    server = await asyncio.get_running_loop().create_server(Stub, "127.0.0.1", 0, backlog=256)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(float(sys.argv[1])))
