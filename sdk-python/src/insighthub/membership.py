"""Learns the nodes of the cluster from the nodes that are known: `GET /api/cluster`, now and then, where it is allowed."""

from __future__ import annotations

import time

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
    found = []
    for entry in (listed if isinstance(listed, list) else [])[:_NODES_MAX]:
        http = entry.get("http") if isinstance(entry, dict) else None
        if not isinstance(http, str) or entry.get("state") in ("removed", "invited"):
            continue
        try:
            address = Address.parse(f"{asked.scheme}://{http}{asked.path}")
        except ValueError:
            continue
        # What a node listens on is not always where it is reached.
        if address.host not in ("0.0.0.0", "::"):
            found.append(address)
    return found
