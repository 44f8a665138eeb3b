"""The nodes a client may send to: which to ask next, and how long to leave one alone that failed. Pure: the time and the
dice are arguments.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Optional
from urllib.parse import urlsplit

#: The first wait is drawn from 0 to this, the next from 0 to twice as much, up to `BACKOFF_SECS_MAX` (full jitter).
BACKOFF_SECS_FIRST = 0.25
BACKOFF_SECS_MAX = 60.0
#: Another node is drawn after so long, so that many clients spread over nodes that came back.
STAY_SECS = 300.0
#: A node that was learned, not configured, and fails so often in a row is forgotten until it is learned again.
LEARNED_FAILURES_MAX = 8


@dataclass(frozen=True)
class Address:
    """Where a node listens."""

    scheme: str
    host: str
    port: int
    path: str = ""

    @staticmethod
    def parse(url: str) -> Address:
        parts = urlsplit(url if "://" in url else "http://" + url)
        if parts.username or parts.password:
            raise ValueError("a node's url must not hold a user or password: give the token by itself")
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{url!r} is no address of a node: write http://HOST:PORT or https://HOST:PORT")
        port = parts.port or (443 if parts.scheme == "https" else 80)
        return Address(parts.scheme, parts.hostname, port, parts.path.rstrip("/"))

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}{self.path}"


@dataclass
class Node:
    address: Address
    is_configured: bool
    #: Failures since the last success.
    failures: int = 0
    #: Not to be asked before.
    rests_until: float = 0.0
    #: What it asked for itself, by Retry-After.
    asked_until: float = 0.0
    #: Moving average of the seconds an answer took.
    answer_secs: float = 0.05

    def weight(self) -> float:
        """How likely it is drawn: quick ones rather than slow ones, those that never failed rather than others."""
        return (1.0 if self.is_configured else 0.8) / ((1 + self.failures) ** 2 * (0.01 + self.answer_secs))


class Nodes:
    """Used by the sender's thread alone."""

    def __init__(self, configured: list[Address], dice: random.Random) -> None:
        if not configured:
            raise ValueError("no node is given: name at least one url")
        self._nodes = [Node(address, True) for address in dict.fromkeys(configured)]
        self._dice = dice
        self._current: Optional[Node] = None
        self._stays_until = 0.0
        #: Nobody is to be asked before: the cluster as a whole asked for it.
        self._all_rest_until = 0.0
        self._all_asked_until = 0.0

    def pick(self, now: float) -> Optional[Node]:
        """A node to ask now; none while all rest."""
        if now < self._all_rest_until:
            return None
        ready = [node for node in self._nodes if node.rests_until <= now]
        if not ready:
            return None
        if self._current in ready and now < self._stays_until:
            return self._current
        self._current = self._dice.choices(ready, [node.weight() for node in ready])[0]
        self._stays_until = now + STAY_SECS * self._dice.uniform(0.5, 1.0)
        return self._current

    def secs_until_ready(self, now: float) -> float:
        first = min(node.rests_until for node in self._nodes)
        return max(first, self._all_rest_until) - now

    def answered(self, node: Node, secs: float) -> None:
        node.failures = 0
        node.rests_until = 0.0
        node.answer_secs += (secs - node.answer_secs) * 0.2

    def failed(self, node: Node, now: float, retry_after_secs: Optional[float]) -> None:
        """Leaves a node alone for a while; others are asked meanwhile."""
        node.failures += 1
        node.rests_until = now + self._pause(node.failures, retry_after_secs)
        node.asked_until = now + _asked(retry_after_secs)
        if self._current is node:
            self._current = None
        if not node.is_configured and node.failures >= LEARNED_FAILURES_MAX:
            self._nodes.remove(node)

    def throttled(self, node: Node, now: float, retry_after_secs: Optional[float]) -> None:
        """A limit that holds in the whole cluster: another node would say the same."""
        node.failures += 1
        self._all_rest_until = now + self._pause(node.failures, retry_after_secs)
        self._all_asked_until = now + _asked(retry_after_secs)

    def hurry(self, now: float, secs: float) -> None:
        """Shortens waits, down to what was asked for: somebody waits for delivery, or the process is about to end."""
        for node in self._nodes:
            node.rests_until = min(node.rests_until, max(now + secs, node.asked_until))
        self._all_rest_until = min(self._all_rest_until, max(now + secs, self._all_asked_until))

    def _pause(self, failures: int, retry_after_secs: Optional[float]) -> float:
        most = min(BACKOFF_SECS_MAX, BACKOFF_SECS_FIRST * 2.0 ** min(failures - 1, 30))
        jitter = self._dice.uniform(0.0, most)
        if retry_after_secs is None:
            return jitter
        # What was asked for, and a part that keeps clients from coming back all at once.
        return _asked(retry_after_secs) + self._dice.uniform(0.0, 0.25)

    def learn(self, addresses: list[Address]) -> None:
        """Takes up members of the cluster that were not known, and forgets learned ones that are none any more."""
        wanted = set(addresses)
        known = {node.address for node in self._nodes}
        self._nodes = [node for node in self._nodes if node.is_configured or node.address in wanted]
        self._nodes.extend(Node(address, False) for address in addresses if address not in known)
        if self._current not in self._nodes:
            self._current = None

    def addresses(self) -> list[Address]:
        return [node.address for node in self._nodes]


def _asked(retry_after_secs: Optional[float]) -> float:
    return min(max(retry_after_secs or 0.0, 0.0), BACKOFF_SECS_MAX)
