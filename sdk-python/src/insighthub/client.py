"""The client: takes records from an application and has them delivered. Everything else in this package feeds it."""

from __future__ import annotations

import asyncio
import os
import random
import sys
import threading
import time
import traceback
from collections.abc import Iterable, Mapping
from functools import partial
from types import TracebackType
from typing import Callable, Optional, Union

from . import context, lifecycle
from .admission import Room
from .batch import BatchLimits, Source, Store
from .counters import Counters, Stats
from .identity import identity_fields, new_producer, service_name
from .membership import Membership
from .memory_queue import MemoryQueue
from .nodes import Nodes
from .record import RecordEncoder, level_name
from .reports import DropReports
from .secret import TokenSource
from .sender import Sender, orphans_of
from .settings import KIB, MIB, DeadLetter, Settings
from .transport import Transport
from .trouble import Trouble
from .wakeup import Wakeup

if sys.platform != "win32":
    from .spool import Spool, SpoolKeeper, SpoolOptions

_LOOK_AGAIN_SECS = 0.002


class Client:
    """Sends records of one service. Any thread may use it, and so may a forked child; `emit` never waits and never raises.

    One per process is enough. See the README for what each setting means and what is guaranteed.
    """

    def __init__(
        self,
        url: Union[str, Iterable[str], None] = None,
        *,
        service: Optional[str] = None,
        token: Optional[TokenSource] = None,
        token_file: Optional[str] = None,
        ca: Optional[str] = None,
        instance: Optional[str] = None,
        env: Optional[str] = None,
        region: Optional[str] = None,
        fields: Optional[Mapping[str, object]] = None,
        queue_bytes: int = 16 * MIB,
        when_full: str = "drop_oldest",
        block_secs: Optional[float] = None,
        batch_records: int = 1_000,
        batch_bytes: int = 512 * KIB,
        linger_secs: float = 0.25,
        record_bytes_max: int = 256 * KIB,
        spool_dir: Union[str, os.PathLike[str], None] = None,
        spool_bytes: int = 256 * MIB,
        spool_fsync: str = "interval",
        flush_secs: float = 5.0,
        connect_secs: float = 3.0,
        answer_secs: float = 15.0,
        discover: bool = True,
        capture_uncaught: bool = True,
        handle_signals: bool = True,
        on_dead_letter: Optional[Callable[[DeadLetter], None]] = None,
        on_trouble: Optional[Callable[[str], None]] = None,
    ) -> None:
        self._settings = Settings.read(
            url,
            token=token,
            token_file=token_file,
            ca=ca,
            service=service,
            instance=instance,
            env=env,
            region=region,
            fields=dict(fields or {}),
            queue_bytes=queue_bytes,
            when_full=when_full,
            block_secs=block_secs,
            batch_records=batch_records,
            batch_bytes=batch_bytes,
            linger_secs=linger_secs,
            record_bytes_max=record_bytes_max,
            spool_dir=spool_dir,
            spool_bytes=spool_bytes,
            spool_fsync=spool_fsync,
            flush_secs=flush_secs,
            connect_secs=connect_secs,
            answer_secs=answer_secs,
            discover=discover,
            on_dead_letter=on_dead_letter,
            on_trouble=on_trouble,
        )
        self.captures_uncaught = capture_uncaught
        self.handles_signals = handle_signals
        self.flush_secs = flush_secs
        self._service = service_name(service)
        #: The caller closes it, so the end of the process only flushes it: records may follow.
        self.is_closed_by_owner = False
        #: The time the end of the process may take is over then, however many ask for more of it (logging does, twice).
        self._ends_at: Optional[float] = None
        self._assemble()
        if self._keeper is not None:
            self._keeper.keep_up()  # So that the first record finds the spool there.
        lifecycle.register(self)

    def _assemble(self) -> None:
        """Everything that belongs to one process; a forked child makes its own."""
        settings = self._settings
        producer = new_producer()
        self._is_closed = False
        self._counters = counters = Counters()
        self._wakeup = wakeup = Wakeup()
        self._trouble = Trouble(settings.on_trouble)
        common = identity_fields(self._service, producer, settings.instance, settings.env, settings.region, settings.fields)
        self._encoder = RecordEncoder(common, settings.record_bytes_max)
        limits = BatchLimits(settings.batch_records, settings.batch_bytes)
        room = Room(settings.when_full, settings.block_secs, lambda: not self._is_closed)
        self._keeper: Optional[SpoolKeeper] = None
        self._store: Store
        adopt: Optional[Callable[[], list[Source]]] = None
        if settings.spool_dir is None:
            self._store = MemoryQueue(producer, limits, settings.queue_bytes, room, counters, wakeup)
        else:
            self._store = self._make_spool(producer, limits, room)
            adopt = partial(orphans_of, settings.spool_dir, limits, counters)
        self._sender = Sender(
            self._store,
            Nodes(settings.nodes, random.Random()),
            Transport(settings.token, settings.ca, settings.connect_secs, settings.answer_secs),
            counters,
            DropReports(producer, self._encode_report, counters),
            Membership() if settings.discover else None,
            adopt,
            settings.linger_secs,
            settings.on_dead_letter,
            self._trouble,
            wakeup,
        )
        self._is_started = False
        self._starting = threading.Lock()

    def _make_spool(self, producer: str, limits: BatchLimits, room: Room) -> Spool:
        settings = self._settings
        assert settings.spool_dir is not None, "a spool needs a directory"
        keeper_wakeup = Wakeup()
        options = SpoolOptions(settings.spool_dir, settings.spool_bytes)
        spool = Spool(producer, options, limits, settings.queue_bytes, room, self._counters, self._wakeup, keeper_wakeup)
        self._keeper = SpoolKeeper(
            spool, limits, settings.spool_fsync, room.when_full, self._counters, keeper_wakeup, self._trouble
        )
        return spool

    # Logging. None of these waits (but `when_full="block"`), raises, or does I/O.

    def emit(
        self,
        level: Union[str, int],
        message: object,
        fields: Optional[Mapping[str, object]] = None,
        *,
        timestamp: Optional[float] = None,
    ) -> None:
        """Takes one record. `timestamp` is in seconds since 1970; now if not given."""
        try:
            bound = context.current()
            if bound:
                fields = {**bound, **fields} if fields else bound
            micros = int((time.time() if timestamp is None else timestamp) * 1e6)
            text = message if isinstance(message, str) else _text(message)
            self.put(self._encoder.encode(micros, level_name(level), text, fields))
        except Exception:  # noqa: BLE001 - an application does not fail because it logs
            self._counters.internal_errors += 1

    def put(self, line: bytes) -> None:
        """Takes a record that is encoded already."""
        calling = self._sender.calling_thread
        if calling is not None and calling == threading.get_ident():
            return  # A callback for what was refused logs: that may be refused as well, and so on for ever.
        if self._is_closed:
            self._counters.emitted += 1
            self._counters.drop_one("closed")
            return
        self._store.put(line)
        if not self._is_started:
            self._start()

    def debug(self, message: object, **fields: object) -> None:
        self.emit("DEBUG", message, fields)

    def info(self, message: object, **fields: object) -> None:
        self.emit("INFO", message, fields)

    def warning(self, message: object, **fields: object) -> None:
        self.emit("WARN", message, fields)

    def error(self, message: object, **fields: object) -> None:
        self.emit("ERROR", message, fields)

    def exception(self, message: object, **fields: object) -> None:
        """An ERROR with the exception that is being handled."""
        kind, value, trace = sys.exc_info()
        self.emit("ERROR", message, {**exception_fields(kind, value, trace), **fields})

    # Delivery.

    def flush(self, timeout: Optional[float] = None) -> bool:
        """Waits until everything taken so far is settled: True. With a spool, also when no node answers and all of it is
        safe on disk: False."""
        until = self._until(timeout)
        return self._wait_for_delivery(until)

    def _until(self, timeout: Optional[float]) -> float:
        until = time.monotonic() + (self._settings.flush_secs if timeout is None else timeout)
        return until if self._ends_at is None else min(until, self._ends_at)

    async def aflush(self, timeout: Optional[float] = None) -> bool:
        """The same for asyncio: the loop goes on meanwhile."""
        return await asyncio.get_running_loop().run_in_executor(None, self.flush, timeout)

    def close(self, timeout: Optional[float] = None) -> bool:
        """Flushes, ends the threads and gives back files. What a spool still holds is for the next process."""
        until = self._until(timeout)
        if self._is_closed:
            return True
        is_delivered = self._wait_for_delivery(until)
        self._is_closed = True
        lifecycle.unregister(self)
        if self._keeper is not None:
            self._keeper.stop()
        self._sender.end(max(until - time.monotonic(), 0.5))
        if not self._sender.is_alive():
            self._store.close()
        return is_delivered

    def close_soon(self) -> None:
        """Closes in a thread of its own: for callers that hold locks others may need."""
        threading.Thread(target=self.close, name="insighthub-close", daemon=False).start()

    def stats(self) -> Stats:
        return self._counters.stats()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        nodes = ", ".join(str(address) for address in self._settings.nodes)
        return f"<insighthub.Client service={self._service!r} nodes=[{nodes}]>"

    # For the life of the process (lifecycle.py).

    def hurry(self) -> None:
        """Says that a flush is about to wait."""
        self._sender.hurry(self)

    def flush_for_exit(self, until: float, *, is_last: bool) -> None:
        """Bounded; says on stderr what could not be delivered and is gone with the process."""
        self._ends_at = until
        try:
            is_delivered = self._wait_for_delivery(until)
            if not is_delivered and not self._store.is_durable():
                lost = self._counters.stats().waiting
                self._trouble(f"{lost} records could not be sent before the process ended", kind="exit")
            if is_last or not self.is_closed_by_owner:
                self.close(max(until - time.monotonic(), 0.0))
        except Exception:  # noqa: BLE001 - a process that ends is not held up by its logs
            self._counters.internal_errors += 1
        finally:
            self._sender.rest(self)

    def flush_before_handler(self, until: float) -> None:
        """Before a signal handler of the application, which may end the process or not."""
        try:
            self._wait_for_delivery(until)
        except Exception:  # noqa: BLE001 - a handler is not held up by logs
            self._counters.internal_errors += 1
        finally:
            self._sender.rest(self)

    def capture(
        self,
        message: str,
        kind: Optional[type[BaseException]],
        value: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        """A record of an exception that nobody caught."""
        self.emit("FATAL", message, {**exception_fields(kind, value, trace), "uncaught": True})

    def restart_in_child(self) -> None:
        """After a fork, in the child: what waits, the spool and the connections are the parent's."""
        self._store.forget()
        was_closed = self._is_closed
        self._ends_at = None
        self._assemble()
        self._is_closed = was_closed

    def _start(self) -> None:
        """The threads begin with the first record: a process that forks before has none."""
        if not self._starting.acquire(blocking=False):
            return
        try:
            if not self._is_started:
                lifecycle.on_first_record(self)
                self._sender.start()
                if self._keeper is not None:
                    self._keeper.start()
                self._is_started = True
        except RuntimeError:
            pass  # The interpreter is ending and starts no more threads: a flush sends in its own.
        finally:
            self._starting.release()

    def _wait_for_delivery(self, until: float) -> bool:
        target = self._counters.emitted_by_now()
        waiter = object()
        sender = self._sender
        failures_before = sender.failures_in_a_row
        sender.hurry(waiter)
        try:
            if not sender.is_alive() and not self._store.is_empty():
                self._start()
                if not sender.is_alive():
                    sender.drain_here(until)
            while not self._is_delivered(target):
                if time.monotonic() >= until:
                    return False
                failed = sender.failures_in_a_row - failures_before
                if failed >= 2 * len(self._settings.nodes) and self._store.is_durable():
                    return False
                time.sleep(_LOOK_AGAIN_SECS)
            return True
        finally:
            sender.rest(waiter)

    def _is_delivered(self, target: int) -> bool:
        return self._store.is_empty() or self._sender.settled_own + self._counters.dropped() >= target

    def _encode_report(self, message: str, fields: dict[str, object]) -> bytes:
        return self._encoder.encode(int(time.time() * 1e6), "WARN", message, fields)


def exception_fields(
    kind: Optional[type[BaseException]], value: Optional[BaseException], trace: Optional[TracebackType]
) -> dict[str, object]:
    """An exception as fields, by the names OpenTelemetry gives them."""
    if kind is None:
        return {}
    try:
        stack = "".join(traceback.format_exception(kind, value, trace))
    except Exception:  # noqa: BLE001 - a broken exception must not hide that there was one
        stack = ""
    return {
        "exception.type": f"{kind.__module__}.{kind.__qualname__}" if kind.__module__ != "builtins" else kind.__name__,
        "exception.message": _text(value),
        "exception.stacktrace": stack,
    }


def _text(value: object) -> str:
    try:
        return str(value)
    except Exception:  # noqa: BLE001 - an application's __str__ may raise anything
        return f"<{type(value).__name__} that cannot be written>"
