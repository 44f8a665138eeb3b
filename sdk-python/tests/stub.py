"""A server that answers as it is told, and keeps what it got: for what a healthy node does not do."""

from __future__ import annotations

import gzip
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Callable, Optional


@dataclass
class Request:
    headers: dict[str, str]
    records: list[dict[str, Any]]
    body: bytes

    @property
    def identity(self) -> tuple[str, int]:
        return self.headers["x-insighthub-producer"], int(self.headers["x-insighthub-sequence"])


@dataclass
class Reply:
    status: int = 200
    content: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    #: The connection breaks without an answer.
    breaks: bool = False


def stored(request: Request) -> Reply:
    return Reply(200, {"status": "queued", "accepted": len(request.records), "rejected": 0})


def error(status: int, code: str = "invalid", **headers: str) -> Reply:
    return Reply(status, {"error": {"code": code, "message": f"the stub says {code}"}}, headers)


class Stub:
    def __init__(self, answer: Callable[[Request], Reply]) -> None:
        self.answer = answer
        self.requests: list[Request] = []
        self.members: Reply = error(401)
        stub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                plain = gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body
                headers = {name.lower(): value for name, value in self.headers.items()}
                request = Request(headers, [json.loads(line) for line in plain.splitlines()], plain)
                stub.requests.append(request)
                self.reply(stub.answer(request))

            def do_GET(self) -> None:
                self.reply(stub.members)

            def reply(self, reply: Reply) -> None:
                if reply.breaks:
                    self.close_connection = True
                    return
                body = json.dumps(reply.content).encode()
                self.send_response(reply.status)
                for name, value in {**reply.headers, "Content-Length": str(len(body))}.items():
                    self.send_header(name.replace("_", "-"), value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def numbers(self) -> list[int]:
        return [record["n"] for request in self.requests for record in request.records if "n" in record]


@contextmanager
def serving(answer: Callable[[Request], Reply] = stored, tls: Optional[tuple[Path, Path]] = None) -> Iterator[Stub]:
    stub = Stub(answer)
    if tls is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*tls)
        stub.server.socket = context.wrap_socket(stub.server.socket, server_side=True)
        stub.url = f"https://localhost:{stub.server.server_port}"
    thread = threading.Thread(target=stub.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield stub
    finally:
        stub.server.shutdown()
        stub.server.server_close()
