"""The local SMTP sink: whatever is sent to it becomes an .eml file, and goes nowhere else."""

import asyncio
import itertools
import os
import socket
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from portal.local.place import CHECKOUT, Place
from portal.local.processes import Child, Ledger, spawn

if TYPE_CHECKING:
    from aiosmtpd.smtp import SMTP, Envelope, Session


def start(place: Place, ledger: Ledger) -> tuple[Child, dict[str, str]]:
    # Bound here and handed down, so the port is known, and mail waits in its queue, before the sink is up.
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        child = spawn(
            "mailbox",
            [sys.executable, "-m", "portal.local.mailbox", str(listener.fileno()), str(place.mailbox)],
            log=place.logs / "mailbox.log",
            env=dict(os.environ),
            cwd=CHECKOUT,
            pass_fds=[listener.fileno()],
        )
    ledger.add(child)
    return child, {"EMAIL_URL": f"smtp://127.0.0.1:{port}", "MAILBOX_DIR": str(place.mailbox)}


class Mailbox:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.numbers = itertools.count()

    async def handle_DATA(self, server: "SMTP", session: "Session", envelope: "Envelope") -> str:  # noqa: N802
        """The envelope goes on top: who really gets a message does not have to stand in its headers."""
        name = f"{time.time_ns():020}-{next(self.numbers)}"
        unfinished = self.folder / f".{name}"
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(f"X-Envelope-From: {envelope.mail_from}\r\n".encode())
            file.write(f"X-Envelope-To: {', '.join(envelope.rcpt_tos)}\r\n".encode())
            content = envelope.content or b""
            file.write(content.encode() if isinstance(content, str) else content)
        unfinished.rename(self.folder / f"{name}.eml")
        return "250 kept"


async def serve(listener: socket.socket, folder: Path) -> None:
    from aiosmtpd.smtp import SMTP  # noqa: PLC0415 - only the `local` extra has it

    mailbox = Mailbox(folder)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(mailbox, enable_SMTPUTF8=True), sock=listener)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(socket.socket(fileno=int(sys.argv[1])), Path(sys.argv[2])))
