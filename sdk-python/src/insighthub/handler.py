"""A `logging.Handler`, for code and for `dictConfig`."""

from __future__ import annotations

import logging
from typing import Any, Optional

from .client import Client, exception_fields
from .record import level_name

#: What every LogRecord has; anything else came with `extra`.
_STANDARD = frozenset(vars(logging.LogRecord("", 0, "", 0, "", None, None))) | {"message", "asctime", "taskName"}
_MAIN_THREAD = "MainThread"


class InsightHubHandler(logging.Handler):
    """Sends what `logging` gives it. Takes a client, or whatever `Client` takes to make its own.

    With a formatter set, its text is the message; without, the message is as it was logged. `extra` becomes fields.
    """

    def __init__(
        self, url: Any = None, *, client: Optional[Client] = None, level: int = logging.NOTSET, **options: Any
    ) -> None:
        super().__init__(level)
        if client is not None and (url is not None or options):
            raise ValueError("a client is given: its settings are given to it")
        self._owns_client = client is None
        self.client = Client(url, **options) if client is None else client
        if self._owns_client:
            self.client.is_closed_by_owner = True

    def createLock(self) -> None:  # noqa: N802 - the name is that of logging
        """None: `emit` may be called by many threads at once, and a lock would outlive a fork in the wrong state."""
        self.lock = None

    def handle(self, record: logging.LogRecord) -> bool:
        """As it is inherited, without the lock."""
        passed: Any = self.filter(record)
        if passed:
            # Since 3.12 a filter may give another record instead.
            self.emit(passed if isinstance(passed, logging.LogRecord) else record)
        return passed  # type: ignore[no-any-return]

    def emit(self, record: logging.LogRecord) -> None:
        try:
            message = self._message(record)
            fields: dict[str, object] = {"logger": record.name, "source": f"{record.filename}:{record.lineno}"}
            if record.threadName and record.threadName != _MAIN_THREAD:
                fields["thread"] = record.threadName
            if record.exc_info and record.exc_info[0] is not None:
                fields.update(exception_fields(*record.exc_info))
            elif record.exc_text:
                fields["exception.stacktrace"] = record.exc_text
            if record.stack_info:
                fields["stack"] = record.stack_info
            for name, value in vars(record).items():
                if name not in _STANDARD:
                    fields[name] = value
            self.client.emit(level_name(record.levelno), message, fields, timestamp=record.created)
        except Exception:  # noqa: BLE001 - an application does not fail because it logs
            self.handleError(record)

    def _message(self, record: logging.LogRecord) -> str:
        if self.formatter is not None:
            return self.formatter.format(record)
        try:
            return record.getMessage()
        except Exception:  # noqa: BLE001 - arguments that do not fit their message: kept as they are
            return f"{record.msg} {record.args!r}"

    def flush(self) -> None:
        """Waits for delivery, within the client's `flush_secs`; not while this thread holds the lock of `logging`, which
        somebody it would wait for may need."""
        if _holds_logging_lock():
            self.client.hurry()
        else:
            self.client.flush()

    def close(self) -> None:
        super().close()
        if not self._owns_client:
            return
        if _holds_logging_lock():
            self.client.close_soon()
        else:
            self.client.close()


def _holds_logging_lock() -> bool:
    """As `dictConfig` does while it closes the handlers that were there before."""
    is_owned = getattr(getattr(logging, "_lock", None), "_is_owned", None)
    return bool(is_owned is not None and is_owned())
