"""Real nodes: one alone, or three of a cluster. Started, killed, restarted on the same port and data."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections import Counter
from pathlib import Path
from types import TracebackType
from typing import Any, Callable, Optional

_next_port = 20_000 + os.getpid() * 131 % 11_000


def free_port() -> int:
    """Below those the system gives to outgoing connections, so that it stays free while a node is down."""
    global _next_port
    while True:
        _next_port += 1
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", _next_port))
                return _next_port
            except OSError:
                continue


def wait_until(what: str, condition: Callable[[], bool], secs: float = 30.0) -> None:
    until = time.monotonic() + secs
    while not condition():
        assert time.monotonic() < until, f"not within {secs} s: {what}"
        time.sleep(0.02)


class Node:
    def __init__(self, command: list[str], home: Path, port: int, environment: Optional[dict[str, str]] = None) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self.url = f"http://127.0.0.1:{port}"
        self._command = command
        self._output = home / "output.log"
        self._environment = {**os.environ, **(environment or {})}
        self._process: Optional[subprocess.Popen[bytes]] = None

    def start(self) -> None:
        with self._output.open("ab") as output:
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=self._environment
            )

    def is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(self.url + "/readyz", timeout=2) as answer:
                return answer.status == 200
        except OSError:
            return False

    def wait_until_ready(self) -> None:
        wait_until(f"{self.url} is ready: {self._output.read_text()[-2000:]}", self.is_ready, 60)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def restart(self) -> None:
        self.start()
        self.wait_until_ready()

    def output(self) -> str:
        return self._output.read_text()


class Reader:
    """Asks a node what it has."""

    url: str

    def get(self, path: str, **parameters: str) -> Any:
        query = urllib.parse.urlencode(parameters)
        with urllib.request.urlopen(f"{self.url}{path}?{query}", timeout=30) as answer:
            return json.load(answer)

    def records(self, service: str, **parameters: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        cursor: dict[str, str] = {}
        while True:
            page = self.get("/api/logs", service=service, limit="10000", **parameters, **cursor)
            assert page["coverage"]["complete"], page["coverage"]
            found.extend(page["records"])
            if not page["next_cursor"]:
                return found
            cursor = {"cursor": page["next_cursor"]}

    def numbers(self, service: str) -> Counter[int]:
        """How often each `n` was found."""
        return Counter(record["n"] for record in self.records(service) if "n" in record)


class SingleNode(Node, Reader):
    def __init__(self, binary: str, home: Path, environment: Optional[dict[str, str]] = None) -> None:
        self.port = free_port()
        command = [binary, "serve", "--dev", "--http", f"127.0.0.1:{self.port}", "--data", str(home / "data")]
        super().__init__(command, home, self.port, environment)

    def __enter__(self) -> SingleNode:
        self.restart()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def post_as_admin(self, path: str, content: dict[str, Any]) -> Any:
        password = self.output().split("password ")[1].split()[0]
        manager = urllib.request.HTTPPasswordMgrWithDefaultRealm()
        manager.add_password(None, self.url, "admin", password)
        import base64

        basic = base64.b64encode(f"admin:{password}".encode()).decode()
        request = urllib.request.Request(
            self.url + path,
            json.dumps(content).encode(),
            {"Content-Type": "application/json", "Authorization": f"Basic {basic}"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)


class Cluster(Reader):
    """Three nodes that keep three copies."""

    def __init__(self, binary: str, home: Path) -> None:
        home.mkdir(parents=True)
        ports = {name: [free_port() for _ in range(3)] for name in ("n1", "n2", "n3")}
        secret = "0123456789abcdef0123456789abcdef"
        text = f'[cluster]\nname = "sdk"\npartitions = 4\nprofile = "development"\nreplicas = 3\nsecret = "{secret}"\n'
        for name, (http, peer, control) in ports.items():
            text += f'\n[[node]]\nname = "{name}"\nhttp = "127.0.0.1:{http}"\n'
            text += f'peer = "127.0.0.1:{peer}"\ncontrol = "127.0.0.1:{control}"\n'
        config = home / "cluster.toml"
        config.write_text(text)
        # Times that a debug build on a small machine keeps while it is under load.
        patient = {"INSIGHTHUB_RAFT__HEARTBEAT_MS": "200", "INSIGHTHUB_RAFT__LEASE_MS": "800"}
        self.nodes = [
            Node(
                [binary, "serve", "--config", str(config), "--node", name, "--data", str(home / name / "data")],
                home / name,
                http,
                patient,
            )
            for name, (http, _, _) in ports.items()
        ]
        self.url = self.nodes[0].url
        self.urls = [node.url for node in self.nodes]

    def __enter__(self) -> Cluster:
        for node in self.nodes:
            node.start()
        for node in self.nodes:
            node.wait_until_ready()
        return self

    def __exit__(
        self, kind: Optional[type[BaseException]], value: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        for node in self.nodes:
            node.kill()
