"""A receiver of OTLP over HTTP: decodes what is sent and writes each span as one JSON object a line.

traces.py FOLDER [STATUS]: listens on a free port of loopback and prints it; `spans.ndjson` and, byte for byte, `bodies` are
below FOLDER. With STATUS, nothing is taken and every delivery is answered with it.
"""

import gzip
import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest, ExportTraceServiceResponse
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

folder = Path(sys.argv[1])
refusal = int(sys.argv[2]) if len(sys.argv) > 2 else None
lock = Lock()


def value(any_value):
    kind = any_value.WhichOneof("value")
    assert kind in ("string_value", "bool_value", "int_value"), kind
    return getattr(any_value, kind)


def pairs(attributes):
    names = [pair.key for pair in attributes]
    assert len(names) == len(set(names)), f"an attribute twice: {names}"
    return {pair.key: value(pair.value) for pair in attributes}


def spans(request, headers):
    for group in request.resource_spans:
        for scope in group.scope_spans:
            for span in scope.spans:
                assert len(span.trace_id) == 16 and len(span.span_id) == 8
                yield {
                    "headers": headers,
                    "resource": pairs(group.resource.attributes),
                    "scope": scope.scope.name,
                    "trace": span.trace_id.hex(),
                    "id": span.span_id.hex(),
                    "parent": span.parent_span_id.hex(),
                    "name": span.name,
                    "kind": Span.SpanKind.Name(span.kind),
                    "start": span.start_time_unix_nano,
                    "end": span.end_time_unix_nano,
                    "attributes": pairs(span.attributes),
                    "events": [event.name for event in span.events],
                    "status": Status.StatusCode.Name(span.status.code),
                }


class Receiver(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if refusal is not None:
            return self.answer(refusal, b"")
        if self.path != "/v1/traces" or self.headers["Content-Type"] != "application/x-protobuf":
            return self.answer(400, b"")
        if self.headers["Content-Encoding"] == "gzip":
            body = gzip.decompress(body)
        request = ExportTraceServiceRequest.FromString(body)
        headers = {name.lower(): text for name, text in self.headers.items()}
        lines = [json.dumps(span) + "\n" for span in spans(request, headers)]
        with lock:
            with open(folder / "bodies", "ab") as file:
                file.write(body)
            with open(folder / "spans.ndjson", "a", encoding="utf-8") as file:
                file.writelines(lines)
        self.answer(200, ExportTraceServiceResponse().SerializeToString())

    def answer(self, status, body):
        self.send_response(status)
        self.send_header("Content-Type", "application/x-protobuf")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
print(server.server_port, flush=True)
server.serve_forever()
