"""The records to send, as the test wrote them down, at the pace it asks for."""

import json
import logging
import os
import time

LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warn": logging.WARNING,
    "error": logging.ERROR,
    "fatal": logging.CRITICAL,
}
PAUSE_EVERY = 50
PAUSE_SECS = float(os.environ.get("PAUSE_MS", "0")) / 1000


def read():
    with open("records.ndjson", encoding="utf-8") as file:
        for number, line in enumerate(file):
            if PAUSE_SECS and number and number % PAUSE_EVERY == 0:
                time.sleep(PAUSE_SECS)
            yield json.loads(line)


def log_all(logger, extra):
    """Logs each record as an application would; `extra` says how the client takes fields."""
    for record in read():
        level = LEVELS[record["level"]]
        if record["exception"] is None:
            logger.log(level, record["message"], extra=extra(record))
            continue
        try:
            raise ValueError(record["exception"])
        except ValueError:
            logger.log(level, record["message"], exc_info=True, extra=extra(record))
