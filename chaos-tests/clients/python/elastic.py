"""elasticsearch-py: each record is a document with an id of its own, sent in bulk."""

import traceback

import records
import setup
from elasticsearch import helpers


def documents():
    for record in records.read():
        document = {
            "_op_type": "create",
            "_index": setup.index,
            "_id": str(record["n"]),
            "@timestamp": record["timestamp"],
            "service": setup.service,
            "level": record["level"],
            "message": record["message"],
            **record["fields"],
        }
        if record["exception"] is not None:
            try:
                raise ValueError(record["exception"])
            except ValueError as error:
                document["error"] = {
                    "type": type(error).__name__,
                    "message": str(error),
                    "stack_trace": traceback.format_exc(),
                }
        yield document


assert setup.client.ping()
print(setup.client.info()["version"]["number"])
stored, failed = helpers.bulk(setup.client, documents(), chunk_size=100)
print(stored, failed)
