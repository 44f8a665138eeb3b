#!/usr/bin/env python3
r"""Answers the eight questions of `insighthub bench query` from a file of NDJSON.

Shares no code with InsightHub: the answers it writes are what a node's answers are held against.
Python 3.11, standard library only; every processor takes a piece of the file.

    insighthub demo --records 5000000 --seed 1 --file day.ndjson
    python3 node/benches/query_reference.py day.ndjson > expect.json
    insighthub bench query --spawn --file day.ndjson --expect expect.json

The questions, as the query language asks them:

q1: service:payment level:error | limit 50
q2: level:error | stats count() as errors by service, time(1m)
q3: "ledger checksum mismatch" | limit 100
q4: /took ([89]\d\d|[1-9]\d{3,})ms/ | stats count() as hits
q5: * | stats p95(latency_ms) as p95 by service, time(5m)
q6: trace_id:4bf92f3577b34da6a3ce929d0e0e4736 | limit 100
q7: *timeout* | stats count() as hits
q8: * | stats distinct(userId) as users

Every group of q2 and q5 is a row, ascending by service, then time. A p95 is the smallest value that at
least 95 % of the group's values do not exceed; a node's may be off by 1 % of it. Words match as
`grep -iwF` matches, so q3 wants no letter, digit or underscore beside the phrase; substrings match in any
case, regular expressions as they stand.
"""

import array
import collections
import datetime
import heapq
import json
import math
import multiprocessing
import os
import re
import sys

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PHRASE = re.compile(r"(?<!\w)ledger checksum mismatch(?!\w)", re.IGNORECASE)
SLOW = re.compile(r"took ([89][0-9][0-9]|[1-9][0-9]{3,})ms")
MINUTE_CHARS = len("2026-01-30T00:00")
QUANTILE = 0.95
# A node promises 1 % of the value; rounding of the last digit comes on top.
QUANTILE_TOLERANCE = 0.010001


class Tally:
    """What one piece of the file contributes; pieces are added up."""

    def __init__(self):
        self.records = 0
        self.errors = collections.Counter()
        self.latencies = collections.defaultdict(lambda: array.array("d"))
        self.users = set()
        self.slow = self.timeouts = 0
        self.payment_errors, self.phrase, self.trace = [], [], []

    def take(self, record):
        self.records += 1
        message, when = record["message"], record["timestamp"]
        service, level = record["service"], record["level"].upper()
        if level == "ERROR":
            self.errors[service, when[:MINUTE_CHARS]] += 1
            if service == "payment":
                self.payment_errors.append((when, message))
        bucket = self.latencies[service, five_minutes(when)]
        if record.get("latency_ms") is not None:
            bucket.append(record["latency_ms"])
        if record.get("userId") is not None:
            self.users.add(record["userId"])
        self.slow += SLOW.search(message) is not None
        self.timeouts += "timeout" in message.lower()
        if PHRASE.search(message):
            self.phrase.append((when, message))
        if record.get("trace_id", "").lower() == TRACE:
            self.trace.append((when, message))

    def add(self, other):
        self.records += other.records
        self.errors.update(other.errors)
        for key, values in other.latencies.items():
            self.latencies[key].extend(values)
        self.users |= other.users
        self.slow += other.slow
        self.timeouts += other.timeouts
        self.payment_errors += other.payment_errors
        self.phrase += other.phrase
        self.trace += other.trace


def five_minutes(when):
    """The start of the stretch of five minutes, as text up to the minute."""
    return f"{when[:14]}{int(when[14:16]) // 5 * 5:02d}"


def moment(minute):
    """A minute in the form in which answers write moments."""
    return f"{minute}:00.000Z"


def quantile(values):
    """By the definition above; nothing of no values."""
    ordered = sorted(values)
    return ordered[math.ceil(QUANTILE * len(ordered)) - 1] if ordered else None


def tally_piece(piece):
    """Takes the lines that begin in a stretch of the file."""
    path, begin, end = piece
    tally = Tally()
    with open(path, "rb") as file:
        if begin:
            # The line that the stretch begins within belongs to the piece before.
            file.seek(begin - 1)
            file.readline()
        while file.tell() < end:
            line = file.readline()
            if line.strip():
                tally.take(json.loads(line))
    tally.latencies = dict(tally.latencies)
    return tally


def table(columns, rows, **more):
    return {"kind": "table", "columns": columns, "rows": rows, **more}


def newest(records, limit):
    """The newest records; which of those of the oldest moment, is left open."""
    taken = heapq.nlargest(limit, records, key=lambda record: record[0])
    if len(taken) < limit or not taken:
        return {"kind": "records", "count": len(taken), "sure": taken, "boundary": []}
    oldest = taken[-1][0]
    sure = [record for record in taken if record[0] > oldest]
    boundary = [record for record in records if record[0] == oldest]
    return {"kind": "records", "count": limit, "sure": sure, "boundary": boundary}


def answers(tally):
    return {
        "q1": newest(tally.payment_errors, 50),
        "q2": table(
            ["service", "time", "errors"],
            [[service, moment(minute), n] for (service, minute), n in sorted(tally.errors.items())],
        ),
        "q3": newest(tally.phrase, 100),
        "q4": table(["hits"], [[tally.slow]]),
        "q5": table(
            ["service", "time", "p95"],
            [[service, moment(start), quantile(values)] for (service, start), values in sorted(tally.latencies.items())],
            tolerance=QUANTILE_TOLERANCE,
        ),
        "q6": newest(tally.trace, 100),
        "q7": table(["hits"], [[tally.timeouts]]),
        "q8": table(["users"], [[len(tally.users)]]),
    }


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: query_reference.py FILE.ndjson > expect.json")
    path = sys.argv[1]
    size = os.path.getsize(path)
    processors = os.cpu_count() or 1
    pieces = max(1, min(processors * 8, size // (1 << 20)))
    edges = [size * number // pieces for number in range(pieces + 1)]
    started = datetime.datetime.now()
    whole = Tally()
    with multiprocessing.Pool(processors) as pool:
        stretches = [(path, begin, end) for begin, end in zip(edges, edges[1:])]
        for tally in pool.imap(tally_piece, stretches):
            whole.add(tally)
    result = {"records": whole.records, "bytes": size, "answers": answers(whole)}
    json.dump(result, sys.stdout)
    counts = {name: len(a.get("rows", [])) if a["kind"] == "table" else a["count"] for name, a in result["answers"].items()}
    for name in ("q4", "q7", "q8"):
        counts[name] = result["answers"][name]["rows"][0][0]
    secs = (datetime.datetime.now() - started).total_seconds()
    print(f"{whole.records} records, {size} bytes, {secs:.1f} s: {counts}", file=sys.stderr)


if __name__ == "__main__":
    main()
