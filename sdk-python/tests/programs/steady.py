"""Logs numbered records at a steady rate and prints its counters: `steady.py URLS SERVICE RATE SECS [SPOOL]`.

Whatever goes wrong in the application is counted."""

import json
import sys
import time
from pathlib import Path

import insighthub

urls, service, rate, secs = sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
spool = sys.argv[5] if len(sys.argv) > 5 else None


def memory_kib(what):
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(what):
            return int(line.split()[1])
    return 0


client = insighthub.Client(urls, service=service, spool_dir=spool, queue_bytes=8 << 20, flush_secs=60)
errors, worst_ms, number = 0, 0.0, 0
start = time.monotonic()
memory_before = memory_kib("VmRSS:")
while (passed := time.monotonic() - start) < secs:
    while number < passed * rate:
        before = time.perf_counter()
        try:
            client.info("a record of the load", n=number, order=f"o-{number}", text="x" * 100)
        except BaseException:
            errors += 1
        worst_ms = max(worst_ms, (time.perf_counter() - before) * 1e3)
        number += 1
    time.sleep(0.005)
delivered = client.flush(90)
print(
    json.dumps(
        {
            "emitted": number,
            "errors": errors,
            "worst_emit_ms": round(worst_ms, 2),
            "delivered": delivered,
            "memory_before_kib": memory_before,
            "memory_peak_kib": memory_kib("VmHWM:"),
            "stats": client.stats().as_dict(),
        }
    ),
    flush=True,
)
