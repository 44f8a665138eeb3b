"""The thread that sends: takes batches in order, one at a time, and stays with each until it is settled.

One batch is under way at a time, so the server need not remember many of a client to know a retry, and records arrive in
order. It takes no lock that a thread which logs may hold.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from pathlib import Path
from typing import Callable, Optional

from .batch import Batch, BatchLimits, Source, Store
from .counters import Counters
from .membership import Membership
from .nodes import Node, Nodes
from .reports import DropReports
from .settings import DeadLetter
from .transport import Answer, Transport, Verdict
from .trouble import Trouble
from .wakeup import Wakeup

#: How often spools of processes that have ended are looked for.
_ADOPT_SECS = 15.0
#: While somebody waits for the end of the process or a flush, no pause is longer.
_HURRY_SECS = 0.25
#: After an error of the SDK itself.
_STUMBLE_SECS = 0.2
#: How often an idle thread looks for what nobody wakes it for: spools of others, records dropped.
_IDLE_SECS = 1.0
#: Something came while it was looked.
_RACE_SECS = 0.005


class Sender:
    """Made anew in a forked child."""

    def __init__(
        self,
        store: Store,
        nodes: Nodes,
        transport: Transport,
        counters: Counters,
        reports: DropReports,
        membership: Optional[Membership],
        adopt: Optional[Callable[[], list[Source]]],
        linger_secs: float,
        on_dead_letter: Optional[Callable[[DeadLetter], None]],
        trouble: Trouble,
        wakeup: Wakeup,
    ) -> None:
        self._store = store
        self._nodes = nodes
        self._transport = transport
        self._counters = counters
        self._reports = reports
        self._membership = membership
        self._adopt = adopt
        self._linger_secs = linger_secs
        self._on_dead_letter = on_dead_letter
        self._trouble = trouble
        self._wakeup = wakeup
        self._thread: Optional[threading.Thread] = None
        self._is_ending = False
        #: One for each flush that waits.
        self._hurries: set[object] = set()
        self._orphans: deque[Source] = deque()
        self._adopted_at = -_ADOPT_SECS
        self._lingers_until: Optional[float] = None
        #: Own records that are settled: what a flush waits for.
        self.settled_own = 0
        self.failures_in_a_row = 0
        #: The thread that is inside a callback of the application: what it logs would come back to it.
        self.calling_thread: Optional[int] = None

    def start(self) -> None:
        if self._thread is None:
            thread = threading.Thread(target=self._run, name="insighthub-sender", daemon=True)
            thread.start()
            self._thread = thread

    def is_alive(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def end(self, timeout: float) -> None:
        """Ends after the request that is under way; what waits stays."""
        self._is_ending = True
        self._wakeup.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout)
        if not self.is_alive():
            self._transport.close()
            for orphan in self._orphans:
                close_source(orphan)
            self._orphans.clear()

    def hurry(self, waiter: object) -> None:
        self._hurries.add(waiter)
        self._wakeup.set()

    def rest(self, waiter: object) -> None:
        self._hurries.discard(waiter)

    def drain_here(self, until: float) -> None:
        """Sends in the thread that calls: at the end of an interpreter that starts no more threads."""
        self._hurries.add(self)
        while time.monotonic() < until and not self._store.is_empty():
            self._round(until)
        self._hurries.discard(self)

    def _run(self) -> None:
        while not self._is_ending:
            try:
                if not self._round(None):
                    self._pause()
            except Exception as error:  # noqa: BLE001 - a thread that dies would take all records with it
                self._counters.internal_errors += 1
                self._counters.last_error = f"internal error: {type(error).__name__}"
                self._trouble(f"an internal error ({type(error).__name__}): trying again", kind="internal")
                self._wakeup.wait(_STUMBLE_SECS)

    def _round(self, until: Optional[float]) -> bool:
        """One batch of each source that has one. False: there was none."""
        self._look_for_orphans()
        if self._counters.batches and not self.failures_in_a_row:
            self._reports.look(is_urgent=bool(self._hurries))
        found = self._send_next(self._reports, until)
        if self._orphans and not self._hurries:
            found = self._send_of_orphan(until) or found
        if self._is_due():
            self._lingers_until = None
            found = self._send_next(self._store, until) or found
        return found

    def _is_due(self) -> bool:
        if self._store.is_empty():
            self._lingers_until = None
            return False
        if self._hurries or self._store.is_due():
            return True
        now = time.monotonic()
        if self._lingers_until is None:
            self._lingers_until = now + self._linger_secs
        return now >= self._lingers_until

    def _pause(self) -> None:
        """Until a batch is full or old enough, or, with nothing to send, until something comes."""
        if self._lingers_until is not None:
            self._wakeup.wait(self._lingers_until - time.monotonic())
            return
        self._wakeup.is_awaited = True
        # Looked at once more: what came before `is_awaited` was set is seen here, what comes later wakes.
        self._wakeup.wait(_IDLE_SECS if self._store.is_empty() else _RACE_SECS)
        self._wakeup.is_awaited = False

    def _look_for_orphans(self) -> None:
        now = time.monotonic()
        if self._adopt is not None and now - self._adopted_at >= _ADOPT_SECS:
            self._adopted_at = now
            self._orphans.extend(self._adopt())

    def _send_of_orphan(self, until: Optional[float]) -> bool:
        orphan = self._orphans[0]
        if self._send_next(orphan, until):
            return True
        self._orphans.popleft()
        close_source(orphan)
        return False

    def _send_next(self, source: Source, until: Optional[float]) -> bool:
        batch = source.next_batch()
        if batch is None:
            return False
        self._deliver(source, batch, until)
        if self._membership is not None:
            self._membership.look(self._nodes, self._transport)
        return True

    def _deliver(self, source: Source, batch: Batch, until: Optional[float]) -> None:
        """Stays with a batch until it is settled, or split, or the thread is to end."""
        is_first = True
        while not self._is_ending and (until is None or time.monotonic() < until):
            now = time.monotonic()
            if self._hurries:
                self._nodes.hurry(now, _HURRY_SECS)
            node = self._nodes.pick(now)
            if node is None:
                # Woken early by a flush, and now and then by records that come; neither does harm.
                self._wakeup.wait(min(self._nodes.secs_until_ready(now), 1.0))
                continue
            self._counters.retries += 0 if is_first else 1
            is_first = False
            answer = self._transport.send(node.address, batch)
            if answer.is_stale_connection:
                answer = self._transport.send(node.address, batch)
            if self._conclude(source, batch, node, answer, time.monotonic() - now):
                return

    def _conclude(self, source: Source, batch: Batch, node: Node, answer: Answer, secs: float) -> bool:
        """Whether the batch, as it is, is done with."""
        if answer.verdict is Verdict.SETTLED:
            self._nodes.answered(node, secs)
            if self._membership is not None:
                self._membership.hear(self._nodes, node.address, answer.nodes)
            self._settle(source, batch, answer)
            return True
        self._counters.last_error = f"{node.address}: {answer.reason}"
        if answer.verdict in (Verdict.SPLIT, Verdict.REFUSED):
            self._nodes.answered(node, secs)
            if answer.verdict is Verdict.SPLIT and len(batch.lines) > 1:
                source.split(batch)
            else:
                self._refuse(source, batch, answer.reason)
            return True
        self.failures_in_a_row += 1
        told = f"logs are not taken ({node.address}: {answer.reason}); they wait and are sent again"
        self._trouble(told, kind="failed")
        now = time.monotonic()
        if answer.verdict is Verdict.THROTTLED:
            self._nodes.throttled(node, now, answer.retry_after_secs)
        else:
            self._nodes.failed(node, now, answer.retry_after_secs)
        return False

    def _settle(self, source: Source, batch: Batch, answer: Answer) -> None:
        counters, records = self._counters, len(batch.lines)
        source.settle(batch)
        counters.last_error = None
        counters.batches += 1
        counters.duplicates += answer.is_duplicate
        counters.rejected += answer.rejected
        counters.stored += records - answer.rejected
        self.failures_in_a_row = 0
        self._count_own(source, records)
        for rejection in answer.rejections:
            if 0 <= rejection.position < records:
                line = batch.lines[rejection.position]
                self._give_up(DeadLetter(_text(line), rejection.reason, rejection.field, True))

    def _refuse(self, source: Source, batch: Batch, reason: str) -> None:
        source.settle(batch)
        self._counters.rejected += len(batch.lines)
        self._count_own(source, len(batch.lines))
        for line in batch.lines:
            self._give_up(DeadLetter(_text(line), reason, None, False))

    def _count_own(self, source: Source, records: int) -> None:
        if source is self._store:
            self.settled_own += records

    def _give_up(self, letter: DeadLetter) -> None:
        self._trouble(f"a record was refused: {letter.reason}", kind="refused")
        if self._on_dead_letter is not None:
            try:
                self.calling_thread = threading.get_ident()
                self._on_dead_letter(letter)
            except Exception as error:  # noqa: BLE001 - the application's own
                self._trouble(f"on_dead_letter failed with {type(error).__name__}", kind="callback")
            finally:
                self.calling_thread = None


def _text(line: bytes) -> str:
    return line.decode("utf-8", "replace")


def close_source(source: Source) -> None:
    close = getattr(source, "close", None)
    if close is not None:
        close()


def orphans_of(directory: Path, limits: BatchLimits, counters: Counters) -> list[Source]:
    """Spools in the directory whose processes do not live any more."""
    from .spool import adopt  # Needs POSIX: only loaded where a spool is used.

    def found(records: int) -> None:
        counters.adopted += records

    return list(adopt(directory, limits, found))
