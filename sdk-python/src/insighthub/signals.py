"""SIGTERM and its like: a bounded flush, then what would have happened without us.

Python runs handlers in the main thread between two steps of it. A signal that comes just before that thread blocks in a
system call sets a flag nobody looks at: the process neither ends nor goes on (a pool of multiprocessing that is terminated
waits for ever). So a thread hears of every signal over a pipe, which the handler in C writes to at once, and wakes the
main thread until it has run the handler: by SIGURG, which means nothing and ends a system call early.
"""

from __future__ import annotations

import os
import select
import signal
import threading
import time
from types import FrameType
from typing import Any, Callable, Optional

#: SIGINT as Python has it raises KeyboardInterrupt, which ends in atexit; where that was changed it is one of them.
_SIGNALS = ("SIGTERM", "SIGHUP", "SIGINT")
#: A handler that has not run for so long is waited for in vain.
_UNHEARD_SECS = 0.05
_ATTEMPTS_MAX = 100
_BLIND_ATTEMPTS = 5


class SignalHandlers:
    """Of the whole process. Installed by the main thread only, as Python demands."""

    def __init__(self, flush: Callable[[Optional[float]], None]) -> None:
        self._flush = flush
        self._previous: dict[int, Any] = {}
        self._runs = 0
        self._ending = {int(getattr(signal, name)) for name in _SIGNALS if hasattr(signal, name)}
        self._mask_before_fork: set[Any] = set()
        self._pipe: Optional[tuple[int, int]] = None
        self._watcher: Optional[threading.Thread] = None

    def install(self) -> None:
        if threading.current_thread() is not threading.main_thread():
            return
        for name in _SIGNALS:
            number = getattr(signal, name, None)
            current = None if number is None else signal.getsignal(number)
            is_ours_to_take = current is signal.SIG_DFL or callable(current)
            if number is None or not is_ours_to_take or current in (self._handle, signal.default_int_handler):
                continue
            try:
                signal.signal(number, self._handle)
            except (ValueError, OSError):
                continue  # A subinterpreter, or a system that does not allow it.
            self._previous[number] = current
        urgent = getattr(signal, "SIGURG", None)
        if self._previous and self._pipe is None and urgent and signal.getsignal(urgent) is signal.SIG_DFL:
            signal.signal(urgent, _do_nothing)
            self._pipe = _wakeup_pipe()

    def watch(self) -> None:
        """Starts the thread that hears of signals, where there is something to hear."""
        if self._pipe is not None and self._watcher is None:
            thread = threading.Thread(target=self._listen, args=self._pipe[:1], name="insighthub-signals", daemon=True)
            thread.start()
            self._watcher = thread

    def before_fork(self) -> None:
        """A signal to a child that is not set up yet would run our handler in C and be forgotten: it waits until then."""
        if self._previous:
            self._mask_before_fork = signal.pthread_sigmask(signal.SIG_BLOCK, list(self._previous))

    def after_fork_in_parent(self) -> None:
        if self._previous:
            signal.pthread_sigmask(signal.SIG_SETMASK, self._mask_before_fork)

    def after_fork_in_child(self) -> None:
        """Signals are as they were before us, until the child logs; the pipe is the parent's."""
        was_blocked = bool(self._previous)
        self._forget()
        if was_blocked:
            signal.pthread_sigmask(signal.SIG_SETMASK, self._mask_before_fork)

    def _forget(self) -> None:
        for number, previous in self._previous.items():
            if signal.getsignal(number) == self._handle:
                signal.signal(number, previous)
        if self._pipe is not None:
            current = signal.set_wakeup_fd(-1)
            if current != self._pipe[1]:
                signal.set_wakeup_fd(current)  # Somebody else's by now.
            if signal.getsignal(signal.SIGURG) is _do_nothing:
                signal.signal(signal.SIGURG, signal.SIG_DFL)
            for end in self._pipe:
                os.close(end)
        self._previous, self._pipe, self._watcher = {}, None, None

    def _handle(self, number: int, frame: Optional[FrameType]) -> None:
        self._runs += 1
        previous = self._previous.get(number, signal.SIG_DFL)
        if callable(previous):
            # It decides when the process ends, and is not kept waiting for long.
            self._flush(1.0)
            previous(number, frame)
            return
        self._flush(None)
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    def _listen(self, pipe: int) -> None:
        seen = 0
        while True:
            heard = os.read(pipe, 64)
            if not heard:
                return
            if any(number in self._previous and signal.getsignal(number) == self._handle for number in heard):
                seen = self._insist(seen)
            elif self._ending.intersection(heard):
                # Somebody else's handler, of which nobody knows when it has run: Ctrl-C as Python has it.
                for _ in range(_BLIND_ATTEMPTS):
                    self._wake_main()
            # Signals that came meanwhile were handled by the same run, or will be by one that is due anyway.
            while select.select([pipe], [], [], 0)[0]:
                os.read(pipe, 64)

    def _insist(self, seen: int) -> int:
        """Until the handler has run since the last time."""
        for _ in range(_ATTEMPTS_MAX):
            if self._runs > seen:
                break
            self._wake_main()
        return self._runs

    def _wake_main(self) -> None:
        time.sleep(_UNHEARD_SECS)
        main = threading.main_thread().ident
        if main is not None:
            signal.pthread_kill(main, signal.SIGURG)


def _do_nothing(number: int, frame: Optional[FrameType]) -> None:
    """That the system call ended early is all it is for."""


def _wakeup_pipe() -> Optional[tuple[int, int]]:
    """A pipe that hears of every signal; none where somebody else listens already (asyncio, in whose loop the main thread
    wakes by itself)."""
    receiving, sending = os.pipe()
    os.set_blocking(sending, False)
    before = signal.set_wakeup_fd(sending, warn_on_full_buffer=False)
    if before == -1:
        return receiving, sending
    signal.set_wakeup_fd(before)
    os.close(receiving)
    os.close(sending)
    return None
