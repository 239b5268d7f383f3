"""A service that speaks OpenAI's API for embeddings, on this machine, and remembers what it was given."""

import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

# What the service takes for one and the same, as a model would.
SAME = {"bröd": "bread", "الخبز": "bread", "barn": "child", "أطفال": "child", "pris": "price", "سعر": "price"}


def vector(text, size):
    """A direction for each word, and one that all texts have in common."""
    numbers = [0.5] * size
    for word in text.removeprefix("query: ").lower().split():
        digest = hashlib.sha256(SAME.get(word, word).encode()).digest()
        for place, byte in enumerate(digest):
            numbers[(place * 97 + digest[0] * 5) % size] += (byte - 127) / 100
    return numbers


class Service:
    def __init__(self):
        self.given = []
        self.keys = []
        self.size = 384
        self.status = 200
        self.body = None

    @property
    def texts(self):
        """What it was given, but for the calibration."""
        return [text for texts in self.given if len(texts) < 20 for text in texts]


@pytest.fixture
def service(settings):
    told = Service()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            told.given.append(asked["input"])
            told.keys.append(self.headers["Authorization"])
            rows = [{"index": place, "embedding": vector(text, told.size)} for place, text in enumerate(asked["input"])]
            body = told.body if told.body is not None else json.dumps({"data": rows[::-1]}).encode()
            self.send_response(told.status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    settings.EMBEDDING_URL = f"http://127.0.0.1:{server.server_address[1]}/v1"
    settings.EMBEDDING_KEY = "a key"
    settings.EMBEDDING_MODEL = "one"
    yield told
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def without_meaning(settings):
    settings.MATCH_MEANING = False
