"""Wakes a thread, from any place: inside a signal handler, a finaliser, or right after a fork.

`threading.Event` and `Condition` take a lock that is not reentrant: a handler that logs while the thread it interrupted
was inside `set()` would never return. Giving back a raw lock is one step that nothing can interrupt.
"""

from __future__ import annotations

import threading


class Wakeup:
    """Set many times, it wakes once."""

    __slots__ = ("_lock", "is_awaited")

    def __init__(self) -> None:
        #: Set by the waiting thread before it looks for the last time: whoever brings something now must wake it. Others
        #: save the time.
        self.is_awaited = False
        self._lock = threading.Lock()
        self._lock.acquire()

    def set(self) -> None:
        try:
            self._lock.release()
        except RuntimeError:
            pass  # It is set already.

    def set_if_awaited(self) -> None:
        if self.is_awaited:
            self.is_awaited = False
            self.set()

    def wait(self, secs: float) -> bool:
        """Waits until it is set or time has passed, and takes it back."""
        return self._lock.acquire(timeout=max(secs, 0.0))
