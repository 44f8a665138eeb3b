"""dictConfig, structlog, loguru, asyncio: as their users write it."""

from __future__ import annotations

import asyncio
import logging
import logging.config
import threading
import time
from typing import Any

import pytest
from nodes import SingleNode, free_port
from stub import serving

from insighthub import Client, InsightHubHandler, InsightHubProcessor, InsightHubSink, bound


def by_message(node: SingleNode, service: str) -> dict[str, dict[str, Any]]:
    return {record["message"]: record for record in node.records(service)}


def configuration(url: str, service: str) -> dict[str, Any]:
    handler = {"class": "insighthub.InsightHubHandler", "url": url, "service": service, "handle_signals": False}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "handlers": {"insighthub": {**handler, "level": "INFO", "discover": False, "flush_secs": 2.0}},
        "loggers": {"configured": {"handlers": ["insighthub"], "level": "DEBUG", "propagate": False}},
    }


def test_dict_config_may_be_called_again_and_nothing_is_lost(node: SingleNode, service: str) -> None:
    log = logging.getLogger("configured")
    for turn in range(3):
        logging.config.dictConfig(configuration(node.url, service))
        log.debug("below the handler's level")
        log.info("turn %d", turn)
    for handler in list(log.handlers):
        log.removeHandler(handler)
        handler.close()
    deadline = time.monotonic() + 10
    while len(by_message(node, service)) < 3 and time.monotonic() < deadline:
        time.sleep(0.02)  # Those that were replaced are closed in the background.
    assert set(by_message(node, service)) == {"turn 0", "turn 1", "turn 2"}


def test_dict_config_does_not_wait_for_a_server_that_is_gone() -> None:
    log = logging.getLogger("configured")
    url = f"http://127.0.0.1:{free_port()}"
    logging.config.dictConfig(configuration(url, "x"))
    log.info("goes nowhere")
    start = time.monotonic()
    logging.config.dictConfig(configuration(url, "x"))
    assert time.monotonic() - start < 1.0, "the lock of logging is held meanwhile"
    for handler in list(log.handlers):
        log.removeHandler(handler)
        handler.close()


def test_a_formatter_makes_the_message_and_a_client_can_be_shared(node: SingleNode, service: str) -> None:
    with Client(node.url, service=service, handle_signals=False) as client:
        log = logging.Logger(service)
        for prefix in ("first", "second"):
            handler = InsightHubHandler(client=client)
            handler.setFormatter(logging.Formatter(prefix + " %(levelname)s %(message)s"))
            log.addHandler(handler)
        log.warning("careful")
        for handler in list(log.handlers):
            handler.close()
        client.info("the client is still there")
    assert {"first WARNING careful", "second WARNING careful", "the client is still there"} == set(
        by_message(node, service)
    )


def test_structlog_sends_events_with_their_fields(node: SingleNode, service: str) -> None:
    structlog = pytest.importorskip("structlog")
    rendered: list[Any] = []
    with Client(node.url, service=service, handle_signals=False) as client:

        def last(logger: Any, name: str, event: Any) -> str:
            rendered.append(dict(event))
            raise structlog.DropEvent

        log = structlog.wrap_logger(
            None,
            processors=[
                structlog.contextvars.merge_contextvars,
                structlog.processors.add_log_level,
                structlog.processors.TimeStamper(fmt="iso"),
                InsightHubProcessor(client),
                last,
            ],
            wrapper_class=structlog.BoundLogger,
        )
        structlog.contextvars.bind_contextvars(request="r-1")
        log.bind(user="u").warning("bound", order=7)
        try:
            raise KeyError("k")
        except KeyError:
            log.error("failed", exc_info=True)
        structlog.contextvars.clear_contextvars()
    records = by_message(node, service)
    bound_record = records["bound"]
    assert (bound_record["level"], bound_record["user"], bound_record["request"]) == ("WARN", "u", "r-1")
    assert bound_record["order"] == 7
    assert records["failed"]["exception.type"] == "KeyError"
    assert [event["event"] for event in rendered] == ["bound", "failed"], "events go on to what follows"


def test_loguru_sends_records_with_extra_and_exceptions(node: SingleNode, service: str) -> None:
    loguru = pytest.importorskip("loguru")
    with Client(node.url, service=service, handle_signals=False) as client:
        number = loguru.logger.add(InsightHubSink(client), level="DEBUG")
        loguru.logger.bind(order=7).success("paid {} euro", 5)
        try:
            raise KeyError("k")
        except KeyError:
            loguru.logger.exception("failed")
        loguru.logger.critical("the worst")
        loguru.logger.remove(number)
    records = by_message(node, service)
    assert (records["paid 5 euro"]["level"], records["paid 5 euro"]["order"]) == ("INFO", 7)
    assert records["failed"]["exception.type"] == "KeyError"
    assert records["the worst"]["level"] == "FATAL"


def test_asyncio_tasks_have_fields_of_their_own_and_the_loop_goes_on(node: SingleNode, service: str) -> None:
    client = Client(node.url, service=service, handle_signals=False)

    async def request(number: int) -> None:
        with bound(request=number):
            await asyncio.sleep(0.001)
            client.info(f"task {number}")

    async def main() -> float:
        await asyncio.gather(*(request(number) for number in range(50)))
        longest, last = 0.0, time.monotonic()
        flushing = asyncio.ensure_future(client.aflush())
        while not flushing.done():
            await asyncio.sleep(0.001)
            longest, last = max(longest, time.monotonic() - last), time.monotonic()
        assert flushing.result() is True
        return longest

    assert asyncio.run(main()) < 0.5
    records = by_message(node, service)
    assert {name: record["request"] for name, record in records.items()} == {f"task {n}": n for n in range(50)}
    client.close()


def test_the_sdk_does_not_log() -> None:
    """Nothing it does comes back to it through the root logger."""
    seen: list[logging.LogRecord] = []

    class Seen(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            seen.append(record)

    root, handler = logging.getLogger(), Seen(logging.DEBUG)
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        with serving() as stub:
            urls = [f"http://127.0.0.1:{free_port()}", stub.url]
            with Client(urls, service="x", handle_signals=False, on_trouble=lambda message: None) as client:
                client.info("one")
                client.flush()
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
    assert seen == []


def test_an_exception_in_a_thread_is_recorded_once_and_told_as_before(node: SingleNode, service: str) -> None:
    told: list[str] = []
    before, threading.excepthook = threading.excepthook, lambda args: told.append(str(args.exc_value))
    from insighthub import lifecycle

    previous = lifecycle._previous_thread_hook
    try:
        lifecycle._previous_thread_hook = threading.excepthook
        threading.excepthook = lifecycle._on_uncaught_in_thread
        with Client(node.url, service=service, handle_signals=False):

            def fail() -> None:
                raise RuntimeError("in a thread")

            thread = threading.Thread(target=fail, name="worker-7")
            thread.start()
            thread.join()
    finally:
        threading.excepthook, lifecycle._previous_thread_hook = before, previous
    (record,) = node.records(service)
    assert record["message"] == "uncaught RuntimeError in thread worker-7"
    assert told == ["in a thread"]
