"""Tells people that logs do not arrive: on stderr, and rarely. Never through `logging`: it would come back."""

from __future__ import annotations

import sys
import time
from typing import Callable, Optional

#: The same kind of trouble is told once in this time.
_QUIET_SECS = 60.0


class Trouble:
    """Called by the client's own threads, and at the end of the process."""

    def __init__(self, tell: Optional[Callable[[str], None]]) -> None:
        self._tell = tell or _print
        self._told_at: dict[str, float] = {}

    def __call__(self, message: str, kind: str = "") -> None:
        now = time.monotonic()
        key = kind or message
        if now - self._told_at.get(key, -_QUIET_SECS) < _QUIET_SECS:
            return
        self._told_at[key] = now
        try:
            self._tell(message)
        except Exception:  # noqa: BLE001, S110 - what cannot be told is counted all the same
            pass


def _print(message: str) -> None:
    if sys.stderr is not None:
        print(f"insighthub: {message}", file=sys.stderr, flush=True)
