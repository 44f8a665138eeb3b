"""The end of a spool that records leave by: cut into batches, whose identities are written down before they are sent."""

from __future__ import annotations

import threading
from collections import deque
from typing import Callable, Optional

from ..batch import Batch, BatchLimits
from .segment import HEADER_BYTES, Segment
from .state_file import Part, State, StateFile


class SpoolTail:
    """Reads segments in order. The sender's thread takes batches, the keeper's may drop segments: `lock` keeps those two
    apart. Threads that log only ever append a segment at the other end."""

    def __init__(
        self,
        file: StateFile,
        state: State,
        limits: BatchLimits,
        segments: deque[Segment],
        is_closed: Callable[[Segment], bool],
        sync: bool,
        on_found: Callable[[int], None] = lambda records: None,
    ) -> None:
        self.lock = threading.Lock()
        self.segments = segments
        self._file = file
        self._state = state
        self._limits = limits
        self._is_closed = is_closed
        self._sync = sync
        self._on_found = on_found
        #: Records of the first segment that were cut into batches.
        self._records_cut = 0
        self._current: Optional[Batch] = None
        self._is_written = True

    def next_batch(self) -> Optional[Batch]:
        with self.lock:
            while self._current is None and (self._state.parts or self._cut()):
                self._current = self._batch_of(self._state.parts[0])
            if self._current is None:
                self._write_if_changed()
            return self._current

    def _batch_of(self, part: Part) -> Optional[Batch]:
        self._enter(self.segments[0])
        lines = self.segments[0].read_range(part.start, part.end)
        if not lines:
            # The power went before they were on disk, and whether they were sent nobody knows.
            self._state.parts.pop(0)
            return None
        return Batch(self._state.producer, part.sequence, lines, part.start, part.end)

    def _cut(self) -> bool:
        while self.segments:
            segment = self.segments[0]
            self._enter(segment)
            # In this order: once it is closed, its end does not move.
            is_closed = self._is_closed(segment)
            lines, end = segment.read(self._state.offset, self._limits)
            if lines:
                self._state.parts.append(Part(self._state.next_sequence, self._state.offset, end, len(lines)))
                self._state.next_sequence += 1
                self._state.offset = end
                self._records_cut += len(lines)
                self._write(segment)
                return True
            if not is_closed:
                return False
            self._leave(segment)
        return False

    def _enter(self, segment: Segment) -> None:
        if self._state.segment != segment.number or self._state.offset < HEADER_BYTES:
            self._state.segment, self._state.offset = segment.number, HEADER_BYTES
            self._records_cut = 0
        loaded = segment.load(self._state.offset)
        if loaded is not None:
            self._records_cut = loaded[0]
            self._on_found(loaded[1] + sum(part.records for part in self._state.parts))

    def unmap_closed(self) -> None:
        """Gives back the memory of what waits behind the first segment; it is read again when its turn comes."""
        with self.lock:
            for segment in list(self.segments)[1:]:
                if self._is_closed(segment):
                    segment.unmap()

    def _leave(self, segment: Segment) -> None:
        """The state says that it is done with before its file goes."""
        self._state.segment, self._state.offset = segment.number + 1, 0
        self._records_cut = 0
        self._write(None)
        self.segments.popleft()
        segment.delete()

    def settle(self, batch: Batch) -> None:
        """Not written at once: a batch that is sent again after a crash is known by its identity."""
        with self.lock:
            self._state.parts.pop(0)
            self._current = None
            self._is_written = False

    def split(self, batch: Batch) -> None:
        with self.lock:
            whole = self._state.parts.pop(0)
            middle = len(batch.lines) // 2
            boundary = whole.start + sum(8 + len(line) for line in batch.lines[:middle])
            first = Part(self._state.next_sequence, whole.start, boundary, middle)
            second = Part(self._state.next_sequence + 1, boundary, whole.end, whole.records - middle)
            self._state.next_sequence += 2
            self._state.parts[:0] = [first, second]
            self._current = None
            self._write(self.segments[0])

    def has_droppable(self) -> bool:
        with self.lock:
            place = 1 if self._state.parts else 0
            return len(self.segments) > place and self._is_closed(self.segments[place])

    def drop_oldest(self) -> int:
        """Makes room: deletes the oldest closed segment that is not being sent; answers the records lost."""
        with self.lock:
            place = 1 if self._state.parts else 0
            if len(self.segments) <= place or not self._is_closed(self.segments[place]):
                return 0
            victim = self.segments[place]
            if place == 0:
                self._enter(victim)
                lost = victim.records - self._records_cut
                self._leave(victim)
                return lost
            del self.segments[place]
            victim.delete()
            return victim.records

    def unread_bytes(self) -> int:
        """About how much of the first segment was not cut yet. Without the lock: for deciding when to look."""
        segments, state = self.segments, self._state
        try:
            first = segments[0]
        except IndexError:
            return 0
        return first.end - (state.offset if state.segment == first.number and state.offset else HEADER_BYTES)

    def has_cut(self) -> bool:
        return bool(self._state.parts)

    def waiting(self) -> int:
        with self.lock:
            in_parts = sum(part.records for part in self._state.parts)
            is_entered = bool(self.segments) and self._state.segment == self.segments[0].number
            in_segments = sum(segment.records for segment in list(self.segments))
            return in_segments - (self._records_cut if is_entered else 0) + in_parts

    def _write_if_changed(self) -> None:
        if not self._is_written:
            self._write(None)

    def _write(self, to_sync: Optional[Segment]) -> None:
        self._file.write(self._state)
        self._is_written = True
        if self._sync and to_sync is not None:
            to_sync.sync()
            self._file.sync()

    def sync(self) -> None:
        with self.lock:
            self._file.sync()
            for segment in list(self.segments)[-2:]:
                segment.sync()

    def close(self) -> None:
        """Leaves what waits where it is, and nothing where nothing waits."""
        with self.lock:
            is_empty = not self._state.parts and all(map(self._is_read, self.segments))
            for segment in self.segments:
                if is_empty:
                    segment.delete()
                else:
                    segment.unmap()
            if is_empty:
                self._file.delete()
            else:
                self._write_if_changed()
                self._file.close()

    def _is_read(self, segment: Segment) -> bool:
        is_first = self._state.segment == segment.number and self._state.offset >= HEADER_BYTES
        return segment.is_known() and segment.end <= (self._state.offset if is_first else HEADER_BYTES)

    def forget(self) -> None:
        """In a forked child: it is the parent's. The parent's lock stays, because it has the file open too."""
        for segment in self.segments:
            segment.unmap()
        self._file.close()
