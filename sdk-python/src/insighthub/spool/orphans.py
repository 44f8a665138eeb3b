"""What processes have left in a spool when they ended: taken over by whoever gets their lock, and sent as theirs."""

from __future__ import annotations

from collections import deque
from pathlib import Path
from typing import Callable, Optional

from ..batch import BatchLimits
from ..identity import new_producer
from .keeper import SEGMENT_SUFFIX
from .segment import Segment
from .state_file import DRAFT_SUFFIX, SUFFIX, State, StateFile
from .tail import SpoolTail


class Orphan(SpoolTail):
    """The spool of a process that has ended, as a source of batches."""


def adopt(directory: Path, limits: BatchLimits, on_found: Callable[[int], None]) -> list[Orphan]:
    """Takes over every spool in the directory whose process does not live any more."""
    for draft in directory.glob("*" + DRAFT_SUFFIX):
        taken = StateFile.take_over(draft)
        if taken is not None:
            taken[0].delete()
    adopted = []
    for path in sorted(directory.glob("*" + SUFFIX)):
        taken = StateFile.take_over(path)
        if taken is not None:
            adopted.append(_orphan(path, *taken, limits, on_found))
    return adopted


def _orphan(
    path: Path, file: StateFile, state: Optional[State], limits: BatchLimits, on_found: Callable[[int], None]
) -> Orphan:
    name = path.name[: -len(SUFFIX)]
    if state is None:
        # Nobody knows which sequences were used: under the old name new records would pass for old ones.
        state = State(new_producer())
    segments: deque[Segment] = deque()
    for segment_path in sorted(path.parent.glob(f"{name}-*{SEGMENT_SUFFIX}")):
        number = int(segment_path.name[len(name) + 1 : -len(SEGMENT_SUFFIX)])
        if number < state.segment:
            segment_path.unlink(missing_ok=True)
        else:
            segments.append(Segment.found(segment_path, number))
    if state.parts and (not segments or segments[0].number != state.segment):
        state.parts = []
    return Orphan(file, state, limits, segments, lambda segment: True, False, on_found)
