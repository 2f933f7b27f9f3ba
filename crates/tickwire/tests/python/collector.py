"""A collector of OpenTelemetry: prints its port, and then each span that it is sent as a line of JSON."""

import http.server
import json

from opentelemetry.proto.collector.trace.v1 import trace_service_pb2


def plain(value):
    return getattr(value, value.WhichOneof("value"))


class Collector(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        assert (self.path, self.headers["Content-Type"]) == ("/v1/traces", "application/x-protobuf"), (self.path, self.headers)
        request = trace_service_pb2.ExportTraceServiceRequest.FromString(body)
        for of_resource in request.resource_spans:
            resource = {fact.key: plain(fact.value) for fact in of_resource.resource.attributes}
            for scope in of_resource.scope_spans:
                for span in scope.spans:
                    print(json.dumps({
                        "resource": resource, "scope": scope.scope.name, "name": span.name, "kind": span.kind,
                        "trace": span.trace_id.hex(), "span": span.span_id.hex(), "parent": span.parent_span_id.hex(),
                        "from": span.start_time_unix_nano, "to": span.end_time_unix_nano,
                        "facts": {fact.key: plain(fact.value) for fact in span.attributes},
                    }), flush=True)
        self.send_response(200)
        self.send_header("Content-Type", "application/x-protobuf")
        self.end_headers()
        self.wfile.write(trace_service_pb2.ExportTraceServiceResponse().SerializeToString())

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Collector)
print(server.server_port, flush=True)
server.serve_forever()
