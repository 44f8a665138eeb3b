"""The client's own records, that say how many others were dropped: sent like a batch of one, beside the queue."""

from __future__ import annotations

import time
from collections import deque
from typing import Callable, Optional

from .batch import Batch
from .counters import Counters

#: Reports are at least so far apart.
_REPORT_SECS = 10.0


class DropReports:
    """A source of batches. Used by the sender's thread alone."""

    def __init__(self, producer: str, encode: Callable[[str, dict[str, object]], bytes], counters: Counters) -> None:
        self._producer = producer + "-r"
        self._encode = encode
        self._counters = counters
        self._waiting: deque[Batch] = deque()
        self._sequence = 0
        self._reported: dict[str, int] = {}
        self._reported_at = time.monotonic() - _REPORT_SECS

    def look(self, *, is_urgent: bool) -> None:
        """Writes a report if more was dropped since the last one."""
        dropped = self._counters.dropped_by()
        if self._waiting or dropped == self._reported:
            return
        now = time.monotonic()
        if not is_urgent and now - self._reported_at < _REPORT_SECS:
            return
        total = sum(dropped.values())
        since_last = total - sum(self._reported.values())
        newly = {
            reason: records - self._reported.get(reason, 0)
            for reason, records in dropped.items()
            if records > self._reported.get(reason, 0)
        }
        fields: dict[str, object] = {
            "sdk_report": "dropped",
            "dropped": since_last,
            "dropped_total": total,
            "dropped_by": newly,
        }
        line = self._encode(f"{since_last} records were dropped before they were sent", fields)
        self._reported, self._reported_at = dropped, now
        self._sequence += 1
        self._counters.reports += 1
        self._waiting.append(Batch(self._producer, self._sequence, [line]))

    def next_batch(self) -> Optional[Batch]:
        return self._waiting[0] if self._waiting else None

    def settle(self, batch: Batch) -> None:
        self._waiting.popleft()

    def split(self, batch: Batch) -> None:
        raise AssertionError("a batch of one record is not split")
