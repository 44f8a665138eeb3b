"""Fields that belong to what is going on: bound once, on every record until they are let go.

They live in a `contextvars.ContextVar`, so that each thread, asyncio task and request has its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar, Token
from types import MappingProxyType

_EMPTY: Mapping[str, object] = MappingProxyType({})
_fields: ContextVar[Mapping[str, object]] = ContextVar("insighthub_fields", default=_EMPTY)


def bind(**fields: object) -> Token[Mapping[str, object]]:
    """Adds fields to every record from here on in this context; `reset` with the result takes them back."""
    return _fields.set({**_fields.get(), **fields})


def unbind(*names: str) -> None:
    """Takes fields off again by their names."""
    _fields.set({name: value for name, value in _fields.get().items() if name not in names})


def reset(token: Token[Mapping[str, object]]) -> None:
    _fields.reset(token)


def clear() -> None:
    """Takes off all fields of this context: at the start of a request in a thread that is used again."""
    _fields.set(_EMPTY)


@contextmanager
def bound(**fields: object) -> Iterator[None]:
    """`with bound(request_id=...):` binds for the length of a block."""
    token = bind(**fields)
    try:
        yield
    finally:
        _fields.reset(token)


def current() -> Mapping[str, object]:
    """What is bound here; not to be changed."""
    return _fields.get()
