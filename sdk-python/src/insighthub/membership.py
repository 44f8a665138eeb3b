"""Learns the nodes of the cluster from the nodes that are known: from the header `X-InsightHub-Nodes` of their answers, and
where there is none from `GET /api/cluster`, now and then, which needs the right to read.
"""

from __future__ import annotations

import time
from typing import Optional

from .nodes import Address, Nodes
from .transport import Transport

_LOOK_SECS = 60.0
#: A node may not say (a service token does not open the page): asked again, rarely.
_REFUSED_SECS = 900.0
_NODES_MAX = 64


class Membership:
    """Used by the sender's thread alone, after a batch was delivered."""

    def __init__(self) -> None:
        self._next_at = 0.0

    def hear(self, nodes: Nodes, asked: Address, listed: Optional[str]) -> None:
        """A node has answered; what it says of the others may come with it."""
        if listed is None:
            return
        self._next_at = time.monotonic() + _LOOK_SECS
        named = [text.strip() for text in listed.split(",", _NODES_MAX)[:_NODES_MAX]]
        nodes.learn(reachable([text for text in named if text], asked))

    def look(self, nodes: Nodes, transport: Transport) -> None:
        now = time.monotonic()
        if now < self._next_at:
            return
        node = nodes.pick(now)
        if node is None:
            return
        status, content = transport.get_json(node.address, "/api/cluster")
        self._next_at = now + (_REFUSED_SECS if 400 <= status < 500 else _LOOK_SECS)
        if status == 200:
            nodes.learn(members(content, node.address))


def members(content: object, asked: Address) -> list[Address]:
    """The addresses an answer names; they are reached as the node that was asked is."""
    listed = content.get("nodes") if isinstance(content, dict) else None
    named = []
    for entry in (listed if isinstance(listed, list) else [])[:_NODES_MAX]:
        http = entry.get("http") if isinstance(entry, dict) else None
        if isinstance(http, str) and entry.get("state") not in ("removed", "invited"):
            named.append(http)
    return reachable(named, asked)


def reachable(named: list[str], asked: Address) -> list[Address]:
    """Addresses as the node that named them was reached: the token goes nowhere in another way."""
    found = []
    for http in named:
        try:
            address = Address.parse(f"{asked.scheme}://{http}{asked.path}")
        except ValueError:
            continue
        # What a node listens on is not always where it is reached.
        if address.host not in ("0.0.0.0", "::"):
            found.append(address)
    return found
