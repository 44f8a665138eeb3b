"""Logs with the standard library through one exporter, and prints what it cost: `writer.py KIND URL RECORDS RATE`.

Rate 0: as fast as it goes."""

import json
import logging
import sys
import tempfile
import time

kind, url, records, rate = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
log = logging.getLogger("shop.checkout")
log.setLevel(logging.INFO)
log.propagate = False


def install():
    """Installs the exporter; answers how to wait for delivery."""
    if kind == "none":

        class Nothing(logging.Handler):
            def emit(self, record):
                record.getMessage()

        log.addHandler(Nothing())
        return lambda: None
    if kind.startswith("insighthub"):
        import insighthub

        spool = tempfile.mkdtemp() if kind == "insighthub-spool" else None
        handler = insighthub.InsightHubHandler(url, service="bench", spool_dir=spool, queue_bytes=64 << 20)
        log.addHandler(handler)
        return lambda: handler.client.flush(60)
    from opentelemetry.exporter.otlp.proto.http import Compression
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
    from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
    from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
    from opentelemetry.sdk.resources import Resource

    provider = LoggerProvider(Resource.create({"service.name": "bench"}))
    exporter = OTLPLogExporter(endpoint=url + "/v1/logs", compression=Compression.Gzip)
    queue = {"max_queue_size": 1 << 20} if kind == "otlp-large-queue" else {}
    provider.add_log_record_processor(BatchLogRecordProcessor(exporter, **queue))
    log.addHandler(LoggingHandler(logger_provider=provider))
    return lambda: provider.force_flush(60_000)


deliver = install()
for _ in range(10):
    log.info("warm up", extra={"order": "o-0", "amount": 1})
deliver()
times = []
cpu_before, start = time.process_time(), time.perf_counter()
for number in range(records):
    if rate:
        due = start + number / rate
        while (ahead := due - time.perf_counter()) > 0:
            time.sleep(ahead)
    before = time.perf_counter_ns()
    log.info("order %d was paid in %s", number, "EUR", extra={"order": f"o-{number}", "amount": number * 0.5, "n": number})
    times.append(time.perf_counter_ns() - before)
logged = time.perf_counter() - start
deliver()
wall, cpu = time.perf_counter() - start, time.process_time() - cpu_before
times.sort()
print(
    json.dumps(
        {
            "kind": kind,
            "records": records,
            "logged_per_s": round(records / logged),
            "delivered_per_s": round(records / wall),
            "cpu_us": round(cpu / records * 1e6, 2),
            "p50_us": round(times[records // 2] / 1e3, 1),
            "p99_us": round(times[records * 99 // 100] / 1e3, 1),
            "p999_us": round(times[records * 999 // 1000] / 1e3, 1),
            "max_us": round(times[-1] / 1e3, 1),
        }
    )
)
