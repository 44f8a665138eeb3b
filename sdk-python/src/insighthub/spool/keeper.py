"""The thread that touches the disk for a spool: makes segments ahead, keeps to the bound, syncs, gives memory back."""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from typing import Callable, Optional

from ..admission import WhenFull
from ..batch import BatchLimits
from ..counters import Counters
from ..wakeup import Wakeup
from .segment import Segment
from .state_file import State, StateFile
from .store import Spool
from .tail import SpoolTail

SEGMENT_SUFFIX = ".seg"
#: With `spool_fsync` as `interval`: no more than this is lost with the power.
_SYNC_SECS = 1.0
#: A disk with less room is left to the application.
_FREE_BYTES_MIN = 32 * 1024 * 1024


class SpoolKeeper:
    """`keep_up` does what is due; `run` is a thread that calls it."""

    def __init__(
        self,
        spool: Spool,
        limits: BatchLimits,
        fsync: str,
        when_full: WhenFull,
        counters: Counters,
        wakeup: Wakeup,
        trouble: Callable[[str], None],
    ) -> None:
        self._spool = spool
        self._limits = limits
        self._fsync = fsync
        self._when_full = when_full
        self._counters = counters
        self._wakeup = wakeup
        self._trouble = trouble
        self._next_number = 1
        self._synced_at = time.monotonic()
        self._is_ending = False
        self._thread: Optional[threading.Thread] = None

    def start(self) -> None:
        if self._thread is None:
            thread = threading.Thread(target=self._run, name="insighthub-spool", daemon=True)
            thread.start()
            self._thread = thread

    def stop(self) -> None:
        self._is_ending = True
        self._wakeup.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(5.0)

    def _run(self) -> None:
        while not self._is_ending:
            self._wakeup.wait(_SYNC_SECS)
            if not self._is_ending:
                self.keep_up()

    def keep_up(self) -> None:
        """Never raises: a disk in trouble is told of, and records wait in memory."""
        try:
            if self._spool.tail is None:
                self._open()
            if not self._spool.spare:
                self._make_spare()
            tail = self._spool.tail
            if tail is not None:
                tail.unmap_closed()
                if self._fsync != "never" and time.monotonic() - self._synced_at >= _SYNC_SECS:
                    tail.sync()
                    self._synced_at = time.monotonic()
        except OSError as error:
            self._trouble(f"the spool cannot be written ({error.strerror}): records wait in memory")
        except Exception:  # noqa: BLE001 - whatever it is, the next round tries again
            self._counters.internal_errors += 1

    def _open(self) -> None:
        directory = self._spool.options.directory
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = StateFile.create(directory, self._spool.producer)
        state = State(self._spool.producer)
        file.write(state)

        def tail_of(segments: deque[Segment]) -> SpoolTail:
            syncs = self._fsync == "batch"
            spool = self._spool
            return SpoolTail(file, state, self._limits, segments, spool.is_closed, syncs)

        self._spool.open(tail_of)

    def _make_spare(self) -> None:
        """One segment ahead. Where the directory is full the oldest goes, or nothing is made until there is room."""
        options = self._spool.options
        size = options.segment_bytes()
        while bytes_of_segments(options.directory) + size > options.bytes_max:
            if self._when_full != "drop_oldest" or self._spool.tail is None:
                return
            if not self._spool.tail.has_droppable():
                return
            self._counters.drop("spool_full", self._spool.tail.drop_oldest())
        if _free_bytes(options.directory) < size + _FREE_BYTES_MIN:
            self._trouble("the disk of the spool is nearly full: records wait in memory")
            return
        number = self._next_number
        self._next_number += 1
        path = options.directory / f"{self._spool.producer}-{number:08d}{SEGMENT_SUFFIX}"
        self._spool.spare.append(Segment.create(path, number, size))


def bytes_of_segments(directory: os.PathLike[str]) -> int:
    total = 0
    with os.scandir(directory) as entries:
        for entry in entries:
            if entry.name.endswith(SEGMENT_SUFFIX):
                try:
                    total += entry.stat().st_size
                except FileNotFoundError:
                    pass  # Its process is done with it.
    return total


def _free_bytes(directory: os.PathLike[str]) -> int:
    status = os.statvfs(directory)
    return status.f_bavail * status.f_frsize
