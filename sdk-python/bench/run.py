"""What logging costs, against OpenTelemetry's exporter and against nothing, in one run: `run.py [RECORDS]`.

Every writer and the sink are processes of their own. A rate of 0 is as fast as it goes.
"""

import json
import subprocess
import sys
import urllib.request
from pathlib import Path

HERE = Path(__file__).parent
RECORDS = int(sys.argv[1]) if len(sys.argv) > 1 else 50_000
KINDS = ("none", "insighthub", "insighthub-spool", "otlp", "otlp-large-queue")
TIMES = ("p50_us", "p99_us", "p999_us", "max_us")
COLUMNS = ("rate", "kind", "logged_per_s", "delivered_per_s", "arrived", "cpu_us", *TIMES, "bytes")

with subprocess.Popen([sys.executable, str(HERE / "sink.py")], stdout=subprocess.PIPE, text=True) as sink:
    assert sink.stdout is not None
    url = f"http://127.0.0.1:{sink.stdout.readline().strip()}"
    print(" | ".join(COLUMNS))
    try:
        for rate, records in ((0, RECORDS), (2_000, 20_000)):
            for kind in KINDS:
                command = [sys.executable, str(HERE / "writer.py"), kind, url, str(records), str(rate)]
                done = subprocess.run(command, capture_output=True, text=True, check=False)
                if done.returncode:
                    print(kind, "failed:", done.stderr[-500:])
                    continue
                result = json.loads(done.stdout.splitlines()[-1])
                with urllib.request.urlopen(url + "/count") as answer:
                    counted = json.load(answer)
                result.update(rate=rate, arrived=counted["records"] - 10, bytes=round(counted["bytes"] / records, 1))
                print(" | ".join(str(result[name]) for name in COLUMNS), flush=True)
    finally:
        sink.kill()
