"""100 records, then the process ends: 100 of 100 are found on the server, and none twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Optional

import pytest
from nodes import SingleNode, free_port

PROGRAM = Path(__file__).parent / "programs" / "end.py"
ALL = Counter(range(100))


@pytest.fixture(params=["memory", "spool"])
def spools(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[int], Optional[Path]]:
    """The spool of each repeat, or none."""
    return lambda repeat: tmp_path / f"spool-{repeat}" if request.param == "spool" else None


@pytest.fixture
def repeats(request: pytest.FixtureRequest) -> int:
    return int(request.config.getoption("--repeats"))


def side_by_side(repeats: int, check: Callable[[int], None]) -> None:
    """Each repeat is a process of its own: three at a time."""
    with ThreadPoolExecutor(3) as pool:
        for _ in pool.map(check, range(repeats)):
            pass


def start(event: str, url: str, service: str, spool: Optional[Path], **environment: str) -> subprocess.Popen[str]:
    command = [sys.executable, str(PROGRAM), event, url, service]
    if spool is not None:
        command.append(str(spool))
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **environment}
    )


def run(event: str, url: str, service: str, spool: Optional[Path], **environment: str) -> tuple[int, str, str]:
    process = start(event, url, service, spool, **environment)
    output, errors = process.communicate(timeout=60)
    return process.returncode, output, errors


def files_in(spool: Optional[Path]) -> list[str]:
    return [] if spool is None or not spool.exists() else sorted(path.name for path in spool.iterdir())


@pytest.mark.parametrize(
    ("event", "code"),
    [
        ("exit", 0),
        ("client_exit", 0),
        ("atexit", 0),
        ("sys_exit", 3),
        ("uncaught", 1),
        ("uncaught_in_thread", 0),
        ("fork", 0),
        ("mp_fork", 0),
        ("mp_spawn", 0),
        ("mp_forkserver", 0),
        ("mp_pool", 0),
    ],
)
def test_what_was_logged_before_the_end_arrives(
    node: SingleNode, service: str, spools: Callable[[int], Optional[Path]], repeats: int, event: str, code: int
) -> None:

    def check(repeat: int) -> None:
        name, spool = f"{service}-{repeat}", spools(repeat)
        returned, output, errors = run(event, node.url, name, spool)
        assert returned == code, output + errors
        found = node.numbers(name)
        found.pop(100, None)
        assert found == ALL, f"repeat {repeat}: {errors}"
        if event.startswith("uncaught"):
            fatal = [record for record in node.records(name) if record["level"] == "FATAL"]
            assert [record["exception.message"] for record in fatal] == ["nobody catches this"]
            assert "nobody catches this" in errors, "the hook that was there before is called as well"
        if event != "mp_pool":  # Its workers are killed when they have nothing to do.
            assert files_in(spool) == [], "nothing waits, so nothing is left"

    side_by_side(repeats, check)


@pytest.mark.parametrize(
    ("event", "sent", "code"),
    [
        ("sigterm", signal.SIGTERM, -signal.SIGTERM),
        ("sighup", signal.SIGHUP, -signal.SIGHUP),
        ("sigint", signal.SIGINT, -signal.SIGINT),
        ("sigterm_exits", signal.SIGTERM, 0),
        ("sigterm_os_exit", signal.SIGTERM, 0),
    ],
)
def test_what_was_logged_before_a_signal_arrives(
    node: SingleNode,
    service: str,
    spools: Callable[[int], Optional[Path]],
    repeats: int,
    event: str,
    sent: signal.Signals,
    code: int,
) -> None:

    def check(repeat: int) -> None:
        name, spool = f"{service}-{repeat}", spools(repeat)
        process = start(event, node.url, name, spool)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(sent)
        errors = process.communicate(timeout=30)[1]
        assert process.returncode == code, f"the signal does what it would have done: {errors}"
        assert node.numbers(name) == ALL, f"repeat {repeat}: {errors}"

    side_by_side(repeats, check)


def test_a_signal_in_the_middle_of_logging_loses_nothing(
    node: SingleNode, service: str, spools: Callable[[int], Optional[Path]], repeats: int
) -> None:

    def check(repeat: int) -> None:
        name, spool = f"{service}-{repeat}", spools(repeat)
        process = start("sigterm_while_logging", node.url, name, spool)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGTERM)
        errors = process.communicate(timeout=30)[1]
        assert process.returncode == -signal.SIGTERM
        found = node.numbers(name)
        assert len(found) >= 100
        assert found == Counter(range(len(found))), f"repeat {repeat}: there is a gap, or one is double: {errors}"

    side_by_side(repeats, check)


@pytest.mark.parametrize("event", ["kill_nine", "os_exit"])
@pytest.mark.parametrize("is_server_there", [True, False])
def test_after_kill_nine_the_next_process_sends_what_the_spool_holds(
    node: SingleNode, service: str, tmp_path: Path, repeats: int, event: str, is_server_there: bool
) -> None:

    def check(repeat: int) -> None:
        name, spool = f"{service}-{repeat}", tmp_path / f"spool-{repeat}"
        url = node.url if is_server_there else f"http://127.0.0.1:{free_port()}"
        returned, _, errors = run(event, url, name, spool)
        assert returned == (-signal.SIGKILL if event == "kill_nine" else 0), errors
        returned, output, errors = run("replay", node.url, "replay-" + name, spool, ADOPT_MIN="100")
        assert returned == 0, errors
        assert node.numbers(name) == ALL, f"repeat {repeat}: {output} {errors}"
        assert files_in(spool) == []

    side_by_side(repeats, check)


def test_a_batch_that_was_under_way_when_the_process_was_killed_is_not_doubled(
    node: SingleNode, service: str, tmp_path: Path, repeats: int
) -> None:

    def check(repeat: int) -> None:
        name, spool = f"{service}-{repeat}", tmp_path / f"spool-{repeat}"
        # Around the moment the first batch leaves, a quarter of a second after the first record.
        later = 0.245 + 0.002 * (repeat % 10)
        run("kill_nine_later", node.url, name, spool, LATER_SECS=str(later))
        returned, output, errors = run("replay", node.url, "replay-" + name, spool, ADOPT_MIN="0")
        assert returned == 0, errors
        returned, output, errors = run("replay", node.url, "replay-" + name, spool, ADOPT_MIN="0")
        assert node.numbers(name) == ALL, f"repeat {repeat}: {output} {errors}"

    side_by_side(repeats * 2, check)


def test_a_process_is_not_held_up_by_a_server_that_is_gone(
    service: str, spools: Callable[[int], Optional[Path]], tmp_path: Path
) -> None:
    spool = spools(0)
    start = time.monotonic()
    code, _, errors = run("exit", f"http://127.0.0.1:{free_port()}", service, spool, FLUSH_SECS="3")
    held_up = time.monotonic() - start
    assert code == 0
    assert held_up < 6, "once, though logging flushes and closes after us"
    if spool is None:
        assert "100 records could not be sent before the process ended" in errors
        assert held_up > 3
    else:
        assert "could not be sent" not in errors, "they are on disk"
        assert files_in(spool)
