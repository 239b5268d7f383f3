"""A real IMAP server (pymap) in a thread of its own, with one empty mailbox of one user."""

import argparse
import asyncio
import imaplib
import socket
import ssl
import threading
from contextlib import AsyncExitStack
from urllib.parse import quote

from proxyprotocol.noop import ProxyProtocolNoop
from proxyprotocol.reader import ProxyProtocolReader
from pymap.backend.dict import DictBackend
from pymap.imap import IMAPServer
from pysasl.hashing import BuiltinHash

USER, PASSWORD = "bounces@example.org", 'gurka "läser": tidning/%'


class Server:
    def __init__(self, certificate):
        cert, key = certificate
        self.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.context.load_cert_chain(cert, key)
        self.arguments = argparse.Namespace(
            demo_data=False, demo_user=USER, demo_password=PASSWORD, cert=str(cert), key=str(key), tls=True,
            host=None, port=0, debug=False, proxy_protocol=None, inherited_sockets=None, passlib_cfg=None,
        )  # fmt: skip
        self.listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
        self.ports = [listener.getsockname()[1] for listener in self.listeners]
        user = f"{quote(USER)}:{quote(PASSWORD, safe='')}"
        self.imaps, self.imap_tls = (
            f"{scheme}://{user}@127.0.0.1:{port}/INBOX?timeout=5"
            for scheme, port in zip(("imaps", "imap+tls"), self.ports, strict=True)
        )
        self.loop = asyncio.new_event_loop()
        self.is_ready = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()
        assert self.is_ready.wait(10)

    def put(self, content, *, flags="", at=None):
        """As a mail server would, beside us."""
        with self.client() as client:
            assert client.append("INBOX", flags, at or imaplib.Time2Internaldate(0), content)[0] == "OK"

    def flags(self):
        """Of all messages, in their order."""
        with self.client() as client:
            client.select("INBOX", readonly=True)
            _, lines = client.fetch("1:*", "(FLAGS)")
            return [imaplib.ParseFlags(line) for line in lines if line]

    def client(self):
        client = imaplib.IMAP4_SSL("127.0.0.1", self.ports[0], ssl_context=ssl._create_unverified_context())
        client.authenticate("PLAIN", lambda _: f"\0{USER}\0{PASSWORD}".encode())
        return client

    def close(self):
        self.loop.call_soon_threadsafe(self.stop.set)
        self.thread.join(10)
        assert not self.thread.is_alive()

    def _run(self):
        asyncio.set_event_loop(self.loop)
        self.loop.run_until_complete(self._serve())
        self.loop.close()

    async def _serve(self):
        self.stop = asyncio.Event()
        backend, config = await DictBackend.init(self.arguments, hash_context=BuiltinHash(rounds=1))
        config.apply_context()
        async with AsyncExitStack() as stack:
            await backend.start(stack)
            answer = ProxyProtocolReader(ProxyProtocolNoop()).get_callback(IMAPServer(backend.login, config))
            for listener, context in zip(self.listeners, (self.context, None), strict=True):
                server = await asyncio.start_server(answer, sock=listener, ssl=context)
                stack.callback(server.close)
            self.is_ready.set()
            await self.stop.wait()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
