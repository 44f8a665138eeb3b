"""Memory is bounded, nobody waits who did not ask to, and the counters close."""

from __future__ import annotations

import gc
import itertools
import json
import os
import signal
import threading
import time
from pathlib import Path
from typing import Any, Optional

import pytest
from nodes import SingleNode, free_port, wait_until
from stub import Reply, Request, error, serving, stored

from insighthub import Client, Stats
from insighthub.memory_queue import OVERHEAD_BYTES, MemoryQueue

QUEUE_BYTES = 256 * 1024


def client(url: Any, **options: Any) -> Client:
    options.setdefault("queue_bytes", QUEUE_BYTES)
    options.setdefault("record_bytes_max", 16 * 1024)
    options.setdefault("discover", False)
    options.setdefault("on_trouble", lambda message: None)
    return Client(url, service="queue", handle_signals=False, **options)


def closed_books(stats: Stats) -> bool:
    return stats.emitted + stats.adopted == stats.stored + stats.rejected + stats.dropped + stats.waiting


def nowhere() -> str:
    return f"http://127.0.0.1:{free_port()}"


@pytest.mark.parametrize("when_full", ["drop_oldest", "drop_newest"])
def test_a_full_queue_drops_and_counts_and_says_so_later(when_full: str) -> None:
    is_open = threading.Event()
    with serving(lambda request: stored(request) if is_open.is_set() else error(503)) as stub:
        with client(stub.url, when_full=when_full, batch_records=100) as sent:
            for number in range(5_000):
                sent.info("x" * 100, n=number)
            before = sent.stats()
            store = sent._store
            assert isinstance(store, MemoryQueue)
            assert store._held() <= QUEUE_BYTES
            assert before.dropped_by == {"queue_full": before.dropped}
            assert before.dropped > 1_000
            assert closed_books(before)
            is_open.set()
            assert sent.flush(10)
            wait_until("the report is stored", lambda: sent.stats().reports == 1 and sent.stats().waiting == 0)
            stats = sent.stats()
            assert closed_books(stats)
            arrived = set(stub.numbers())
            first, last = arrived.intersection(range(500)), arrived.intersection(range(4_500, 5_000))
            if when_full == "drop_oldest":  # But for the batch that is being sent, which may be any of them.
                assert len(first) <= 100
                assert len(last) == 500
            else:
                assert len(first) == 500
                assert not last
            report = next(r for request in stub.requests for r in request.records if "sdk_report" in r)
            assert (report["sdk_report"], report["level"], report["dropped"]) == ("dropped", "WARN", stats.dropped)
            assert report["dropped_by"] == {"queue_full": stats.dropped}


def test_block_waits_for_room_and_loses_nothing() -> None:
    def slow(request: Request) -> Reply:
        time.sleep(0.01)
        return stored(request)

    with serving(slow) as stub, client(stub.url, when_full="block", batch_records=200) as sent:
        for number in range(5_000):
            sent.info("x" * 100, n=number)
        assert sent.flush(20)
        assert sorted(stub.numbers()) == list(range(5_000))
        assert sent.stats().dropped == 0


def test_block_gives_up_after_the_time_allowed() -> None:
    with client(nowhere(), when_full="block", block_secs=0.1) as sent:
        line = b"x" * 8_000
        while sent.stats().waiting * (len(line) + OVERHEAD_BYTES) < QUEUE_BYTES - 10_000:
            sent.put(line)
        start = time.monotonic()
        sent.put(line)
        sent.put(line)
        assert 0.19 < time.monotonic() - start < 2
        assert sent.stats().dropped == 2
        sent.close(0)


@pytest.mark.parametrize("with_spool", [False, True])
def test_threads_that_log_at_once_lose_nothing(node: SingleNode, service: str, tmp_path: Path, with_spool: bool) -> None:
    spool = tmp_path if with_spool else None
    with Client(node.url, service=service, spool_dir=spool, handle_signals=False) as sent:

        def work(part: int) -> None:
            for number in range(part * 1_000, part * 1_000 + 1_000):
                sent.info("from a thread", n=number)

        threads = [threading.Thread(target=work, args=(part,)) for part in range(8)]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            assert closed_books(sent.stats())
        assert sent.flush(20)
        stats = sent.stats()
        assert (stats.emitted, stats.stored, stats.waiting, stats.internal_errors) == (8_000, 8_000, 0, 0)
    found = node.numbers(service)
    assert len(found) == 8_000
    assert set(found.values()) == {1}


@pytest.mark.parametrize("with_spool", [False, True])
def test_a_record_from_a_signal_handler_or_finaliser_inside_another_is_kept(
    node: SingleNode, service: str, tmp_path: Path, with_spool: bool
) -> None:
    spool = tmp_path if with_spool else None
    with Client(node.url, service=service, spool_dir=spool, handle_signals=False) as sent:
        numbers = itertools.count(1_000_000)  # One step, so that a handler within a handler has a number of its own.

        def log(*_: object) -> None:
            sent.info("from a handler", n=next(numbers))

        class Logs:
            def __init__(self) -> None:
                self.me = self  # Only the collector finds it, in the middle of anything.

            def __del__(self) -> None:
                log()

        before = signal.signal(signal.SIGALRM, log)
        threshold = gc.get_threshold()
        gc.set_threshold(50)
        signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
        try:
            for number in range(6_000):
                sent.info("from the program", n=number)
                if number % 10 == 0:
                    Logs()
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
            gc.set_threshold(*threshold)
        gc.collect()
        assert sent.flush(20)
        stats, last = sent.stats(), next(numbers)
        assert stats.emitted == stats.stored == 6_000 + last - 1_000_000, (stats, last)
    found = node.numbers(service)
    assert set(found) == set(range(6_000)) | set(range(1_000_000, last))
    assert set(found.values()) == {1}


@pytest.mark.parametrize("with_spool", [False, True])
def test_emit_is_quick_while_no_node_answers(tmp_path: Path, with_spool: bool) -> None:
    """In processor time of the thread too: this machine may run something else for a while."""
    with client(nowhere(), spool_dir=tmp_path if with_spool else None, spool_bytes=1 << 20) as sent:
        sent.info("the first starts threads")
        times = []
        for number in range(20_000):
            start = time.thread_time_ns()
            sent.info("x" * 200, n=number)
            times.append(time.thread_time_ns() - start)
        times.sort()
        p99_ms = times[len(times) * 99 // 100] / 1e6
        assert p99_ms < 1.0, p99_ms
        assert closed_books(sent.stats())
        sent.close(0)


def test_nothing_after_close_is_counted_as_sent() -> None:
    with serving() as stub:
        sent = client(stub.url)
        sent.info("x", n=1)
        sent.close()
        sent.info("late", n=2)
        stats = sent.stats()
        assert stats.dropped_by == {"closed": 1}
        assert closed_books(stats)
        assert stub.numbers() == [1]


def test_a_thread_that_stumbles_goes_on() -> None:
    with serving() as stub, client(stub.url) as sent:
        whole = sent._sender._transport.send
        calls = [0]

        def stumble(*arguments: Any) -> Any:
            calls[0] += 1
            if calls[0] == 1:
                raise MemoryError
            return whole(*arguments)

        sent._sender._transport.send = stumble  # type: ignore[method-assign]
        sent.info("x", n=1)
        assert sent.flush(5)
        assert stub.numbers() == [1]
        assert sent.stats().internal_errors == 1


def test_settings_that_make_no_sense_are_refused_with_what_is_allowed() -> None:
    for options, named in (
        ({"queue_bytes": 10}, "queue_bytes is 10"),
        ({"when_full": "panic"}, "drop_oldest, drop_newest, block"),
        ({"spool_fsync": "always"}, "never, interval, batch"),
        ({"linger_secs": -1}, "linger_secs"),
        ({"batch_records": True}, "batch_records"),
        ({"token": "a", "token_file": "b"}, "give one"),
        ({"record_bytes_max": 1 << 20, "queue_bytes": 1 << 20}, "half of queue_bytes"),
    ):
        with pytest.raises(ValueError, match=named):
            Client("http://localhost:1", service="x", **options)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="no node"):
        Client(" , ", service="x")


def test_a_forked_child_has_an_identity_and_a_queue_of_its_own() -> None:
    with serving() as stub, client(stub.url) as sent:
        sent.info("parent, before", n=1)
        pid: Optional[int] = os.fork()
        if pid == 0:
            sent.info("child", n=2)
            os._exit(0 if sent.flush() and sent.stats().emitted == 1 else 1)
        assert pid is not None
        assert os.waitpid(pid, 0)[1] == 0
        sent.info("parent, after", n=3)
        assert sent.flush()
        assert sorted(stub.numbers()) == [1, 2, 3]
        by_number = {record["n"]: record for request in stub.requests for record in request.records}
        assert by_number[1]["pid"] == by_number[3]["pid"] == os.getpid() != by_number[2]["pid"]
        producers = {
            json.dumps(record["n"]): request.identity[0] for request in stub.requests for record in request.records
        }
        assert producers["1"] == producers["3"] != producers["2"]
