"""Files that survive: torn ends, crashes between two writes, several processes, bounds."""

from __future__ import annotations

import json
import os
import shutil
import time
import zlib
from pathlib import Path

import pytest
from nodes import SingleNode, free_port, wait_until
from stub import Reply, Request, error, serving, stored

from insighthub import Client
from insighthub.batch import BatchLimits
from insighthub.spool import adopt
from insighthub.spool.keeper import bytes_of_segments
from insighthub.spool.segment import HEADER_BYTES, Segment
from insighthub.spool.state_file import Part, State, StateFile

LIMITS = BatchLimits(10, 1 << 20)
MIB = 1 << 20


def client(url: str, spool: Path, **options: object) -> Client:
    options.setdefault("linger_secs", 0.02)
    options.setdefault("on_trouble", lambda message: None)
    return Client(url, service="spool", spool_dir=spool, handle_signals=False, discover=False, **options)  # type: ignore[arg-type]


def nowhere() -> str:
    return f"http://127.0.0.1:{free_port()}"


def left_behind(spool: Path, records: int) -> None:
    """What a process leaves that could send nothing."""
    sent = client(nowhere(), spool)
    for number in range(records):
        sent.info("left", n=number)
    sent.close(0.2)
    assert sent.stats().waiting == records


def test_a_torn_frame_ends_a_segment_and_what_is_whole_is_kept(tmp_path: Path) -> None:
    for cut in range(1, 40):
        path = tmp_path / f"s-{cut}"
        segment = Segment.create(path, 1, 4096)
        for number in range(3):
            assert segment.append(b"record %d" % number)
        ends = segment.end
        segment.unmap()
        torn = bytearray(path.read_bytes())
        torn[ends - cut] ^= 0xFF
        path.write_bytes(torn)
        found = Segment.found(path, 1)
        loaded = found.load(0)
        whole = 2 if cut <= 16 else 1 if cut <= 32 else 0
        assert loaded == (0, whole), cut
        assert found.read(HEADER_BYTES, LIMITS)[0] == [b"record %d" % number for number in range(whole)]


def test_a_file_that_is_no_segment_holds_nothing(tmp_path: Path) -> None:
    for content in (b"", b"short", os.urandom(5_000)):
        path = tmp_path / "x"
        path.write_bytes(content)
        assert Segment.found(path, 1).load(0) == (0, 0)


def test_the_state_before_is_read_where_the_newest_was_torn(tmp_path: Path) -> None:
    file = StateFile.create(tmp_path, "py-a")
    first = State("py-a", 7, 2, 100, [Part(6, 64, 100, 3)])
    second = State("py-a", 8, 2, 200, [Part(7, 100, 200, 4)])
    file.write(first)
    file.write(second)
    file.close()
    taken = StateFile.take_over(file.path)
    assert taken is not None
    assert taken[1] == second
    taken[0].close()
    whole = file.path.read_bytes()
    for slot in (0, 4096):
        torn = bytearray(whole)
        torn[slot + 30] ^= 0xFF
        file.path.write_bytes(torn)
        taken = StateFile.take_over(file.path)
        assert taken is not None
        assert taken[1] in (first, second)
        taken[0].close()
    file.path.write_bytes(os.urandom(8192))
    taken = StateFile.take_over(file.path)
    assert taken is not None
    assert taken[1] is None, "nobody knows: the spool is sent under another name"
    taken[0].close()


def test_only_one_process_takes_a_spool_over_and_none_while_its_owner_lives(tmp_path: Path) -> None:
    left_behind(tmp_path, 5)
    first = adopt(tmp_path, LIMITS, lambda records: None)
    assert len(first) == 1
    assert adopt(tmp_path, LIMITS, lambda records: None) == []
    first[0].close()
    owner = client(nowhere(), tmp_path)  # Its threads begin with its first record, and would take it over themselves.
    again = adopt(tmp_path, LIMITS, lambda records: None)
    assert len(again) == 1, "the one that was given back, and not the owner's"
    again[0].close()
    owner.close(0)


def test_a_replay_keeps_the_identities_that_were_used(tmp_path: Path) -> None:
    """The first process is cut off after the server stored a batch and before it heard of it."""
    with serving(lambda request: Reply(breaks=True)) as deaf:
        first = client(deaf.url, tmp_path)
        for number in range(5):
            first.info("x", n=number)
        first.flush(0.3)
        first.info("x", n=5)
        first.close(0.2)
        heard = deaf.requests[0]
    with serving() as stub:
        second = client(stub.url, tmp_path)
        second.info("own")
        wait_until("all is replayed", lambda: second.stats().stored == 7)
        assert second.stats().adopted == 6
        assert second.stats().waiting == 0
        second.close()
        replayed = next(request for request in stub.requests if request.identity == heard.identity)
        assert replayed.body == heard.body, "the same batch, not the same records in another"
    assert list(tmp_path.iterdir()) == []


def test_a_split_batch_keeps_its_halves_over_a_crash(tmp_path: Path) -> None:
    def picky(request: Request) -> Reply:
        if len(request.records) > 4:
            return error(413)
        return stored(request) if request.records[0]["n"] == 0 else error(503)

    with serving(picky) as stub:
        first = client(stub.url, tmp_path, linger_secs=0.2)
        for number in range(16):
            first.info("x", n=number)
        first.flush(0.6)
        first.close(0.1)
        assert first.stats().stored == 4
    with serving() as stub:
        with client(stub.url, tmp_path) as second:
            second.info("own")
            wait_until("all is replayed", lambda: second.stats().stored == 13)
        assert sorted(stub.numbers()) == list(range(4, 16))


def test_the_directory_is_bounded_and_the_oldest_goes(tmp_path: Path) -> None:
    with client(nowhere(), tmp_path, spool_bytes=2 * MIB, record_bytes_max=8192, queue_bytes=MIB) as sent:
        for number in range(20_000):
            sent.info("x" * 300, n=number)
            if number % 500 == 0:
                time.sleep(0.02)  # So that the keeper keeps up; what does not fit waits in memory otherwise.
                assert bytes_of_segments(tmp_path) <= 2 * MIB
        stats = sent.stats()
        assert stats.dropped > 5_000
        assert stats.dropped_by.get("spool_full", 0) > 1_000
        assert sent._store.waiting() == stats.waiting, "what is counted as waiting is there"
        sent.close(0)


def test_without_dropping_a_full_spool_keeps_the_oldest(tmp_path: Path) -> None:
    options = {"spool_bytes": MIB, "record_bytes_max": 8192, "queue_bytes": 128 * 1024, "when_full": "drop_newest"}
    sent = client(nowhere(), tmp_path, **options)
    for number in range(10_000):
        sent.info("x" * 300, n=number)
        if number % 100 == 0:
            time.sleep(0.005)
    stats = sent.stats()
    assert stats.dropped_by == {"queue_full": stats.dropped}
    assert sent._store.waiting() == stats.waiting
    sent.close(0.1)
    with serving() as stub:
        with client(stub.url, tmp_path) as second:
            second.info("own")
            wait_until("all is replayed", lambda: len(stub.numbers()) > 1_000 and second.stats().waiting == 0)
        numbers = sorted(stub.numbers())
        assert numbers == list(range(len(numbers)))


def test_a_directory_that_cannot_be_written_is_told_and_records_wait_in_memory(tmp_path: Path) -> None:
    told: list[str] = []
    in_the_way = tmp_path / "file"
    in_the_way.write_text("not a directory")
    with serving() as stub, client(stub.url, in_the_way / "spool", on_trouble=told.append) as sent:
        sent.info("x", n=1)
        assert sent.flush()
        assert stub.numbers() == [1]
        assert any("spool cannot be written" in message for message in told)


def test_files_are_for_their_owner_alone(tmp_path: Path) -> None:
    spool = tmp_path / "spool"
    sent = client(nowhere(), spool)
    sent.info("x")
    assert spool.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in spool.iterdir()} == {0o600}
    sent.close(0)


@pytest.mark.parametrize("fsync", ["never", "interval", "batch"])
def test_every_way_to_sync_delivers(node: SingleNode, service: str, tmp_path: Path, fsync: str) -> None:
    with Client(node.url, service=service, spool_dir=tmp_path, spool_fsync=fsync, handle_signals=False) as sent:
        for number in range(3_000):
            sent.info("x" * 500, n=number)
    assert sorted(node.numbers(service)) == list(range(3_000))
    assert list(tmp_path.iterdir()) == []


def test_a_living_process_sends_what_a_dead_neighbour_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("insighthub.sender._ADOPT_SECS", 0.2)
    with serving() as stub, client(stub.url, tmp_path) as alive:
        alive.info("own")
        alive.flush()
        left_behind(tmp_path, 50)
        wait_until("the neighbour's are sent", lambda: sorted(stub.numbers()) == list(range(50)), 10)
        assert alive.stats().adopted == 50


def test_a_spool_that_was_taken_over_and_not_begun_is_given_back_whole(tmp_path: Path) -> None:
    """As when a process ends before it came to what it found."""
    sent = client(nowhere(), tmp_path / "spool", linger_secs=30.0)
    for number in range(25):
        sent.info("x", n=number)
    # What a kill would leave: no batch was cut yet. A copy of a file has no lock.
    shutil.copytree(tmp_path / "spool", tmp_path / "copy")
    sent.close(0)
    for _ in range(2):
        (orphan,) = adopt(tmp_path / "copy", LIMITS, lambda records: None)
        orphan.close()
    (orphan,) = adopt(tmp_path / "copy", LIMITS, lambda records: None)
    numbers = []
    while (batch := orphan.next_batch()) is not None:
        numbers.extend(json.loads(line)["n"] for line in batch.lines)
        orphan.settle(batch)
    orphan.close()
    assert numbers == list(range(25))
    assert list((tmp_path / "copy").iterdir()) == []


def test_halves_have_their_identities_on_disk_before_they_are_sent(tmp_path: Path) -> None:
    seen: list[tuple[int, list[int]]] = []

    def look(request: Request) -> Reply:
        if len(request.records) > 8:
            return error(413)
        (path,) = (tmp_path / "spool").glob("*.state")
        copy = tmp_path / f"{len(seen)}.state"
        shutil.copyfile(path, copy)
        taken = StateFile.take_over(copy)
        assert taken is not None
        assert taken[1] is not None
        seen.append((request.identity[1], [part.sequence for part in taken[1].parts]))
        taken[0].close()
        return stored(request)

    with serving(look) as stub, client(stub.url, tmp_path / "spool", linger_secs=0.2) as sent:
        for number in range(16):
            sent.info("x", n=number)
        assert sent.flush()
    assert [(sequence, sequence in written) for sequence, written in seen] == [(2, True), (3, True)], seen


def test_a_record_in_the_middle_of_another_overwrites_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a signal handler would, at the worst moment: the place is chosen, the record not yet there."""
    with serving() as stub, client(stub.url, tmp_path) as sent:
        inner = iter(range(100, 110))

        def crc_and_log(line: bytes) -> int:
            number = next(inner, None)
            if number is not None:
                sent.info("inside", n=number)
            return zlib.crc32(line)

        monkeypatch.setattr("insighthub.spool.segment.crc32", crc_and_log)
        for number in range(20):
            sent.info("outside", n=number)
        assert sent.flush()
        assert sorted(stub.numbers()) == [*range(20), *range(100, 110)]
        assert sent.stats().emitted == 30
