"""The ends of a process, and its forks: for all clients of it, in one place.

| event | what happens |
|---|---|
| normal end, `sys.exit`, uncaught exception, Ctrl-C | `atexit`: a flush of bounded time |
| end of a `multiprocessing` child | the same, by the finalisers of `multiprocessing`, which skips `atexit` |
| SIGTERM, SIGHUP (and SIGINT where Python's own handler was taken away) | a bounded flush, then what would have happened |
| uncaught exception, also in a thread | a FATAL record, then the hook that was there before |
| fork | the child begins anew: own identity, queue, threads, connections, spool |
"""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
import time
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any, Callable, Optional

if TYPE_CHECKING:
    from .client import Client

#: A handler that was there before us decides when the process ends: it is not kept waiting for long.
_CHAINED_FLUSH_SECS = 1.0

_clients: list[Client] = []
_is_installed = False
_previous_excepthook: Optional[Callable[..., Any]] = None
_previous_thread_hook: Optional[Callable[..., Any]] = None


def register(client: Client, *, handle_signals: bool) -> None:
    global _is_installed
    _clients.append(client)
    if not _is_installed:
        _is_installed = True
        atexit.register(_flush_all)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=_after_fork_in_child)
        _install_exception_hooks()
    _flush_at_end_of_child()
    if handle_signals:
        install_signal_handlers()


def unregister(client: Client) -> None:
    if client in _clients:
        _clients.remove(client)


def _flush_all(secs: Optional[float] = None) -> None:
    """All clients at once, within the longest time one of them allows."""
    clients = list(_clients)
    for client in clients:
        client.hurry()
    start = time.monotonic()
    for client in clients:
        allowed = client.flush_secs if secs is None else min(secs, client.flush_secs)
        client.flush_for_exit(start + allowed)


# Signals.

_previous_handlers: dict[int, Any] = {}


def install_signal_handlers() -> None:
    """For SIGTERM and SIGHUP, which would end the process without a word, and handlers that may do so. Only the main thread
    can; called from another it does nothing."""
    if threading.current_thread() is not threading.main_thread():
        return
    for name in ("SIGTERM", "SIGHUP", "SIGINT"):
        number = getattr(signal, name, None)
        if number is None:
            continue
        current = signal.getsignal(number)
        # Ctrl-C as Python has it raises KeyboardInterrupt, which ends in atexit.
        is_ours_to_take = current is signal.SIG_DFL or callable(current)
        if is_ours_to_take and current not in (_on_signal, signal.default_int_handler):
            try:
                signal.signal(number, _on_signal)
                _previous_handlers[number] = current
            except (ValueError, OSError):
                pass  # A subinterpreter, or a system that does not allow it.


def _on_signal(number: int, frame: Optional[FrameType]) -> None:
    previous = _previous_handlers.get(number, signal.SIG_DFL)
    if callable(previous):
        _flush_all(_CHAINED_FLUSH_SECS)
        previous(number, frame)
        return
    _flush_all()
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


# Forks.


def _after_fork_in_child() -> None:
    for client in _clients:
        try:
            client.restart_in_child()
        except Exception as error:  # noqa: BLE001 - a fork does not fail because of logs
            print(f"insighthub: a forked child cannot log: {type(error).__name__}", file=sys.stderr)
    # multiprocessing clears what was registered before; its own hook for after a fork comes later.
    util = sys.modules.get("multiprocessing.util")
    if util is not None:
        util.register_after_fork(_MARK, lambda mark: _flush_at_end_of_child())


class _Mark:
    """multiprocessing keeps hooks by weak references to objects."""


_MARK = _Mark()


def _flush_at_end_of_child() -> None:
    """A child of multiprocessing ends by os._exit behind its own finalisers."""
    util = sys.modules.get("multiprocessing.util")
    process = sys.modules.get("multiprocessing.process")
    if util is not None and process is not None and process.parent_process() is not None:
        util.Finalize(None, _flush_all, exitpriority=-100)


# Exceptions that nobody caught.


def _install_exception_hooks() -> None:
    global _previous_excepthook, _previous_thread_hook
    _previous_excepthook, sys.excepthook = sys.excepthook, _on_uncaught
    _previous_thread_hook, threading.excepthook = threading.excepthook, _on_uncaught_in_thread


def _on_uncaught(kind: type[BaseException], value: BaseException, trace: Optional[TracebackType]) -> None:
    if issubclass(kind, Exception):
        _capture(f"uncaught {kind.__name__}", kind, value, trace)
    if _previous_excepthook is not None:
        _previous_excepthook(kind, value, trace)


def _on_uncaught_in_thread(args: threading.ExceptHookArgs) -> None:
    if issubclass(args.exc_type, Exception):
        name = args.thread.name if args.thread is not None else "?"
        _capture(f"uncaught {args.exc_type.__name__} in thread {name}", args.exc_type, args.exc_value, args.exc_traceback)
    if _previous_thread_hook is not None:
        _previous_thread_hook(args)


def _capture(
    message: str, kind: type[BaseException], value: Optional[BaseException], trace: Optional[TracebackType]
) -> None:
    for client in list(_clients):
        if client.captures_uncaught:
            client.capture(message, kind, value, trace)
