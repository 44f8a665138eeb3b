"""Who writes: the fields that every record of a process carries."""

from __future__ import annotations

import os
import secrets
import socket
import sys
from collections.abc import Mapping
from typing import Optional

from ._version import VERSION

SDK = f"insighthub-python/{VERSION}"


def service_name(given: Optional[str]) -> str:
    """The name given, else that of the environment, else that of the program."""
    name = given or os.environ.get("INSIGHTHUB_SERVICE") or os.environ.get("OTEL_SERVICE_NAME")
    if not name:
        program = os.path.basename(sys.argv[0] if sys.argv else "")
        name = os.path.splitext(program)[0]
    if name in ("", "-c", "-m", "__main__"):
        name = "python"
    name = "".join(character for character in name if character.isprintable())
    return name.encode("utf-8", "replace")[:128].decode("utf-8", "ignore") or "python"


def identity_fields(
    service: str,
    producer: str,
    instance: Optional[str],
    env: Optional[str],
    region: Optional[str],
    fields: Optional[Mapping[str, object]],
) -> dict[str, object]:
    """What all records of this process have in common. Called again in a forked child, whose pid is another."""
    known: dict[str, Optional[object]] = {
        "service": service,
        "instance_id": instance or os.environ.get("INSIGHTHUB_INSTANCE") or producer[3:11],
        "env": env or os.environ.get("INSIGHTHUB_ENV"),
        "region": region or os.environ.get("INSIGHTHUB_REGION"),
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "sdk": SDK,
    }
    common = {name: value for name, value in known.items() if value is not None}
    common.update((name, value) for name, value in (fields or {}).items() if name != "service")
    return common


def new_producer() -> str:
    """An id that no other client has, and that no child inherits: the server knows batches by it."""
    return "py-" + secrets.token_hex(12)
