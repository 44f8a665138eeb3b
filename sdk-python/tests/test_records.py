"""Whatever an application logs, there is a record and the server takes it."""

from __future__ import annotations

import datetime
import decimal
import json
import logging
import uuid
from collections import OrderedDict
from typing import Any

import pytest
from nodes import SingleNode

from insighthub import Client, InsightHubHandler, bind, bound, clear, reset, unbind
from insighthub.record import RecordEncoder


class Hostile:
    def __str__(self) -> str:
        raise RuntimeError("no text")

    __repr__ = __str__


class HostileMapping(OrderedDict):  # type: ignore[type-arg]
    def items(self) -> Any:
        raise RuntimeError("no items")


def circle() -> dict[str, Any]:
    ring: dict[str, Any] = {}
    ring["self"] = ring
    return ring


def deep() -> Any:
    nested: Any = 1
    for _ in range(10_000):
        nested = [nested]
    return nested


HOSTILE: dict[str, dict[Any, Any]] = {
    "not a number": {"a": float("nan"), "b": float("inf"), "c": -float("inf")},
    "huge integers": {"a": 1 << 63, "b": -(1 << 63), "c": 10**400, "d": 1 << 20_000},
    "circle": {"a": circle()},
    "deep": {"a": deep()},
    "objects": {"a": Hostile(), "b": object(), "c": uuid.uuid4(), "d": decimal.Decimal("1.5")},
    "a mapping that fails": {"a": HostileMapping(x=1)},
    "times": {"a": datetime.datetime.now(), "b": datetime.timedelta(1)},
    "bytes": {"a": b"\xff\xfe", "b": bytearray(b"x")},
    "sets": {"a": {1, 2}, "b": frozenset("x")},
    "surrogates": {"a": "\ud800", "\udfff": "b"},
    "control characters": {"a": "\x00\x1b[31m\n\r\t\u2028", "b\x00": 1},
    "names that are none": {1: 1, None: 2, (1, 2): 3, "": 4},
    "a long name": {"x" * 5_000: 1},
    "many fields": {f"f{number}": number for number in range(2_000)},
    "reserved names": {
        "level": 7,
        "message": {"a": 1},
        "timestamp": "yesterday",
        "service": 5,
        "log_id": 1,
        "is_anomaly": "x",
    },
    "no latency": {"latency_ms": "soon"},
    "a negative latency": {"latency_ms": -1},
    "an infinite latency": {"latency_ms": float("inf")},
    "aliases": {"severity": "LOUD", "time": 0.35, "ts": "x", "msg": 5, "lvl": [], "@timestamp": {}},
    "metadata of its own": {"env": "mine", "host": 5, "pid": "none"},
    "a large value": {"a": "x" * 2_000_000},
    "many large values": {f"f{number}": "x" * 50_000 for number in range(50)},
    "booleans": {"a": True, "b": False, "c": None},
}


def test_every_hostile_record_is_stored(node: SingleNode, service: str) -> None:
    with Client(node.url, service=service, env="test", handle_signals=False) as client:
        for name, fields in HOSTILE.items():
            client.emit("INFO", name, fields)
        for message in ("", "x" * 2_000_000, "\ud800", "\x00", 5, None, Hostile(), b"\xff"):
            client.emit("INFO", message, {"kind": "message"})
        for level in ("LOUD", "", 17, -3, 1e9, "critical", "Warning"):
            client.emit(level, "level", {"kind": "level"})
        assert client.flush(20)
        stats = client.stats()
    sent = len(HOSTILE) + 8 + 7
    assert (stats.emitted, stats.stored, stats.rejected, stats.internal_errors) == (sent, sent, 0, 0), stats
    records = {record["message"]: record for record in node.records(service)}
    assert len(node.records(service)) == sent
    assert records["metadata of its own"]["env"] == "mine"
    assert records["reserved names"]["field.level"] == 7
    assert records["huge integers"]["a"] == str(1 << 63)
    assert records["huge integers"]["b"] == -(1 << 63)
    assert records["a large value"]["truncated"] is True
    assert records["no latency"]["field.latency_ms"] == "soon"


def test_numbers_times_and_text_arrive_as_they_were(node: SingleNode, service: str) -> None:
    with Client(node.url, service=service, handle_signals=False) as client:
        client.emit("WARN", "größer, 日本 🎉", {"whole": 7, "half": 0.5, "latency_ms": 12.25}, timestamp=1796000000.123456)
    (record,) = node.records(service)
    assert record["message"] == "größer, 日本 🎉"
    assert (record["whole"], record["half"], record["latency_ms"], record["level"]) == (7, 0.5, 12.25, "WARN")
    assert record["timestamp"].startswith("2026-11-30T")
    assert record["timestamp"].endswith(".123456000Z")


def test_logging_gives_everything_it_knows(node: SingleNode, service: str) -> None:
    handler = InsightHubHandler(node.url, service=service, handle_signals=False)
    log = logging.getLogger(service)
    log.setLevel(logging.DEBUG)
    log.addHandler(handler)
    log.propagate = False
    try:
        1 / 0  # noqa: B018
    except ZeroDivisionError:
        log.exception("it failed", extra={"order": 7})
    log.info("%s is %d", "five", 5)
    log.info("%d does not fit", "text")
    log.critical("the worst")
    log.removeHandler(handler)
    handler.close()
    records = {record["message"]: record for record in node.records(service)}
    failed = records["it failed"]
    assert (failed["level"], failed["order"], failed["logger"]) == ("ERROR", 7, service)
    assert failed["exception.type"] == "ZeroDivisionError"
    assert "1 / 0" in failed["exception.stacktrace"]
    assert failed["source"].startswith("test_records.py:")
    assert "five is 5" in records
    assert "%d does not fit ('text',)" in records, "arguments that do not fit are kept"
    assert records["the worst"]["level"] == "FATAL"


def test_bound_fields_belong_to_their_context(node: SingleNode, service: str) -> None:
    with Client(node.url, service=service, handle_signals=False) as client:
        token = bind(request="r1")
        with bound(user="u1"):
            client.info("both", user="own")
            client.info("bound")
        client.info("one")
        unbind("request")
        client.info("none")
        reset(token)
        clear()
    fields = {record["message"]: (record.get("request"), record.get("user")) for record in node.records(service)}
    assert fields == {"both": ("r1", "own"), "bound": ("r1", "u1"), "one": ("r1", None), "none": (None, None)}


@pytest.mark.parametrize("fields", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_line_is_json_within_the_bound_and_names_come_once(fields: dict[Any, Any]) -> None:
    encoder = RecordEncoder({"service": "s", "env": "e", "host": "h", "pid": 1}, 64 * 1024)
    line = encoder.encode(1, "INFO", "m", fields)

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        assert len({name for name, _ in pairs}) == len(pairs), "a name comes twice"
        return dict(pairs)

    record = json.loads(line, object_pairs_hook=once, parse_constant=pytest.fail)
    assert b"\n" not in line
    assert len(line) <= 64 * 1024
    assert record["service"] == "s"
