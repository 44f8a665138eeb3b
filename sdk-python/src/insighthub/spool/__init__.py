"""A bounded queue on disk that outlives its process, also a `kill -9`.

A record is copied into a file that is mapped into memory: that is all the thread that logs does, and from there on the
record is the kernel's. Files are made, synced and deleted by threads of the client. What a process leaves behind is sent
by the next one that uses the directory, under the identities it had.
"""

from .keeper import SpoolKeeper
from .orphans import Orphan, adopt
from .store import Spool, SpoolOptions

__all__ = ["Orphan", "Spool", "SpoolKeeper", "SpoolOptions", "adopt"]
