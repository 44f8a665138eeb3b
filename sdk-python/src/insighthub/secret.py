"""A token that does not show: not in a repr, an error, a traceback with locals, or a log."""

from __future__ import annotations

from pathlib import Path
from typing import Callable, Optional, Union

#: A token itself, or what gives the current one; it is asked before every request, so a rotated token is taken up.
TokenSource = Union[str, Callable[[], str]]


class Secret:
    """Gives its value to whoever asks for it by name, and to nobody else."""

    __slots__ = ("_source",)

    def __init__(self, source: TokenSource) -> None:
        if isinstance(source, str):
            _check(source)
        self._source = source

    @staticmethod
    def of(token: Optional[TokenSource], token_file: Optional[str]) -> Optional[Secret]:
        """The token of the two ways to give one; a file is read anew for every request."""
        if token is not None and token_file is not None:
            raise ValueError("token and token_file are both given: give one")
        if token_file is not None:
            path = Path(token_file)
            return Secret(lambda: path.read_text(encoding="utf-8").strip())
        return Secret(token) if token else None

    def reveal(self) -> str:
        if isinstance(self._source, str):
            return self._source
        value = self._source()
        _check(value)
        return value

    def __repr__(self) -> str:
        return "Secret(***)"

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("a token is not pickled: build the client where it is used")


def _check(value: object) -> None:
    """What a header cannot hold is refused here, where the message does not repeat it."""
    if not isinstance(value, str) or not value:
        raise ValueError("the token must be text that is not empty")
    if not all(0x21 <= ord(character) < 0x7F for character in value):
        raise ValueError("the token holds a character that no token has (white space, control or not ASCII)")
