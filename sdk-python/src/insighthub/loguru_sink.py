"""A sink for loguru: `logger.add(InsightHubSink(client))`."""

from __future__ import annotations

from typing import Any

from .client import Client, exception_fields

_LEVELS = {"TRACE": "TRACE", "DEBUG": "DEBUG", "SUCCESS": "INFO", "WARNING": "WARN", "CRITICAL": "FATAL"}


class InsightHubSink:
    """Takes the record behind each formatted message: its fields, its exception and its time."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def __call__(self, message: Any) -> None:
        record = message.record
        level = record["level"]
        fields: dict[str, object] = {"logger": record["name"], "source": f"{record['file'].name}:{record['line']}"}
        fields.update(record["extra"])
        exception = record["exception"]
        if exception is not None:
            fields.update(exception_fields(exception.type, exception.value, exception.traceback))
        name = _LEVELS.get(level.name) or (level.name if level.name in ("INFO", "ERROR") else level.no)
        self._client.emit(name, record["message"], fields, timestamp=record["time"].timestamp())
