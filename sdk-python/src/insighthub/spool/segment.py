"""One file of a spool: frames of a length, a checksum and a record each, until a length of zero.

The file is written full of zeros before it is mapped, so that its blocks are there: a full disk shows when a segment is
made, by an error, and not when a record is copied into it, by a signal that kills the process.
"""

from __future__ import annotations

import mmap
import os
import time
from collections.abc import Iterator
from pathlib import Path
from struct import Struct
from typing import Optional, Union
from zlib import crc32

from ..batch import BatchLimits

MAGIC = b"IHSPOOL1"
HEADER_BYTES = 64
_FRAME = Struct("<II")
FRAME_BYTES = _FRAME.size
#: A found segment is checked in pieces: threads that log get the interpreter in between.
_FRAMES_AT_ONCE = 500
_PAUSE_SECS = 0.0002
_ZEROS = bytes(256 * 1024)


class Segment:
    """One thread at a time appends; another reads up to `end`, which is set once the frame is whole."""

    def __init__(self, path: Path, number: int, capacity: int) -> None:
        self.path = path
        self.number = number
        self.capacity = capacity
        self.end = HEADER_BYTES
        self.records = 0
        self.file: Optional[int] = None
        self._map: Optional[mmap.mmap] = None
        #: What was read of a file that is not mapped.
        self._loaded: Optional[bytes] = None
        self._is_found = False

    @staticmethod
    def create(path: Path, number: int, capacity: int) -> Segment:
        segment = Segment(path, number, capacity)
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            for start in range(0, capacity, len(_ZEROS)):
                os.pwrite(file, _ZEROS[: capacity - start], start)
            os.pwrite(file, MAGIC, 0)
            segment._map = mmap.mmap(file, capacity)
        except BaseException:
            os.close(file)
            path.unlink()
            raise
        segment.file = file
        return segment

    @staticmethod
    def found(path: Path, number: int) -> Segment:
        """The segment of a process that has ended; `load` reads it when its turn comes."""
        segment = Segment(path, number, 0)
        segment._is_found = True
        return segment

    def load(self, offset: int) -> Optional[tuple[int, int]]:
        """Reads a found segment, up to the last frame that is whole: records before `offset`, and from there on. `None`:
        there was nothing to do."""
        if not self._is_found or self._loaded is not None:
            return None
        try:
            data = self.path.read_bytes()
        except OSError:
            data = b""
        before = 0
        if data.startswith(MAGIC):
            for _, end in frames(data, HEADER_BYTES, len(data), is_checked=True):
                self.end = end
                self.records += 1
                before += end <= offset
                if self.records % _FRAMES_AT_ONCE == 0:
                    time.sleep(_PAUSE_SECS)
        self._loaded = data
        return before, self.records - before

    def is_known(self) -> bool:
        """Whether what it holds has been looked at."""
        return not self._is_found or self._loaded is not None

    def append(self, line: bytes) -> bool:
        """Copies a record into the map. False: it has no room."""
        end = self.end
        after = end + FRAME_BYTES + len(line)
        if after > self.capacity or self._map is None:
            return False
        self._map[end:after] = _FRAME.pack(len(line), crc32(line)) + line
        self.end = after
        self.records += 1
        return True

    def has_room_for(self, size: int) -> bool:
        return self.end + FRAME_BYTES + size <= self.capacity

    def read(self, start: int, limits: BatchLimits) -> tuple[list[bytes], int]:
        """Records from `start` on, as many as the limits allow, and where they end."""
        lines: list[bytes] = []
        room, end = limits.bytes_max, start
        for line, after in frames(self._bytes(), start, self.end, is_checked=False):
            if len(lines) >= limits.records_max or (lines and len(line) > room):
                break
            lines.append(line)
            room -= len(line) + 1
            end = after
        return lines, end

    def read_range(self, start: int, end: int) -> list[bytes]:
        return [line for line, _ in frames(self._bytes(), start, min(end, self.end), is_checked=False)]

    def _bytes(self) -> Union[mmap.mmap, bytes]:
        if self._map is not None:
            return self._map
        if self._loaded is None:
            self._loaded = self.path.read_bytes()
        return self._loaded

    def sync(self) -> None:
        if self.file is not None:
            os.fdatasync(self.file)

    def unmap(self) -> None:
        """Gives memory and file back; what is in the file stays."""
        if self._map is not None:
            self._map.close()
            self._map = None
        if self.file is not None:
            os.close(self.file)
            self.file = None

    def delete(self) -> None:
        self.unmap()
        self._loaded = None
        self.path.unlink(missing_ok=True)


def frames(data: Union[mmap.mmap, bytes], start: int, end: int, *, is_checked: bool) -> Iterator[tuple[bytes, int]]:
    """Whole frames from `start` on and where each ends. What follows a torn one cannot be trusted."""
    at = start
    while at + FRAME_BYTES <= end:
        length, checksum = _FRAME.unpack_from(data, at)
        after = at + FRAME_BYTES + length
        if length == 0 or after > end:
            return
        line = data[at + FRAME_BYTES : after]
        if is_checked and crc32(line) != checksum:
            return
        yield line, after
        at = after
