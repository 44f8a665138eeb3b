"""How far a spool has been sent, and which batch was being sent: a small file of two slots, written in turn.

A process that is killed while it writes one leaves the other. The file is locked for as long as its process lives: who gets
the lock owns what the process has left.
"""

from __future__ import annotations

import fcntl
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from struct import Struct
from typing import Optional
from zlib import crc32

MAGIC = b"IHSTATE1"
SUFFIX = ".state"
DRAFT_SUFFIX = ".draft"
_SLOT_BYTES = 4096
_SLOT = Struct("<8sQII")


@dataclass
class Part:
    """A batch that was cut and is not settled: records of one segment, from `start` to `end`."""

    sequence: int
    start: int
    end: int
    records: int


@dataclass
class State:
    #: Under whose name batches are sent.
    producer: str
    #: The sequence the next batch gets.
    next_sequence: int = 1
    #: The segment that is being read; those before are done with.
    segment: int = 0
    #: Everything before it was cut into batches.
    offset: int = 0
    #: In the order they are sent.
    parts: list[Part] = field(default_factory=list)

    def encode(self) -> bytes:
        parts = [[part.sequence, part.start, part.end, part.records] for part in self.parts]
        return json.dumps([self.producer, self.next_sequence, self.segment, self.offset, parts]).encode()

    @staticmethod
    def decode(text: bytes) -> State:
        producer, next_sequence, segment, offset, parts = json.loads(text)
        return State(producer, next_sequence, segment, offset, [Part(*part) for part in parts])


class StateFile:
    """Owned by one process, which holds its lock."""

    def __init__(self, path: Path, file: int, version: int) -> None:
        self.path = path
        self.file = file
        self._version = version

    @staticmethod
    def create(directory: Path, producer: str) -> StateFile:
        """Locked before it has the name others look for."""
        path, draft = directory / (producer + SUFFIX), directory / (producer + DRAFT_SUFFIX)
        file = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.pwrite(file, bytes(2 * _SLOT_BYTES), 0)
            os.rename(draft, path)
        except BaseException:
            os.close(file)
            raise
        return StateFile(path, file, 0)

    @staticmethod
    def take_over(path: Path) -> Optional[tuple[StateFile, Optional[State]]]:
        """The state of a process that has ended, `None` inside where no slot can be read. `None`: its owner lives, or
        another process was quicker."""
        try:
            file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            return None
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.fstat(file).st_ino != os.stat(path).st_ino:
                raise FileNotFoundError(path)
            version, state = _read(file, path.name[: -len(SUFFIX)])
        except OSError:
            os.close(file)
            return None
        return StateFile(path, file, version), state

    def write(self, state: State) -> None:
        text = state.encode()
        if _SLOT.size + len(text) > _SLOT_BYTES:
            raise ValueError("the state of a spool has grown over its slot")
        self._version += 1
        slot = _SLOT.pack(MAGIC, self._version, len(text), crc32(text)) + text
        os.pwrite(self.file, slot, (self._version % 2) * _SLOT_BYTES)

    def sync(self) -> None:
        os.fdatasync(self.file)

    def close(self) -> None:
        """Gives the lock back with the file."""
        os.close(self.file)

    def delete(self) -> None:
        self.path.unlink(missing_ok=True)
        os.close(self.file)


def _read(file: int, producer: str) -> tuple[int, Optional[State]]:
    """The newer of the slots that are whole. A file without any was just created: its state is the first."""
    newest, state = 0, None
    data = os.pread(file, 2 * _SLOT_BYTES, 0)
    for start in (0, _SLOT_BYTES):
        slot = data[start : start + _SLOT_BYTES]
        if len(slot) < _SLOT.size:
            continue
        magic, version, length, checksum = _SLOT.unpack_from(slot)
        text = slot[_SLOT.size : _SLOT.size + length]
        if magic == MAGIC and version > newest and crc32(text) == checksum:
            newest, state = version, State.decode(text)
    if state is None and not any(data):
        state = State(producer)
    return newest, state
