"""What travels together: records under one identity, by which the server knows a retry."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Optional, Protocol


@dataclass
class Batch:
    """Records of one request. Its lines never change once it has an identity: a retry must be the same batch."""

    producer: str
    sequence: int
    lines: list[bytes]
    #: Where a spool keeps it; the memory queue has no use for them.
    start: int = 0
    end: int = 0
    #: The request's body and whether it is compressed, once they were made: a retry is the same bytes.
    encoded: Optional[tuple[bytes, bool]] = field(default=None, repr=False)


class Source(Protocol):
    """Where the sender takes batches from, one at a time, in order.

    `next_batch` gives the same batch until it is settled or split. Only the sender's thread calls these.
    """

    def next_batch(self) -> Optional[Batch]: ...

    def settle(self, batch: Batch) -> None:
        """The batch is stored or refused for good: what comes next is another."""

    def split(self, batch: Batch) -> None:
        """The batch becomes two, under identities of their own; the first half comes next."""


class Store(Source, Protocol):
    """Where a client keeps what was logged until it is settled. `put` is called by any thread and never waits for I/O."""

    def put(self, line: bytes) -> None: ...

    def waiting(self) -> int:
        """Records that are not settled."""

    def is_due(self) -> bool:
        """Whether a batch is full, or was cut already, so that it need not wait for more."""

    def is_empty(self) -> bool:
        """Whether nothing waits; a cheap look."""

    def is_durable(self) -> bool:
        """Whether what waits outlives the process."""

    def close(self) -> None:
        """Gives back files; what waits in a spool stays there for the next process."""

    def forget(self) -> None:
        """In a forked child: all of it is the parent's."""


@dataclass(frozen=True)
class BatchLimits:
    records_max: int
    bytes_max: int
