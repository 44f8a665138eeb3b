"""What a client can be told, checked where it is said: an error names the setting, the value and what is allowed."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable, Optional, Union

from .admission import WHEN_FULL, WhenFull
from .nodes import Address
from .secret import Secret, TokenSource

DEFAULT_URL = "http://localhost:8000"
KIB, MIB = 1024, 1024 * 1024
#: `never`: what the kernel has survives the process, not the machine. `interval`: at most a second is lost with the power.
#: `batch`: besides, a batch that may have been sent is never sent again under another identity.
FSYNC = ("never", "interval", "batch")


@dataclass(frozen=True)
class DeadLetter:
    """A record that will not be stored, as it was sent."""

    line: str
    reason: str
    #: The field at fault, where the server named one.
    field: Optional[str]
    #: Whether the server keeps it, to be mended and replayed (`GET /api/dead-letters`).
    is_kept_by_server: bool


@dataclass(frozen=True)
class Settings:
    nodes: list[Address]
    token: Optional[Secret]
    ca: Optional[str]
    service: Optional[str]
    instance: Optional[str]
    env: Optional[str]
    region: Optional[str]
    fields: Mapping[str, object]
    queue_bytes: int
    when_full: WhenFull
    block_secs: Optional[float]
    batch_records: int
    batch_bytes: int
    linger_secs: float
    record_bytes_max: int
    spool_dir: Optional[Path]
    spool_bytes: int
    spool_fsync: str
    flush_secs: float
    connect_secs: float
    answer_secs: float
    discover: bool
    on_dead_letter: Optional[Callable[[DeadLetter], None]] = field(repr=False)
    on_trouble: Optional[Callable[[str], None]] = field(repr=False)

    @staticmethod
    def read(
        url: Union[str, Iterable[str], None],
        *,
        token: Optional[TokenSource],
        token_file: Optional[str],
        when_full: str,
        spool_dir: Union[str, os.PathLike[str], None],
        spool_fsync: str,
        **others: object,
    ) -> Settings:
        if when_full not in WHEN_FULL:
            raise ValueError(f"when_full is {when_full!r}: it must be one of {', '.join(WHEN_FULL)}")
        if spool_fsync not in FSYNC:
            raise ValueError(f"spool_fsync is {spool_fsync!r}: it must be one of {', '.join(FSYNC)}")
        spool_dir = spool_dir or os.environ.get("INSIGHTHUB_SPOOL") or None
        if spool_dir is not None and sys.platform == "win32":
            raise ValueError("spool_dir needs file locks of POSIX: leave it out on Windows")
        if token is None and token_file is None:
            token = os.environ.get("INSIGHTHUB_TOKEN") or None
        settings = Settings(
            nodes=_addresses(url),
            token=Secret.of(token, token_file),
            when_full=when_full,
            spool_dir=None if spool_dir is None else Path(spool_dir).absolute(),
            spool_fsync=spool_fsync,
            **others,  # type: ignore[arg-type]
        )
        settings._check()
        return settings

    def _check(self) -> None:
        for name, least, most in (
            ("queue_bytes", 64 * KIB, 1 << 40),
            ("batch_records", 1, 100_000),
            ("batch_bytes", 1 * KIB, 8 * MIB),
            ("linger_secs", 0, 60),
            ("record_bytes_max", 1 * KIB, 1 * MIB),
            ("spool_bytes", 1 * MIB, 1 << 44),
            ("flush_secs", 0, 600),
            ("connect_secs", 0.05, 60),
            ("answer_secs", 0.1, 300),
        ):
            value = getattr(self, name)
            is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
            if not is_number or not least <= value <= most:
                raise ValueError(f"{name} is {value!r}: it must be a number from {least} to {most}")
        if self.record_bytes_max * 2 > self.queue_bytes:
            raise ValueError(f"record_bytes_max is {self.record_bytes_max}: at most half of queue_bytes will do")
        if self.spool_dir is not None and self.record_bytes_max * 16 > self.spool_bytes:
            raise ValueError(f"record_bytes_max is {self.record_bytes_max}: at most 1/16 of spool_bytes will do")


def _addresses(url: Union[str, Iterable[str], None]) -> list[Address]:
    """One url, several, or several in one text with commas; else those of INSIGHTHUB_NODES; else a node on this machine."""
    if url is None:
        url = os.environ.get("INSIGHTHUB_NODES") or DEFAULT_URL
    texts = url.split(",") if isinstance(url, str) else list(url)
    addresses = [Address.parse(text.strip()) for text in texts if text.strip()]
    if not addresses:
        raise ValueError("no node is given: name at least one url")
    return addresses
