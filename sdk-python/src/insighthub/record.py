"""From what an application says to one line of JSON that the server takes.

Whatever the values are, there is a line: what JSON or the server does not know is written as text. It is made in the
thread that logs, because objects change afterwards and context is gone; it costs microseconds and does no I/O.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from json.encoder import encode_basestring
from typing import Optional

#: Names with a meaning to the server; a field of such a name is kept as `field.NAME`.
RESERVED = frozenset(["timestamp", "service", "level", "message", "log_id", "created_at", "anomaly_score", "is_anomaly"])
LEVELS = frozenset(["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"])
_LEVEL_ALIASES = {"WARNING": "WARN", "CRITICAL": "FATAL", "SUCCESS": "INFO", "EXCEPTION": "ERROR", "NOTSET": "TRACE"}
#: The server's own bounds, with room to spare.
_DEPTH_MAX = 12
_FIELDS_MAX = 400
_NAME_BYTES_MAX = 256
#: Beyond this an integer is no 64-bit number: as text it keeps every digit.
_INT_MAX = 1 << 63
_TEXT_MAX_IN_FALLBACK = 32 * 1024


def level_name(level: object) -> str:
    """The server's name of a level, by name or by the number `logging` gives it."""
    if isinstance(level, str):
        name = level.upper()
        name = _LEVEL_ALIASES.get(name, name)
        return name if name in LEVELS else "INFO"
    if isinstance(level, (int, float)):
        for bound, name in ((50, "FATAL"), (40, "ERROR"), (30, "WARN"), (20, "INFO"), (10, "DEBUG")):
            if level >= bound:
                return name
        return "TRACE"
    return "INFO"


class RecordEncoder:
    """Writes records of one process: what they have in common is encoded once."""

    def __init__(self, common: Mapping[str, object], record_bytes_max: int) -> None:
        self._common_names = frozenset(common)
        encoded = _encode_any(common)
        self._prefix = encoded[:-1] + ',"timestamp":'
        self._common = dict(common)
        self._bytes_max = record_bytes_max

    def encode(self, timestamp_micros: int, level: str, message: str, fields: Optional[Mapping[str, object]]) -> bytes:
        """One line without its line break."""
        if len(message) > self._bytes_max:
            return self._encode_shortened(timestamp_micros, level, message, fields)
        members = self._encode_fields(fields) if fields else ""
        prefix = self._prefix
        if members is None:  # The application's fields win over those of the process.
            prefix, members = self._merged(fields or {})
        head = f'{prefix}{timestamp_micros},"level":"{level}","message":{encode_basestring(message)}'
        text = f"{head},{members}}}" if members else head + "}"
        try:
            line = text.encode()
        except UnicodeEncodeError:
            line = text.encode("utf-8", "replace")
        if len(line) > self._bytes_max:
            return self._encode_shortened(timestamp_micros, level, message, fields)
        return line

    def _encode_fields(self, fields: Mapping[str, object]) -> Optional[str]:
        """The members of an object, without its brackets; `None` where a name is one of the process as well."""
        if len(fields) <= _FIELDS_MAX and self._is_plain(fields):
            try:
                return _fast.encode(fields)[1:-1]
            except (TypeError, ValueError, OverflowError, RecursionError):
                pass  # Something JSON does not know: written out with care below.
        renamed = _renamed(fields)
        return None if not self._common_names.isdisjoint(renamed) else _encode_any(renamed)[1:-1]

    def _merged(self, fields: Mapping[str, object]) -> tuple[str, str]:
        renamed = _renamed(fields)
        common = {name: value for name, value in self._common.items() if name not in renamed}
        return _encode_any(common)[:-1] + ',"timestamp":', _encode_any(renamed)[1:-1]

    def _is_plain(self, fields: Mapping[str, object]) -> bool:
        """Whether names mean what they say and values need no second look."""
        common = self._common_names
        for name, value in fields.items():
            kind = type(value)
            if kind is str or kind is bool or value is None:
                pass
            elif kind is int:
                if not -_INT_MAX <= value < _INT_MAX:  # type: ignore[operator]
                    return False
            elif kind is not float:
                return False
            if type(name) is not str or not name or name in common or name in RESERVED or len(name) > 64:
                return False
            if name == "latency_ms" and not _is_latency(value):
                return False
        return True

    def _encode_shortened(
        self, timestamp_micros: int, level: str, message: str, fields: Optional[Mapping[str, object]]
    ) -> bytes:
        """A record over the bound: its message is cut, and its fields go where that is not enough."""
        room = max(self._bytes_max // 8, 64)
        short: dict[str, object] = {**self._common, "timestamp": timestamp_micros, "level": level}
        short["message"] = message[:room]
        short["truncated"] = True
        short["message_length"] = len(message)
        with_fields = {**short, **_renamed(fields or {})}
        for candidate in (with_fields, short):
            line = _encode_any(candidate).encode("utf-8", "replace")
            if len(line) <= self._bytes_max:
                return line
        return _encode_any({"service": self._common.get("service", "python"), "message": message[:64]}).encode()


def _renamed(fields: Mapping[str, object]) -> dict[str, object]:
    """Fields whose names the server would take for something else, under other names."""
    renamed: dict[str, object] = {}
    for key, value in list(fields.items())[:_FIELDS_MAX]:
        name = key if isinstance(key, str) else _text_of(key)
        is_taken = name in RESERVED or (name == "latency_ms" and not _is_latency(value))
        renamed[f"field.{name}" if is_taken else name] = value
    if len(fields) > _FIELDS_MAX:
        renamed["fields_left_out"] = len(fields) - _FIELDS_MAX
    return renamed


def _is_latency(value: object) -> bool:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return is_number and 0 <= value < 1e15  # type: ignore[operator]


def _text_of(value: object) -> str:
    try:
        text = str(value)
    except Exception as error:  # noqa: BLE001 - an application's __str__ may raise anything
        text = f"<{type(value).__name__} that cannot be written: {type(error).__name__}>"
    return text[:_TEXT_MAX_IN_FALLBACK]


_fast = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), check_circular=False)


def _encode_any(fields: Mapping[str, object]) -> str:
    return _fast.encode(_cleaned(fields, 0))


def _cleaned(value: object, depth: int) -> object:
    """A copy that JSON and the server know; circles end at the depth."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, int):
        number = int(value)
        return number if -_INT_MAX <= number < _INT_MAX else _digits(number)
    if isinstance(value, float):
        number_or_text = float(value)
        return number_or_text if math.isfinite(number_or_text) else repr(number_or_text)
    if depth >= _DEPTH_MAX:
        return _text_of(type(value).__name__)
    if isinstance(value, Mapping):
        try:
            items = list(value.items())[:_FIELDS_MAX]
        except Exception:  # noqa: BLE001 - an application's mapping may raise anything
            return _text_of(value)
        return {_name(key): _cleaned(item, depth + 1) for key, item in items}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_cleaned(item, depth + 1) for item in list(value)[:1000]]
    if isinstance(value, (bytes, bytearray)):
        return bytes(value[:_TEXT_MAX_IN_FALLBACK]).decode("utf-8", "replace")
    return _text_of(value)


def _digits(number: int) -> str:
    try:
        return str(number)
    except ValueError:  # Python refuses to print very long ones.
        return hex(number)[:1024]


def _name(key: object) -> str:
    name = (key if isinstance(key, str) else _text_of(key)) or "_"
    return name if len(name) <= _NAME_BYTES_MAX // 4 else name.encode("utf-8", "replace")[:200].decode("utf-8", "ignore")
