"""A program on the same machine that logs to the system's socket, as programs do: the daemon under test forwards."""

import logging
import logging.handlers
import os
import sys

import records

handler = logging.handlers.SysLogHandler(address=os.path.abspath("log"))
# The daemon ends a message where the datagram ends.
handler.append_nul = False
handler.ident = f"{sys.argv[1]}[4242]: "
handler.setFormatter(logging.Formatter("%(message)s"))
logger = logging.getLogger("shop")
logger.setLevel(logging.DEBUG)
logger.addHandler(handler)
logger.propagate = False
records.log_all(logger, lambda record: None)
