"""The ends of a process, and its forks: for all clients of it, in one place.

| event | what happens |
|---|---|
| normal end, `sys.exit`, uncaught exception, Ctrl-C | `atexit`: a flush of bounded time |
| end of a `multiprocessing` child | the same, by the finalisers of `multiprocessing`, which skips `atexit` |
| SIGTERM, SIGHUP (SIGINT where Python's own handler was replaced) | a bounded flush, then what would have happened |
| uncaught exception, also in a thread | a FATAL record, then the hook that was there before |
| fork | the child begins anew: own identity, queue, threads, connections, spool |
"""

from __future__ import annotations

import atexit
import os
import sys
import threading
import time
from types import TracebackType
from typing import TYPE_CHECKING, Any, Callable, Optional

from .signals import SignalHandlers

if TYPE_CHECKING:
    from .client import Client

_clients: list[Client] = []
_is_installed = False
_previous_excepthook: Optional[Callable[..., Any]] = None
_previous_thread_hook: Optional[Callable[..., Any]] = None


def register(client: Client) -> None:
    global _is_installed
    _clients.append(client)
    if not _is_installed:
        _is_installed = True
        atexit.register(_flush_all)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(
                before=_signals.before_fork,
                after_in_parent=_signals.after_fork_in_parent,
                after_in_child=_after_fork_in_child,
            )
        _install_exception_hooks()
    _flush_at_end_of_child()
    if client.handles_signals:
        _signals.install()


def unregister(client: Client) -> None:
    if client in _clients:
        _clients.remove(client)


def _flush_all(*, is_last: bool = False) -> None:
    """At the end of the process: all clients at once, within the longest time one of them allows. `is_last`: nothing of
    this process follows, not even the end of `logging`."""
    clients, start = _hurried()
    for client in clients:
        client.flush_for_exit(start + client.flush_secs, is_last=is_last)


def _flush_for_signal(secs: Optional[float]) -> None:
    """Before a handler of the application, which is not kept waiting for long; without one, before the process ends."""
    if secs is None:
        _flush_all(is_last=True)
        return
    clients, start = _hurried()
    for client in clients:
        client.flush_before_handler(start + min(secs, client.flush_secs))


def _hurried() -> tuple[list[Client], float]:
    clients = list(_clients)
    for client in clients:
        client.hurry()
    return clients, time.monotonic()


_signals = SignalHandlers(_flush_for_signal)


def install_signal_handlers() -> None:
    """Takes SIGTERM and SIGHUP over, and handlers set by others since. Only the main thread may; elsewhere: nothing."""
    _signals.install()


def on_first_record(client: Client) -> None:
    """The client's threads are about to start; in a forked child this is where it begins to care for signals."""
    if client.handles_signals:
        _signals.install()
        _signals.watch()


# Forks.


def _after_fork_in_child() -> None:
    _signals.after_fork_in_child()
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
        util.Finalize(None, _flush_all, kwargs={"is_last": True}, exitpriority=-100)


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
