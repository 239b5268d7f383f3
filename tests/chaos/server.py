"""A mail server that keeps all that it takes in a Maildir before it says so: `python server.py MAILDIR PORT`.

It is the one that nobody kills. It thinks for a moment now and then, so that faults find somebody waiting for it, and
gives up a silent sender, as real ones do.
"""

import asyncio
import os
import random
import sys
import time
from pathlib import Path

from aiosmtpd.smtp import SMTP

from tests.chaos.apps import SERVER_PATIENCE


class Keeper:
    def __init__(self, maildir: Path) -> None:
        self.maildir = maildir
        self.count = 0

    async def handle_RCPT(self, _server, _session, envelope, address, _options) -> str:  # noqa: N802
        await think()
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server, _session, envelope) -> str:  # noqa: N802
        await think()
        self.keep(envelope.content)
        await think()
        return "250 2.0.0 Ok: kept"

    def keep(self, content: bytes) -> None:
        self.count += 1
        name = f"{time.time_ns()}.{self.count}.chaos"
        with (self.maildir / "tmp" / name).open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        (self.maildir / "tmp" / name).rename(self.maildir / "new" / name)


async def think() -> None:
    if random.random() < 0.5:
        await asyncio.sleep(random.uniform(0, 0.2))


async def serve(maildir: Path, port: int) -> None:
    for name in ("tmp", "new", "cur"):
        (maildir / name).mkdir(parents=True, exist_ok=True)
    keeper = Keeper(maildir)
    loop = asyncio.get_running_loop()
    await loop.create_server(
        lambda: SMTP(keeper, hostname="chaos.test", timeout=SERVER_PATIENCE, loop=loop), "127.0.0.1", port
    )
    while True:  # the mail of others, by which a reader sees how far the journal has come
        keeper.keep(f"Message-ID: <other-{time.time_ns()}@chaos.test>\r\n\r\n".encode())
        await asyncio.sleep(0.5)


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), int(sys.argv[2])))
