"""One request to one node, and what its answer means. Connections are kept; TLS is verified."""

from __future__ import annotations

import email.utils
import http.client
import json
import ssl
import time
import zlib
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Optional, Union

from .batch import Batch
from .identity import SDK
from .nodes import Address
from .secret import Secret

#: Smaller bodies are not worth the time.
GZIP_BYTES_MIN = 1024
#: Level 1 halves what level 6 costs and sends a tenth more.
_GZIP_LEVEL = 1
#: An answer lists at most a hundred refused records; what is longer is no answer of a node.
_ANSWER_BYTES_MAX = 4 * 1024 * 1024
#: The batch is at fault, or its size: parts of it may do.
_SPLIT = frozenset([400, 413, 415, 422])
_SEQUENCE_TOO_OLD = 409
#: The configuration is at fault: it may be put right while records wait.
_CONFIGURATION = frozenset([404, 405, 407, 421])


class Verdict(Enum):
    #: All is settled: stored, but for what is listed as refused.
    SETTLED = "settled"
    #: This node cannot now; the same batch, to any node.
    RETRY = "retry"
    #: The cluster takes no more for a while.
    THROTTLED = "throttled"
    #: The request was refused as a whole: in parts.
    SPLIT = "split"
    #: Refused for good.
    REFUSED = "refused"


@dataclass(frozen=True)
class Rejection:
    """A record the server refused and keeps as a dead letter."""

    position: int
    reason: str
    field: Optional[str]


@dataclass(frozen=True)
class Answer:
    verdict: Verdict
    reason: str = ""
    rejected: int = 0
    rejections: list[Rejection] = field(default_factory=list)
    retry_after_secs: Optional[float] = None
    is_duplicate: bool = False
    #: Whether the node may be well and only the connection was stale.
    is_stale_connection: bool = False
    #: What the node says of the nodes of its cluster: addresses, with commas between them.
    nodes: Optional[str] = None


def encode_body(batch: Batch) -> tuple[bytes, bool]:
    """The body of a batch and whether it is compressed; made once, so that every retry is the same."""
    if batch.encoded is None:
        body = b"\n".join(batch.lines) + b"\n"
        if len(body) > GZIP_BYTES_MIN:
            packer = zlib.compressobj(_GZIP_LEVEL, zlib.DEFLATED, 31)
            batch.encoded = (packer.compress(body) + packer.flush(), True)
        else:
            batch.encoded = (body, False)
    return batch.encoded


class Transport:
    """Connections to nodes. Used by the sender's thread alone."""

    def __init__(self, token: Optional[Secret], ca: Optional[str], connect_secs: float, answer_secs: float) -> None:
        self._token = token
        self._ca = ca
        self._connect_secs = connect_secs
        self._answer_secs = answer_secs
        self._tls: Optional[ssl.SSLContext] = None
        self._connections: dict[Address, http.client.HTTPConnection] = {}

    def send(self, address: Address, batch: Batch) -> Answer:
        """Never raises: whatever goes wrong is an answer."""
        body, is_gzip = encode_body(batch)
        headers = {
            "Content-Type": "application/x-ndjson",
            "X-InsightHub-Producer": batch.producer,
            "X-InsightHub-Sequence": str(batch.sequence),
        }
        if is_gzip:
            headers["Content-Encoding"] = "gzip"
        got = self._request(address, "POST", "/api/logs", body, headers)
        if isinstance(got, Answer):
            return got
        return replace(_read_answer(len(batch.lines), *got), nodes=got[1].get("X-InsightHub-Nodes"))

    def get_json(self, address: Address, path: str) -> tuple[int, object]:
        """The status and the JSON of an answer; status 0 where there was none."""
        got = self._request(address, "GET", path, None, {})
        if isinstance(got, Answer):
            return 0, None
        status, _, body = got
        try:
            return status, json.loads(body)
        except ValueError:
            return status, None

    def close(self) -> None:
        for connection in self._connections.values():
            connection.close()
        self._connections.clear()

    def _request(
        self, address: Address, method: str, path: str, body: Optional[bytes], headers: dict[str, str]
    ) -> Union[Answer, tuple[int, http.client.HTTPMessage, bytes]]:
        was_kept = address in self._connections
        try:
            connection = self._connections.get(address) or self._connect(address)
            connection.request(method, address.path + path, body, {**headers, **self._common_headers()})
            response = connection.getresponse()
            answer = response.read(_ANSWER_BYTES_MAX)
            if response.will_close or not response.isclosed():
                self._drop(address)
            return response.status, response.headers, answer
        except Exception as error:  # noqa: BLE001 - of sockets, TLS, HTTP, or of the application that gives the token
            self._drop(address)
            is_stale = was_kept and isinstance(error, (http.client.RemoteDisconnected, ConnectionError))
            return Answer(Verdict.RETRY, _describe(error), is_stale_connection=is_stale)

    def _connect(self, address: Address) -> http.client.HTTPConnection:
        connection: http.client.HTTPConnection
        if address.scheme == "https":
            if self._tls is None:
                self._tls = ssl.create_default_context(cafile=self._ca)
            connection = http.client.HTTPSConnection(
                address.host, address.port, timeout=self._connect_secs, context=self._tls
            )
        else:
            connection = http.client.HTTPConnection(address.host, address.port, timeout=self._connect_secs)
        connection.connect()
        connection.sock.settimeout(self._answer_secs)
        self._connections[address] = connection
        return connection

    def _drop(self, address: Address) -> None:
        connection = self._connections.pop(address, None)
        if connection is not None:
            connection.close()

    def _common_headers(self) -> dict[str, str]:
        headers = {"User-Agent": SDK, "Accept": "application/json"}
        if self._token is not None:
            headers["Authorization"] = "Bearer " + self._token.reveal()
        return headers


def _describe(error: Exception) -> str:
    """What went wrong, without any text that could hold a header or a body."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the server's certificate is not trusted: {error.verify_message}"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, OSError) and error.strerror:
        return f"{type(error).__name__}: {error.strerror}"
    return type(error).__name__


def _read_answer(sent: int, status: int, headers: http.client.HTTPMessage, body: bytes) -> Answer:
    try:
        content = json.loads(body)
    except ValueError:
        content = None
    content = content if isinstance(content, dict) else {}
    if status == 200 and content.get("status") in ("queued", "partial"):
        return _settled(sent, content)
    error = content.get("error")
    error = error if isinstance(error, dict) else {}
    if status == 400 and error.get("code") == "record_rejected":
        return _settled(sent, content)
    reason = f"HTTP {status}: {error.get('message') or 'the answer does not say why'}"
    retry_after = _retry_after(headers.get("Retry-After"))
    # A service's own limit holds in the whole cluster, and so does a token that is refused.
    if error.get("code") == "rate_limited" or status in (401, 403):
        return Answer(Verdict.THROTTLED, reason, retry_after_secs=retry_after)
    if status in _SPLIT and error.get("code") != "bad_parameter":
        return Answer(Verdict.SPLIT, reason)
    if status == _SEQUENCE_TOO_OLD:
        return Answer(Verdict.REFUSED, reason)
    if status < 400 or status in (408, 429) or status >= 500 or status in _CONFIGURATION:
        return Answer(Verdict.RETRY, reason, retry_after_secs=retry_after)
    return Answer(Verdict.REFUSED, reason)


def _settled(sent: int, content: dict[str, object]) -> Answer:
    rejected = content.get("rejected", 0)
    listed = content.get("rejections")
    rejections = [
        Rejection(int(entry.get("position", 0)), str(entry.get("reason", "")), entry.get("field"))
        for entry in (listed if isinstance(listed, list) else [])
        if isinstance(entry, dict)
    ]
    return Answer(
        Verdict.SETTLED,
        rejected=min(rejected, sent) if isinstance(rejected, int) else 0,
        rejections=rejections,
        is_duplicate=content.get("duplicate") is True,
    )


def _retry_after(value: Optional[str]) -> Optional[float]:
    """Seconds, or the seconds until an HTTP date."""
    if not value:
        return None
    try:
        return max(float(value), 0.0) if value.strip().isdigit() else _secs_until(value)
    except (TypeError, ValueError, OverflowError):
        return None


def _secs_until(date: str) -> float:
    return max(email.utils.parsedate_to_datetime(date).timestamp() - time.time(), 0.0)
