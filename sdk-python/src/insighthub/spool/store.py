"""The spool of a running process as a client's store: threads that log copy into the mapped segment at its end.

The next segment is made ahead, by the keeper's thread. While there is none (a burst that is quicker than the disk, a full
disk, a forked child that has just begun) records wait in memory, in order, within a bound of bytes; they move into the
spool as soon as there is one, a few with every record, and the sender may take them from there as well.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Optional

from ..admission import Room
from ..batch import Batch, BatchLimits
from ..counters import Counters
from ..memory_queue import OVERHEAD_BYTES
from ..wakeup import Wakeup
from .segment import Segment
from .tail import SpoolTail

#: Records that move from memory into the spool with each new one: enough to catch up, too few to be felt.
_MOVED_AT_ONCE = 32
_SEGMENT_BYTES_MAX = 2 * 1024 * 1024
_SEGMENT_BYTES_MIN = 64 * 1024


@dataclass(frozen=True)
class SpoolOptions:
    directory: Path
    #: Of all segments in the directory, of all processes that use it.
    bytes_max: int

    def segment_bytes(self) -> int:
        return max(_SEGMENT_BYTES_MIN, min(_SEGMENT_BYTES_MAX, self.bytes_max // 8))


class Spool:
    """A store that outlives its process."""

    def __init__(
        self,
        producer: str,
        options: SpoolOptions,
        limits: BatchLimits,
        overflow_bytes_max: int,
        room: Room,
        counters: Counters,
        wakeup: Wakeup,
        keeper_wakeup: Wakeup,
    ) -> None:
        self.options = options
        self.producer = producer
        self._limits = limits
        self._room = room
        self._counters = counters
        self._wakeup = wakeup
        self._keeper_wakeup = keeper_wakeup
        self._lock = threading.RLock()
        self._is_inside = False
        self._segments: deque[Segment] = deque()
        self._active: Optional[Segment] = None
        #: Made by the keeper, used by whoever fills the active segment.
        self.spare: deque[Segment] = deque()
        #: Made by the keeper; none where the directory cannot be written to.
        self.tail: Optional[SpoolTail] = None
        #: Records that have no segment yet, and their bytes: those that came and those that moved on or were dropped,
        #: counted under the lock, and those the sender took.
        self._overflow: deque[bytes] = deque()
        self._overflow_bytes_max = overflow_bytes_max
        self._bytes_in = 0
        self._bytes_moved = 0
        self._bytes_taken = 0
        self._bytes_since_wakeup = 0
        #: What the sender took from memory: sent under an identity of its own, in halves where it was split.
        self._cut_in_memory: deque[Batch] = deque()
        self._sequence_in_memory = 0

    def put(self, line: bytes) -> None:
        if self._room.when_full == "block":
            self._room.wait_for(lambda: self._has_room(len(line)))
        with self._lock:
            if self._is_inside:
                self._counters.reentered.append(len(line) + OVERHEAD_BYTES)
                self._overflow.append(line)
                self._wakeup.set()
                return
            try:
                self._is_inside = True
                self._put_alone(line)
            finally:
                self._is_inside = False

    def _put_alone(self, line: bytes) -> None:
        self._counters.emitted += 1
        while self._counters.reentered:
            self._bytes_in += self._counters.reentered.popleft()
            self._counters.emitted += 1
        if self._overflow:
            self._move_some()
        if self._overflow or not self._append(line):
            self._put_in_memory(line)
        self._bytes_since_wakeup += len(line)
        if self._bytes_since_wakeup >= self._limits.bytes_max:
            self._bytes_since_wakeup = 0
            self._wakeup.set()
        else:
            self._wakeup.set_if_awaited()

    def _append(self, line: bytes) -> bool:
        active = self._active
        if active is not None and active.append(line):
            return True
        self._keeper_wakeup.set()
        try:
            following = self.spare.popleft()
        except IndexError:
            return False
        self._segments.append(following)
        self._active = following
        return following.append(line)

    def _move_some(self) -> None:
        """From memory into the spool; the sender may be taking from there at the same time."""
        for _ in range(_MOVED_AT_ONCE):
            try:
                line = self._overflow.popleft()
            except IndexError:
                return
            if not self._append(line):
                self._overflow.appendleft(line)
                return
            self._bytes_moved += len(line) + OVERHEAD_BYTES

    def _put_in_memory(self, line: bytes) -> None:
        size = len(line) + OVERHEAD_BYTES
        while self._bytes_in_memory() + size > self._overflow_bytes_max:
            if self._room.when_full != "drop_oldest" or not self._overflow:
                self._counters.drop_one("queue_full")
                return
            try:
                oldest = self._overflow.popleft()
            except IndexError:
                continue
            self._bytes_moved += len(oldest) + OVERHEAD_BYTES
            self._counters.drop_one("queue_full")
        self._overflow.append(line)
        self._bytes_in += size

    def _bytes_in_memory(self) -> int:
        return self._bytes_in - self._bytes_moved - self._bytes_taken

    def _has_room(self, size: int) -> bool:
        active = self._active
        in_spool = bool(self.spare) or (active is not None and active.has_room_for(size))
        return in_spool or self._bytes_in_memory() + size + OVERHEAD_BYTES <= self._overflow_bytes_max

    # What follows is the sender's.

    def next_batch(self) -> Optional[Batch]:
        if self._cut_in_memory:
            return self._cut_in_memory[0]
        batch = self.tail.next_batch() if self.tail is not None else None
        return batch or self._cut_from_memory()

    def _cut_from_memory(self) -> Optional[Batch]:
        lines: list[bytes] = []
        room = self._limits.bytes_max
        while room > 0 and len(lines) < self._limits.records_max:
            try:
                lines.append(self._overflow.popleft())
            except IndexError:
                break
            room -= len(lines[-1])
        if not lines:
            return None
        self._cut_in_memory.append(self._batch_in_memory(lines))
        return self._cut_in_memory[0]

    def _batch_in_memory(self, lines: list[bytes]) -> Batch:
        self._sequence_in_memory += 1
        return Batch(self.producer + "-m", self._sequence_in_memory, lines)

    def settle(self, batch: Batch) -> None:
        if self._cut_in_memory:
            self._cut_in_memory.popleft()
            self._bytes_taken += sum(map(len, batch.lines)) + OVERHEAD_BYTES * len(batch.lines)
        elif self.tail is not None:
            self.tail.settle(batch)

    def split(self, batch: Batch) -> None:
        if self._cut_in_memory:
            middle = len(batch.lines) // 2
            halves = [self._batch_in_memory(batch.lines[:middle]), self._batch_in_memory(batch.lines[middle:])]
            self._cut_in_memory.popleft()
            self._cut_in_memory.extendleft(reversed(halves))
        elif self.tail is not None:
            self.tail.split(batch)

    def waiting(self) -> int:
        in_spool = self.tail.waiting() if self.tail is not None else 0
        return in_spool + self._waiting_in_memory()

    def _waiting_in_memory(self) -> int:
        return len(self._overflow) + sum(len(batch.lines) for batch in self._cut_in_memory.copy())

    def is_due(self) -> bool:
        tail = self.tail
        is_cut = bool(self._cut_in_memory) or (tail is not None and tail.has_cut())
        is_full = len(self._segments) > 1 or (tail is not None and tail.unread_bytes() >= self._limits.bytes_max)
        return is_cut or is_full or len(self._overflow) >= self._limits.records_max

    def is_empty(self) -> bool:
        tail = self.tail
        in_spool = tail is not None and (tail.has_cut() or tail.unread_bytes() > 0 or len(self._segments) > 1)
        return not in_spool and not self._waiting_in_memory()

    def is_durable(self) -> bool:
        return self._waiting_in_memory() == 0

    # What follows is the keeper's.

    def is_closed(self, segment: Segment) -> bool:
        return segment is not self._active

    def open(self, tail_of: Callable[[deque[Segment]], SpoolTail]) -> None:
        self.tail = tail_of(self._segments)

    def close(self) -> None:
        """Nobody logs any more, and the sender has ended."""
        for segment in self.spare:
            segment.delete()
        self._active = None
        if self.tail is not None:
            self.tail.close()
            self.tail = None

    def forget(self) -> None:
        """In a forked child: all of it is the parent's."""
        for segment in self.spare:
            segment.unmap()
        if self.tail is not None:
            self.tail.forget()
