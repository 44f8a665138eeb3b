"""Real nodes for the tests: `INSIGHTHUB_BIN` names the binary. `--slow` runs what takes minutes."""

from __future__ import annotations

import itertools
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from nodes import Cluster, SingleNode

_numbers = itertools.count(1)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--slow", action="store_true", help="run the tests that take minutes")
    parser.addoption("--repeats", type=int, default=2, help="how often each end of a process is repeated")
    parser.addoption("--outage-secs", type=float, default=120.0, help="how long the whole cluster is down")
    parser.addoption("--chaos-secs", type=float, default=300.0, help="how long nodes are killed in turn")


def pytest_configure() -> None:
    """What is ignored here, children ignore as well: under `nohup` and behind a shell's `&`, some of the signals tested."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--slow"):
        for item in items:
            if "slow" in item.keywords:
                item.add_marker(pytest.mark.skip(reason="takes minutes: --slow"))


@pytest.fixture(scope="session")
def binary() -> str:
    path = os.environ.get("INSIGHTHUB_BIN", "")
    if not path or not os.access(path, os.X_OK):
        pytest.fail("INSIGHTHUB_BIN must name the node's binary: cargo build --package insighthub-node")
    return path


@pytest.fixture(scope="session")
def node(binary: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SingleNode]:
    """One node for all tests: each has a service of its own."""
    with SingleNode(binary, tmp_path_factory.mktemp("node")) as running:
        yield running


@pytest.fixture
def own_node(binary: str, tmp_path: Path) -> Iterator[SingleNode]:
    """A node that a test may kill."""
    with SingleNode(binary, tmp_path / "node") as running:
        yield running


@pytest.fixture
def cluster(binary: str, tmp_path: Path) -> Iterator[Cluster]:
    with Cluster(binary, tmp_path / "cluster") as running:
        yield running


@pytest.fixture
def service() -> str:
    return f"test-{os.getpid()}-{next(_numbers)}"
