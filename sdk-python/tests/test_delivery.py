"""What a client does with the answers it gets: retry, wait, fail over, split, give up."""

from __future__ import annotations

import subprocess
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from nodes import free_port, wait_until
from stub import Reply, Request, error, serving, stored

from insighthub import Client, DeadLetter


def client(url: Any, **options: Any) -> Client:
    options.setdefault("linger_secs", 0.02)
    options.setdefault("discover", False)
    options.setdefault("on_trouble", lambda message: None)
    return Client(url, service="delivery", handle_signals=False, **options)


def closes(sent: Client) -> None:
    stats = sent.stats()
    assert stats.emitted + stats.adopted == stats.stored + stats.rejected + stats.dropped + stats.waiting, stats
    assert stats.internal_errors == 0, stats


def test_a_batch_is_json_lines_with_metadata_and_an_identity() -> None:
    with serving() as stub, client(stub.url, env="test", region="eu", fields={"team": "a"}) as sent:
        sent.info("hello", n=1)
        assert sent.flush()
        (request,) = stub.requests
        assert request.headers["content-type"] == "application/x-ndjson"
        assert request.identity[1] == 1
        record = request.records[0]
        assert {"message": "hello", "level": "INFO", "service": "delivery", "n": 1}.items() <= record.items()
        assert {"env": "test", "region": "eu", "team": "a"}.items() <= record.items()
        assert {"instance_id", "host", "pid", "sdk", "timestamp"} <= record.keys()


def test_small_batches_are_plain_and_larger_ones_gzip() -> None:
    with serving() as stub, client(stub.url) as sent:
        sent.info("small")
        sent.flush()
        for _ in range(50):
            sent.info("larger")
        sent.flush()
        assert [request.headers.get("content-encoding") for request in stub.requests] == [None, "gzip"]


@pytest.mark.parametrize(
    "reply",
    [error(408), error(429, "busy"), error(500), error(502), error(503), error(504), Reply(breaks=True)],
    ids=lambda reply: str(reply.status) if not reply.breaks else "broken",
)
def test_what_may_pass_is_sent_again_under_the_same_identity(reply: Reply) -> None:
    def twice(request: Request) -> Reply:
        return reply if len(stub.requests) <= 2 else stored(request)

    with serving(twice) as stub, client(stub.url) as sent:
        sent.info("again", n=1)
        assert sent.flush(10)
        assert len({request.identity for request in stub.requests}) == 1
        assert len({request.body for request in stub.requests}) == 1, "a retry is the same to the byte"
        assert sent.stats().stored == 1
        closes(sent)


def test_retry_after_is_kept_to() -> None:
    times: list[float] = []

    def once(request: Request) -> Reply:
        times.append(time.monotonic())
        return error(429, "rate_limited", Retry_After="1") if len(times) == 1 else stored(request)

    with serving(once) as stub, client([stub.url, f"http://127.0.0.1:{free_port()}"]) as sent:
        sent.info("later", n=1)
        wait_until("it is stored", lambda: sent.stats().stored == 1, 15)
        assert 1.0 <= times[1] - times[0] < 2.0, times


def test_another_node_takes_what_one_cannot() -> None:
    with serving(lambda request: error(503)) as bad, serving() as good:
        with client([bad.url, good.url, f"http://127.0.0.1:{free_port()}"]) as sent:
            for number in range(30):
                sent.info("over", n=number)
                assert sent.flush(5)
            assert sorted(good.numbers()) == list(range(30))
            assert len(bad.requests) <= 3, "a node that failed is left alone"
            closes(sent)


@pytest.mark.parametrize("status", [400, 413])
def test_a_refused_batch_is_split_until_only_the_bad_record_is_left(status: int) -> None:
    letters: list[DeadLetter] = []

    def picky(request: Request) -> Reply:
        return error(status) if any(record["n"] == 37 for record in request.records) else stored(request)

    with serving(picky) as stub, client(stub.url, on_dead_letter=letters.append) as sent:
        for number in range(100):
            sent.info("one of many", n=number)
        assert sent.flush(10)
        stats = sent.stats()
        assert (stats.stored, stats.rejected) == (99, 1)
        assert [letter.is_kept_by_server for letter in letters] == [False]
        assert '"n":37' in letters[0].line
        assert str(status) in letters[0].reason
        accepted = [r for r in stub.requests if all(record["n"] != 37 for record in r.records)]
        assert sorted(record["n"] for r in accepted for record in r.records) == [n for n in range(100) if n != 37]
        assert len({request.identity for request in stub.requests}) == len(stub.requests), "each half is a new batch"
        closes(sent)


def test_records_the_server_refuses_alone_are_told_with_reason_and_field() -> None:
    letters: list[DeadLetter] = []

    def partial(request: Request) -> Reply:
        refused = {"position": 1, "line": 2, "field": "latency_ms", "reason": "must be a number"}
        return Reply(200, {"status": "partial", "accepted": 2, "rejected": 1, "rejections": [refused]})

    with serving(partial) as stub, client(stub.url, on_dead_letter=letters.append) as sent:
        for number in range(3):
            sent.info("x", n=number)
        sent.flush()
        assert (sent.stats().stored, sent.stats().rejected) == (2, 1)
        assert [(letter.field, letter.is_kept_by_server, '"n":1' in letter.line) for letter in letters] == [
            ("latency_ms", True, True)
        ]
        assert len(stub.requests) == 1
        closes(sent)


def test_a_callback_that_fails_or_logs_does_no_harm() -> None:
    def callback(letter: DeadLetter) -> None:
        sent.error("a record was refused")  # It would be refused as well, for ever.
        raise RuntimeError("the application's own mistake")

    with serving(lambda request: error(400)) as stub, client(stub.url, on_dead_letter=callback) as sent:
        sent.info("x")
        assert sent.flush()
        assert (sent.stats().emitted, sent.stats().rejected, len(stub.requests)) == (1, 1, 1)
        closes(sent)


def test_an_answer_that_is_not_a_nodes_is_none() -> None:
    with serving(lambda request: Reply(200, "<html>Please sign in</html>")) as portal, serving() as good:
        with client([portal.url, good.url]) as sent:
            for number in range(5):
                sent.info("x", n=number)
                assert sent.flush(5)
            assert sent.stats().stored == 5
            assert sorted(good.numbers()) == list(range(5))


def test_a_refused_token_keeps_records_until_it_is_a_good_one(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("ihs_old\n")

    def check(request: Request) -> Reply:
        is_good = request.headers["authorization"] == "Bearer ihs_new"
        return stored(request) if is_good else error(401, "unauthorized")

    with serving(check) as stub, client(stub.url, token_file=str(token)) as sent:
        sent.info("wait for me", n=1)
        assert not sent.flush(0.3)
        assert sent.stats().waiting == 1
        token.write_text("ihs_new\n")
        assert sent.flush(5)
        assert stub.requests[-1].records[0]["n"] == 1


def test_the_token_shows_nowhere(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    told: list[str] = []
    with serving(lambda request: error(401, "unauthorized")) as stub:
        sent = client(stub.url, token="ihs_s3cr3t", on_trouble=told.append, on_dead_letter=lambda letter: None)
        sent.info("x")
        sent.flush(0.3)
        everything = [repr(sent), str(vars(sent)), repr(sent._settings), str(sent.stats()), *told]
        assert "ihs_s3cr3t" not in "".join(everything)
        assert told, "that a token is refused is told"
        sent.close(0)
    for bad in ("ihs_s3cr3t\nX-Other: 1", "ihs_s3cr3t ", "ihs_s3cr3té"):
        with pytest.raises(ValueError, match="token") as refused:
            client("http://localhost:1", token=bad)
        assert "s3cr3t" not in str(refused.value)
    with pytest.raises(ValueError, match="password") as refused:
        client("http://user:s3cr3t@localhost:1")
    assert "s3cr3t" not in str(refused.value)
    output = capsys.readouterr()
    assert "s3cr3t" not in output.out + output.err


def test_a_stale_connection_is_no_failure_of_the_node() -> None:
    with serving() as stub, client(stub.url) as sent:
        sent.info("x", n=1)
        sent.flush()
        stub.server.RequestHandlerClass.timeout = 0.1  # type: ignore[attr-defined]
        sent.info("x", n=2)
        sent.flush()
        time.sleep(0.4)  # The server closes the idle connection.
        sent.info("x", n=3)
        assert sent.flush(2)
        assert stub.numbers() == [1, 2, 3]
        assert sent.stats().retries == 0


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    home = tmp_path_factory.mktemp("tls")
    command = "openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 2 -subj /CN=localhost"
    subprocess.run([*command.split(), "-addext", "subjectAltName=DNS:localhost"], cwd=home, check=True, capture_output=True)
    return home / "cert.pem", home / "key.pem"


def test_tls_is_verified(certificate: tuple[Path, Path]) -> None:
    with serving(tls=certificate) as stub:
        with client(stub.url, ca=str(certificate[0])) as sent:
            sent.info("trusted", n=1)
            assert sent.flush()
        stranger = client(stub.url)
        stranger.info("not trusted", n=2)
        assert not stranger.flush(0.5)
        assert "not trusted" in (stranger.stats().last_error or "")
        stranger.close(0)
        elsewhere = client(stub.url.replace("localhost", "127.0.0.1"), ca=str(certificate[0]))
        elsewhere.info("another name", n=3)
        assert not elsewhere.flush(0.5)
        elsewhere.close(0)
        assert stub.numbers() == [1]


def test_who_may_only_write_learns_the_members_from_the_receipt() -> None:
    with serving() as first, serving() as second:
        listed = ", ".join(url.removeprefix("http://") for url in (first.url, second.url)) + ",0.0.0.0:1,x:y@evil:1,"
        first.answer = lambda request: replace(stored(request), headers={"X-InsightHub-Nodes": listed})
        with client(first.url, discover=True) as sent:
            sent.info("to the one that is known", n=1)
            assert sent.flush()
            assert len(sent._sender._nodes.addresses()) == 2
            first.answer = lambda request: error(503)
            sent.info("to the one that was learned", n=2)
            assert sent.flush(5)
            assert second.numbers() == [2]


def test_members_of_the_cluster_are_learned_and_used() -> None:
    with serving() as first, serving() as second:
        listed = [{"http": url.removeprefix("http://"), "state": "active"} for url in (first.url, second.url)]
        first.members = Reply(200, {"nodes": [*listed, {"http": "0.0.0.0:1"}, {"http": 7}, "x"]})
        with client(first.url, discover=True) as sent:
            sent.info("to the one that is known", n=1)
            assert sent.flush()
            wait_until("the other is known", lambda: len(sent._sender._nodes.addresses()) == 2)
            first.answer = lambda request: error(503)
            sent.info("to the one that was learned", n=2)
            assert sent.flush(5)
            assert second.numbers() == [2]
