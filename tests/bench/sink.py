"""A mail server that takes everything and keeps nothing, in few steps, so that it is not what is measured:
`python -m tests.bench.sink PORT`."""

import asyncio
import sys


class Sink(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.waiting, self.is_data = b"", False
        transport.write(b"220 sink.test\r\n")

    def data_received(self, data: bytes) -> None:
        self.waiting += data
        while True:
            end = b"\r\n.\r\n" if self.is_data else b"\r\n"
            text, found, rest = self.waiting.partition(end)
            if not found:
                return
            self.waiting = rest
            self.answer(text[:4].upper())

    def answer(self, command: bytes) -> None:
        is_data = not self.is_data and command == b"DATA"
        self.transport.write(b"354 go ahead\r\n" if is_data else b"250 2.0.0 Ok\r\n")
        self.is_data = is_data
        if command == b"QUIT":
            self.transport.close()


async def serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Sink, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
