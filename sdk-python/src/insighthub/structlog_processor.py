"""A processor for structlog: put it last before the renderer, or last of all with `is_last=True`."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

from .client import Client, exception_fields

#: What other processors of structlog put there, under the names a record has.
_LEVELS = {"warn": "WARN", "warning": "WARN", "critical": "FATAL", "fatal": "FATAL", "exception": "ERROR"}


class InsightHubProcessor:
    """Sends a copy of each event and hands it on. Holds for bound and contextvars fields alike: they are in the event."""

    def __init__(self, client: Client, *, is_last: bool = False) -> None:
        self._client = client
        self._is_last = is_last

    def __call__(self, logger: Any, method_name: str, event_dict: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        fields = dict(event_dict)
        message = fields.pop("event", "")
        level = str(fields.pop("level", method_name))
        fields.pop("timestamp", None)
        exc_info = fields.pop("exc_info", None)
        if exc_info:
            fields.update(_exception(exc_info))
        if "exception" in fields:
            fields["exception.stacktrace"] = fields.pop("exception")
        self._client.emit(_LEVELS.get(level.lower(), level), message, fields)
        if self._is_last:
            import structlog

            raise structlog.DropEvent
        return event_dict


def _exception(exc_info: Any) -> dict[str, object]:
    if exc_info is True:
        import sys

        exc_info = sys.exc_info()
    if isinstance(exc_info, BaseException):
        return exception_fields(type(exc_info), exc_info, exc_info.__traceback__)
    if isinstance(exc_info, tuple) and len(exc_info) == 3:
        return exception_fields(*exc_info)
    return {}
