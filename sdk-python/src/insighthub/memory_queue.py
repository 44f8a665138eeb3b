"""The queue in memory, bounded in bytes. One record costs what its line does and `OVERHEAD_BYTES`.

Threads that log append; the sender's thread takes from the other end. A deque does both in one step each, so the
sender needs no lock that a thread which logs may hold: it goes on while a signal handler waits inside of one.

A signal handler or a finaliser may log in the middle of another record of the same thread. It comes through the lock,
which is reentrant, and finds `_is_inside` set: its record is appended, which is one step, and counted by the next.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import Optional

from .admission import Room
from .batch import Batch, BatchLimits
from .counters import Counters
from .wakeup import Wakeup

#: What Python keeps beside the bytes of a line: the object's header and its place in the deque.
OVERHEAD_BYTES = 48


class MemoryQueue:
    """A store that is gone with its process."""

    def __init__(
        self, producer: str, limits: BatchLimits, bytes_max: int, room: Room, counters: Counters, wakeup: Wakeup
    ) -> None:
        self._producer = producer
        self._limits = limits
        self._bytes_max = bytes_max
        self._room = room
        self._counters = counters
        self._wakeup = wakeup
        #: Keeps threads that log apart, for a microsecond each.
        self._lock = threading.RLock()
        self._is_inside = False
        self._lines: deque[bytes] = deque()
        #: Bytes that came and that were dropped, written under the lock; bytes that were settled, by the sender.
        self._bytes_in = 0
        self._bytes_dropped = 0
        self._bytes_out = 0
        self._bytes_since_wakeup = 0
        self._sequence = 0
        #: The batch that is being sent, and halves of it that follow.
        self._cut: deque[Batch] = deque()

    def put(self, line: bytes) -> None:
        size = len(line) + OVERHEAD_BYTES
        room = self._room
        if room.when_full == "block":
            room.wait_for(lambda: self._held() + size <= self._bytes_max)
        with self._lock:
            if self._is_inside:
                self._counters.reentered.append(size)
                self._lines.append(line)
                self._wakeup.set()
                return
            try:
                self._is_inside = True
                self._put_alone(line, size)
            finally:
                self._is_inside = False

    def _put_alone(self, line: bytes, size: int) -> None:
        counters = self._counters
        counters.emitted += 1
        if counters.reentered:
            self._count_reentered()
        if self._held() + size > self._bytes_max and not self._make_room(size):
            counters.drop_one("queue_full")
            return
        self._lines.append(line)
        self._bytes_in += size
        self._bytes_since_wakeup += size
        if len(self._lines) == self._limits.records_max or self._bytes_since_wakeup >= self._limits.bytes_max:
            self._bytes_since_wakeup = 0
            self._wakeup.set()
        else:
            self._wakeup.set_if_awaited()

    def _count_reentered(self) -> None:
        while self._counters.reentered:
            self._bytes_in += self._counters.reentered.popleft()
            self._counters.emitted += 1

    def _held(self) -> int:
        return self._bytes_in - self._bytes_dropped - self._bytes_out

    def _make_room(self, size: int) -> bool:
        """Drops the oldest until the newest fits; what is being sent stays."""
        if self._room.when_full != "drop_oldest":
            return False
        while self._held() + size > self._bytes_max:
            try:
                oldest = self._lines.popleft()
            except IndexError:
                return False
            self._bytes_dropped += len(oldest) + OVERHEAD_BYTES
            self._counters.drop_one("queue_full")
        return True

    def next_batch(self) -> Optional[Batch]:
        if self._cut:
            return self._cut[0]
        lines: list[bytes] = []
        room = self._limits.bytes_max
        while len(lines) < self._limits.records_max:
            try:
                line = self._lines.popleft()
            except IndexError:
                break
            if lines and len(line) > room:
                self._lines.appendleft(line)
                break
            room -= len(line) + 1
            lines.append(line)
        if not lines:
            return None
        self._cut.append(self._batch(lines))
        return self._cut[0]

    def _batch(self, lines: list[bytes]) -> Batch:
        self._sequence += 1
        return Batch(self._producer, self._sequence, lines)

    def settle(self, batch: Batch) -> None:
        assert batch is self._cut[0], "only the batch that is being sent can be settled"
        self._cut.popleft()
        self._bytes_out += sum(map(len, batch.lines)) + OVERHEAD_BYTES * len(batch.lines)

    def split(self, batch: Batch) -> None:
        assert batch is self._cut[0], "only the batch that is being sent can be split"
        middle = len(batch.lines) // 2
        self._cut.popleft()
        halves = [self._batch(batch.lines[:middle]), self._batch(batch.lines[middle:])]
        self._cut.extendleft(reversed(halves))

    def waiting(self) -> int:
        return len(self._lines) + sum(len(batch.lines) for batch in self._cut.copy())

    def is_due(self) -> bool:
        is_full = len(self._lines) >= self._limits.records_max or self._held() >= self._limits.bytes_max
        return is_full or bool(self._cut)

    def is_empty(self) -> bool:
        return not self._lines and not self._cut

    def is_durable(self) -> bool:
        return self.is_empty()

    def close(self) -> None:
        """Nothing to give back."""

    def forget(self) -> None:
        """In a forked child: what waits is the parent's."""
