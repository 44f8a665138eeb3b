"""Each record as a line that begins with its severity, as programs under systemd print them."""

import sys

import records

PRIORITIES = {"debug": 7, "info": 6, "warn": 4, "error": 3, "fatal": 2}

for record in records.read():
    sys.stdout.write(f"<{PRIORITIES[record['level']] + 8}>{record['message']}\n")
    sys.stdout.flush()
