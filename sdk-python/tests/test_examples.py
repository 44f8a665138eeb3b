"""The examples run: the plain one and the ASGI middleware always, those of frameworks in an environment of their own."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from nodes import SingleNode, free_port, wait_until

import insighthub

EXAMPLES = Path(__file__).parent.parent / "examples"


def test_the_plain_example_delivers(node: SingleNode, service: str) -> None:
    environment = {**os.environ, "INSIGHTHUB_NODES": node.url}
    subprocess.run([sys.executable, str(EXAMPLES / "plain.py")], env=environment, check=True, timeout=30)
    records = {record["message"]: record for record in node.records("plain")}
    assert records["order paid"]["latency_ms"] == 12.5
    assert records["order paid"]["request_id"] == "r-1"
    assert records["order failed"]["exception.type"] == "KeyError"


def test_the_asgi_middleware_binds_and_times_a_request(
    node: SingleNode, service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INSIGHTHUB_NODES", node.url)
    monkeypatch.syspath_prepend(str(EXAMPLES))
    import fastapi_app

    async def inner(scope: Any, receive: Any, send: Any) -> None:
        logging.getLogger("shop").info("inside")
        await send({"type": "http.response.start", "status": 204, "headers": []})

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "path": "/x", "method": "GET", "headers": [(b"x-request-id", b"r-7")]}
    try:
        asyncio.run(fastapi_app.RequestLogs(inner)(scope, None, send))
    finally:
        logging.getLogger().removeHandler(fastapi_app.handler)
        fastapi_app.handler.close()
    records = {record["message"]: record for record in node.records("fastapi-shop")}
    assert records["inside"]["request_id"] == records["request"]["request_id"] == "r-7"
    assert records["request"]["status"] == 204
    assert records["request"]["latency_ms"] >= 0
    assert sent[0]["headers"] == [(b"x-request-id", b"r-7")]


@pytest.fixture(scope="session")
def frameworks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bin folder of an environment with the frameworks and this package."""
    home = tmp_path_factory.mktemp("frameworks")
    subprocess.run([sys.executable, "-m", "venv", str(home)], check=True)
    source = Path(insighthub.__file__).parent.parent
    install = [str(home / "bin" / "python"), "-m", "pip", "install", "--quiet"]
    subprocess.run([*install, "-r", str(EXAMPLES / "requirements.txt")], check=True)
    if (source.parent / "pyproject.toml").exists():
        subprocess.run([*install, str(source.parent)], check=True)
    else:  # Installed from a wheel: its files are put in the path as they are.
        (home / "lib").joinpath(f"python3.{sys.version_info[1]}", "site-packages", "sdk.pth").write_text(str(source))
    return home / "bin"


@contextmanager
def running(command: list[str], url: str, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command, cwd=EXAMPLES, env={**os.environ, "INSIGHTHUB_NODES": url, **environment})
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


def ask(port: int, path: str) -> int:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        return refused.code


def is_up(port: int) -> bool:
    try:
        return ask(port, "/orders/1000") == 200
    except OSError:
        return False


@pytest.mark.slow
@pytest.mark.parametrize("server", ["wsgiref", "gunicorn", "gunicorn-preload", "gunicorn-threads"])
def test_django(node: SingleNode, frameworks: Path, server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    port = free_port()
    options = {"gunicorn": [], "gunicorn-preload": ["--preload"], "gunicorn-threads": ["--threads", "4"]}
    gunicorn = [str(frameworks / "gunicorn"), "-w", "3", "-b", f"127.0.0.1:{port}", "django_app:application"]
    plain = [str(frameworks / "python"), "django_app.py", str(port)]
    before = Counter(record["log_id"] for record in node.records("django-shop"))
    with running(plain if server == "wsgiref" else [*gunicorn, *options[server]], node.url) as process:
        wait_until("Django is up", lambda: is_up(port))
        assert [ask(port, f"/orders/{number}") for number in range(100)] == [200] * 100
        assert ask(port, "/fail") == 500
        process.send_signal(signal.SIGTERM)
        process.wait(30)
    records = [record for record in node.records("django-shop") if record["log_id"] not in before]
    found = Counter(record["order"] for record in records if record["message"] == "order paid")
    del found[1000]
    assert found == Counter(range(100)), "every one once, though the workers were stopped right after"
    requests = {record["request_id"] for record in records if record["message"] == "request"}
    assert {record["request_id"] for record in records if record["message"] == "order paid"} <= requests
    failed = [record for record in records if "exception.type" in record]
    assert failed
    assert failed[0]["exception.message"] == "this view fails"


@pytest.mark.slow
def test_fastapi(node: SingleNode, frameworks: Path) -> None:
    port = free_port()
    with running([str(frameworks / "uvicorn"), "fastapi_app:app", "--port", str(port)], node.url) as process:
        wait_until("FastAPI is up", lambda: is_up(port))
        assert [ask(port, f"/orders/{number}") for number in range(50)] == [200] * 50
        assert [ask(port, f"/in-thread/{number}") for number in range(50, 100)] == [200] * 50
        assert ask(port, "/fail") == 500
        process.send_signal(signal.SIGTERM)
        process.wait(30)
    records = [record for record in node.records("fastapi-shop") if record.get("path") != "/x"]
    found = Counter(record["order"] for record in records if record["message"].startswith("order"))
    del found[1000]
    assert found == Counter(range(100))
    requests = {record["request_id"] for record in records if record["message"] == "request"}
    assert {record["request_id"] for record in records if record["message"].startswith("order")} <= requests
    failed = [record for record in records if record["message"] == "request failed"]
    assert failed[0]["exception.message"] == "this route fails"


@pytest.mark.slow
def test_celery(node: SingleNode, frameworks: Path, tmp_path: Path) -> None:
    environment = {"CELERY_FOLDER": str(tmp_path / "broker")}
    worker = [str(frameworks / "celery"), "-A", "celery_app", "worker", "-c", "3", "--without-gossip", "--without-mingle"]

    def paid() -> Counter[int]:
        return Counter(record["order"] for record in node.records("celery-shop") if record["message"] == "order paid")

    with running(worker, node.url, **environment) as process:
        sender = [str(frameworks / "python"), "celery_app.py", "100"]
        with running(sender, node.url, **environment) as sending:
            assert sending.wait(60) == 0
        broker = tmp_path / "broker"
        wait_until("the tasks are taken", lambda: not list(broker.glob("*.msg")), 60)
        time.sleep(0.5)  # Taken is not run yet.
        process.send_signal(signal.SIGTERM)
        process.wait(60)
    assert paid() == Counter(range(100))
    tasks = {record["task_id"] for record in node.records("celery-shop") if record["message"] == "order paid"}
    assert len(tasks) == 100
