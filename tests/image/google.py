"""A name server, the metadata server and BigQuery on a loopback address, as the service finds them on Cloud Run.

It tests that a static binary can look up a name, and that it can get a token in an image with few files. An emulator
would test neither: its address is a number, and it needs no token.
"""

import json
import os
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# Its own address, because the port must be 53, which may be in use on 127.0.0.1.
ADDRESS = f"127.53.{os.getpid() >> 8 & 255}.{os.getpid() & 255}"
TOKEN = "a-token"


class Server(ThreadingHTTPServer):
    def handle_error(self, *_):
        """Prints nothing: a service that is stopped as soon as it listens aborts requests."""


class Google:
    """Listens while it is the context of a `with`."""

    def __init__(self, schema, directory):
        """`schema` is the directory of the table schemas; resolv.conf is written to `directory`."""
        self.inserts = []
        self.resolver = directory / "resolv.conf"
        self.resolver.write_text(f"nameserver {ADDRESS}\n")
        self._schema = schema
        self._names = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._names.bind((ADDRESS, 53))
        self._http = Server((ADDRESS, 0), self._handler())
        port = self._http.server_port
        self.settings = {
            "PORT": "0",
            "GOOGLE_CLOUD_PROJECT": "a-project",
            "GCE_METADATA_HOST": f"metadata.google.internal:{port}",
            "BIGQUERY_ENDPOINT": f"http://bigquery.googleapis.com:{port}",
        }

    def answer(self, path, authorization, body):
        """Status and content."""
        if path.startswith("/computeMetadata/v1/"):
            return 200, json.dumps({"access_token": TOKEN, "expires_in": 3599, "token_type": "Bearer"})
        if authorization != f"Bearer {TOKEN}":
            return 401, json.dumps({"error": {"code": 401, "message": "no token", "errors": [{"reason": "authError"}]}})
        path = path.split("?")[0]
        if path.endswith("/insertAll"):
            self.inserts.append((path, json.loads(body)))
            return 200, json.dumps({"kind": "bigquery#tableDataInsertAllResponse"})
        name = "dead_letters" if "/dead_letters" in path else "pixel"
        return 200, json.dumps({"schema": {"fields": json.loads((self._schema / f"{name}.json").read_text())}})

    def _handler(google):
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                status, content = google.answer(self.path, self.headers.get("authorization"), body)
                self.send_response(status)
                self.send_header("metadata-flavor", "Google")
                self.send_header("content-length", str(len(content.encode())))
                self.end_headers()
                self.wfile.write(content.encode())

            do_POST = do_GET

            def log_message(self, *_):
                pass

        return Handler

    def _serve_names(self):
        while True:
            query, client = self._names.recvfrom(512)
            if not query:
                return
            self._names.sendto(dns_response(query), client)

    def __enter__(self):
        self._threads = [threading.Thread(target=self._serve_names), threading.Thread(target=self._http.serve_forever)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._http.shutdown()
        self._names.sendto(b"", self._names.getsockname())
        for thread in self._threads:
            thread.join()
        self._http.server_close()
        self._names.close()


def dns_response(query):
    """ADDRESS for every query for an IPv4 address, and no record for any other type. (RFC 1035, section 4.1)"""
    end = query.index(b"\0", 12) + 5
    question, kind = query[12:end], query[end - 4 : end - 2]
    is_address = kind == b"\0\1"
    header = query[:2] + b"\x81\x80" + b"\0\1" + (b"\0\1" if is_address else b"\0\0") + b"\0\0\0\0"
    record = b"\xc0\x0c" + b"\0\1\0\1" + b"\0\0\0\0" + b"\0\4" + socket.inet_aton(ADDRESS)
    return header + question + (record if is_address else b"")
