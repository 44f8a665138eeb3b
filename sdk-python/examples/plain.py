"""The standard library alone: `python plain.py`. INSIGHTHUB_NODES names nodes, with commas between them."""

import logging
import logging.config

import insighthub

logging.config.dictConfig(
    {
        "version": 1,
        "handlers": {"insighthub": {"class": "insighthub.InsightHubHandler", "service": "plain"}},
        "root": {"handlers": ["insighthub"], "level": "INFO"},
    }
)

log = logging.getLogger("shop")
with insighthub.bound(request_id="r-1"):
    log.info("order paid", extra={"order": 7, "latency_ms": 12.5})
    try:
        {}["missing"]
    except KeyError:
        log.exception("order failed")
