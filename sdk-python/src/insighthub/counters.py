"""What became of every record: `emitted + adopted = stored + rejected + dropped + waiting`, at any moment.

Each number has one writer, or writers that hold a lock of their own, so that nothing is lost between two threads.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import asdict, dataclass, field
from typing import Optional


@dataclass(frozen=True)
class Stats:
    """A look at the counters. The numbers are records where nothing else is said."""

    #: Given to the client by the application, and reports of its own.
    emitted: int
    #: Found in spools of processes that have ended.
    adopted: int
    #: Acknowledged by a server: committed and synced.
    stored: int
    #: Refused for good, each given to `on_dead_letter` with the reason.
    rejected: int
    #: Given up, by reason in `dropped_by`.
    dropped: int
    #: In memory or in the spool.
    waiting: int
    dropped_by: dict[str, int] = field(default_factory=dict)
    #: Of `emitted`: the client's own records, that say what was dropped.
    reports: int = 0
    batches: int = 0
    #: Requests beyond the first of a batch.
    retries: int = 0
    #: Answers that said the batch had been stored before: records that a client without identities would have doubled.
    duplicates: int = 0
    #: Errors inside the SDK; more than none is a defect of it.
    internal_errors: int = 0
    #: Why the last request failed; none once one has succeeded.
    last_error: Optional[str] = None

    def as_dict(self) -> dict[str, object]:
        return asdict(self)


class Counters:
    """The numbers, with who writes each."""

    def __init__(self) -> None:
        #: Written by `put`, under the store's lock; records that came while it was held by the same thread wait in
        #: `reentered` to be counted by the next, each with its size.
        self.emitted = 0
        self.reentered: deque[int] = deque()
        self.dropped_by_emitters: dict[str, int] = {}
        #: The rest by the sender's thread alone.
        self.reports = 0
        self.adopted = 0
        self.stored = 0
        self.rejected = 0
        self.batches = 0
        self.retries = 0
        self.duplicates = 0
        self.last_error: Optional[str] = None
        self.internal_errors = 0
        #: By the threads of the client, which may wait for each other but never for a thread that logs.
        self._dropped: dict[str, int] = {}
        self._lock = threading.Lock()

    def drop(self, reason: str, records: int) -> None:
        """Records that will not arrive; by the client's own threads."""
        if records:
            with self._lock:
                self._dropped[reason] = self._dropped.get(reason, 0) + records

    def drop_one(self, reason: str) -> None:
        """The same by a thread that logs, under the store's lock."""
        self.dropped_by_emitters[reason] = self.dropped_by_emitters.get(reason, 0) + 1

    def dropped_by(self) -> dict[str, int]:
        total = self._dropped.copy()
        for reason, records in self.dropped_by_emitters.copy().items():
            total[reason] = total.get(reason, 0) + records
        return total

    def emitted_by_now(self) -> int:
        return self.emitted + len(self.reentered)

    def dropped(self) -> int:
        return sum(self.dropped_by().values())

    def settled(self) -> int:
        return self.stored + self.rejected + self.dropped()

    def stats(self) -> Stats:
        # What leaves is read before what comes, so that nothing leaves that had not come.
        dropped_by, stored, rejected = self.dropped_by(), self.stored, self.rejected
        dropped = sum(dropped_by.values())
        adopted, emitted = self.adopted, self.emitted_by_now() + self.reports
        return Stats(
            emitted=emitted,
            adopted=adopted,
            stored=stored,
            rejected=rejected,
            dropped=dropped,
            waiting=emitted + adopted - stored - rejected - dropped,
            dropped_by=dropped_by,
            reports=self.reports,
            batches=self.batches,
            retries=self.retries,
            duplicates=self.duplicates,
            internal_errors=self.internal_errors,
            last_error=self.last_error,
        )
