"""What happens to a record that comes while the queue is full."""

from __future__ import annotations

import time
from typing import Callable, Literal, Optional

WhenFull = Literal["drop_oldest", "drop_newest", "block"]
WHEN_FULL: tuple[WhenFull, ...] = ("drop_oldest", "drop_newest", "block")

#: A thread that waits for room looks this often.
_LOOK_AGAIN_SECS = 0.002


class Room:
    """The policy for a full queue."""

    def __init__(self, when_full: WhenFull, block_secs: Optional[float], may_wait: Callable[[], bool]) -> None:
        self.when_full: WhenFull = when_full
        self._block_secs = block_secs
        self._may_wait = may_wait

    def wait_for(self, has_room: Callable[[], bool]) -> None:
        """With `block`: waits until there is room, as long as was allowed. Called without the lock."""
        if self.when_full != "block" or has_room():
            return
        until = None if self._block_secs is None else time.monotonic() + self._block_secs
        while self._may_wait() and not has_room():
            if until is not None and time.monotonic() >= until:
                return
            time.sleep(_LOOK_AGAIN_SECS)
