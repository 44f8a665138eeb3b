"""A real cluster of three nodes that are killed: every record is found exactly once."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from nodes import Cluster, wait_until

from insighthub import Client

PROGRAM = Path(__file__).parent / "programs" / "steady.py"


def load(urls: list[str], service: str, rate: int, secs: float, *spool: str) -> subprocess.Popen[str]:
    command = [sys.executable, str(PROGRAM), ",".join(urls), service, str(rate), str(secs), *spool]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def outcome(process: subprocess.Popen[str], secs: float) -> dict[str, Any]:
    output, errors = process.communicate(timeout=secs)
    assert process.returncode == 0, errors
    result: dict[str, Any] = json.loads(output)
    print(json.dumps(result), errors)
    stats = result["stats"]
    assert stats["emitted"] + stats["adopted"] == sum(
        stats[name] for name in ("stored", "rejected", "dropped", "waiting")
    ), "the counters close"
    assert (result["errors"], stats["internal_errors"]) == (0, 0)
    return result


def found_once(cluster: Cluster, service: str, records: int) -> None:
    found = cluster.numbers(service)
    double = sum(1 for times in found.values() if times > 1)
    missing = records - len(found)
    print(f"{service}: {records} logged, {len(found)} found, {missing} missing, {double} double")
    assert found == Counter(range(records))


def test_a_client_goes_on_with_another_node_and_learns_the_rest(cluster: Cluster, service: str) -> None:
    # It is told of one node alone.
    with Client(cluster.urls[0], service=service, linger_secs=0.02, handle_signals=False) as client:
        client.info("before", n=0)
        assert client.flush(20)
        wait_until("the others are known", lambda: len(client._sender._nodes.addresses()) >= 3)
        cluster.nodes[0].kill()
        for number in range(1, 21):
            client.info("after", n=number)
            assert client.flush(30), client.stats()
        cluster.url = cluster.urls[1]
        assert client.stats().dropped == 0
    found_once(cluster, service, 21)


@pytest.mark.slow
def test_nodes_that_are_killed_in_turn_lose_and_double_nothing(
    cluster: Cluster, service: str, request: pytest.FixtureRequest
) -> None:
    secs = float(request.config.getoption("--chaos-secs"))
    process = load(cluster.urls, service, 200, secs)
    kills, until = 0, time.monotonic() + secs
    while time.monotonic() < until:
        node = cluster.nodes[kills % 3]
        node.kill()
        time.sleep(2)
        node.restart()
        kills += 1
        time.sleep(3)
    result = outcome(process, 150)
    print(f"{kills} kills in {secs} s")
    assert result["delivered"]
    assert result["stats"]["dropped"] == 0
    found_once(cluster, service, result["emitted"])


@pytest.mark.slow
def test_with_the_whole_cluster_down_memory_is_bounded_and_the_spool_is_replayed(
    cluster: Cluster, service: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    down_secs = float(request.config.getoption("--outage-secs"))
    process = load(cluster.urls, service, 2_000, down_secs + 10, str(tmp_path / "spool"))
    time.sleep(5)
    for node in cluster.nodes:
        node.kill()
    time.sleep(down_secs)
    for node in cluster.nodes:
        node.start()
    for node in cluster.nodes:
        node.wait_until_ready()
    result = outcome(process, 180)
    assert result["delivered"]
    assert result["stats"]["dropped"] == 0
    grown = result["memory_peak_kib"] - result["memory_before_kib"]
    assert grown < 24 * 1024, f"memory grew by {grown} KiB, of which the queue may take 8 MiB"
    found_once(cluster, service, result["emitted"])
