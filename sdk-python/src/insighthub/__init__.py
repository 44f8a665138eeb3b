"""Logs to InsightHub.

import logging, insighthub
logging.getLogger().addHandler(insighthub.InsightHubHandler("http://localhost:8000", service="checkout"))
logging.warning("hello")
"""

from ._version import VERSION
from .client import Client
from .context import bind, bound, clear, reset, unbind
from .counters import Stats
from .handler import InsightHubHandler
from .lifecycle import install_signal_handlers
from .loguru_sink import InsightHubSink
from .settings import DeadLetter
from .structlog_processor import InsightHubProcessor

__version__ = VERSION

__all__ = [
    "Client",
    "DeadLetter",
    "InsightHubHandler",
    "InsightHubProcessor",
    "InsightHubSink",
    "Stats",
    "__version__",
    "bind",
    "bound",
    "clear",
    "install_signal_handlers",
    "reset",
    "unbind",
]
