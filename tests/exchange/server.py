"""A service on loopback that speaks LibreTranslate's HTTP API, well or badly."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LANGUAGES = [
    {"code": "sv", "name": "Swedish", "targets": ["ar", "en", "fa", "zh", "sv"]},
    {"code": "en", "name": "English", "targets": ["sv"]},
]


@dataclass
class Service:
    url: str = ""
    asked: list[dict] = field(default_factory=list)
    """Every POST to /translate, as it came."""
    paths: list[str] = field(default_factory=list)
    languages: object = field(default_factory=lambda: LANGUAGES)
    translate: Callable[[str], str] = str.upper
    answer: Callable[[dict], object] | None = None
    """What the answer holds, when it is not one translation for each text."""
    status: int = 200
    raw: bytes | None = None
    location: str = ""
    released: threading.Event = field(default_factory=threading.Event)
    is_silent: bool = False
    drips: bool = False


class _Handler(BaseHTTPRequestHandler):
    @property
    def service(self) -> Service:
        return self.server.service

    def do_GET(self) -> None:
        self.service.paths.append(self.path)
        self._send(self.service.languages)

    def do_POST(self) -> None:
        service = self.service
        service.paths.append(self.path)
        question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        service.asked.append(question)
        if service.is_silent:
            service.released.wait(30)
            return
        if service.answer:
            self._send(service.answer(question))
        else:
            self._send({"translatedText": [service.translate(text) for text in question["q"]]})

    def _send(self, content: object) -> None:
        is_translation = self.path.endswith("/translate")
        status = self.service.status if is_translation else 200
        body = json.dumps(content if status == 200 else {"error": "No."}).encode()
        if is_translation and self.service.raw is not None:
            body = self.service.raw
        self.send_response(status)
        if status in {301, 302, 307}:
            self.send_header("Location", self.service.location)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if is_translation and self.service.drips:
            self._drip(body)
        else:
            self.wfile.write(body)

    def _drip(self, body: bytes) -> None:
        """Byte by byte, each soon enough to keep the connection alive."""
        try:
            for byte in body:
                self.wfile.write(bytes([byte]))
                if self.service.released.wait(0.05):
                    return
        except OSError:
            pass  # the other side has hung up, as it should

    def log_message(self, *_args: object) -> None:
        pass


@contextmanager
def running() -> Iterator[Service]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    server.service = Service(url=f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server.service
    finally:
        server.service.released.set()
        server.shutdown()
        server.server_close()
        thread.join()
