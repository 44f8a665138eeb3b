"""An HTTP server that takes logs of either protocol and counts them when it is asked: `sink.py`. Prints its port."""

import gzip
import json
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

bodies: list[tuple[str, str, bytes]] = []


class Sink(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        bodies.append((self.path, self.headers.get("Content-Encoding") or "", body))
        is_ours = self.path == "/api/logs"
        self.reply(json.dumps({"status": "queued", "rejected": 0}).encode() if is_ours else b"")

    def do_GET(self):
        if self.path != "/count":
            self.reply(b"{}", 404)
            return
        records, size = count()
        bodies.clear()
        self.reply(json.dumps({"records": records, "bytes": size}).encode())

    def reply(self, body, status=200):
        self.send_response(status)
        is_json = self.path != "/v1/logs"
        self.send_header("Content-Type", "application/json" if is_json else "application/x-protobuf")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def count():
    records, size = 0, 0
    for path, encoding, body in bodies:
        size += len(body)
        plain = gzip.decompress(body) if encoding == "gzip" else zlib.decompress(body) if encoding == "deflate" else body
        if path == "/api/logs":
            records += plain.count(b"\n")
        else:
            from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

            request = ExportLogsServiceRequest.FromString(plain)
            records += sum(len(scope.log_records) for one in request.resource_logs for scope in one.scope_logs)
    return records, size


server = ThreadingHTTPServer(("127.0.0.1", 0), Sink)
print(server.server_port, flush=True)
server.serve_forever()
