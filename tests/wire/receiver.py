# SPDX-License-Identifier: Apache-2.0
"""Somebody who takes notifications: an HTTP server that keeps what came, and answers what the test says."""

import contextlib
import dataclasses
import http.server
import json
import threading
import urllib.parse

from wire import process


@dataclasses.dataclass
class Call:
    path: str
    headers: dict
    body: bytes
    answered: int

    @property
    def form(self):
        return dict(urllib.parse.parse_qsl(self.body.decode()))

    @property
    def message(self):
        return json.loads(self.body)

    @property
    def record(self):
        return self.message["Records"][0]


class Receiver:
    def __init__(self):
        self.calls = []
        self.statuses = {}  # by path; else 200
        self.answer = b"{}"
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                path = urllib.parse.urlsplit(self.path).path
                status = receiver.statuses.get(path, 200)
                receiver.calls.append(Call(self.path, {name.lower(): value for name, value in self.headers.items()}, body, status))
                self.send_response(status)
                self.send_header("Content-Length", str(len(receiver.answer)))
                self.end_headers()
                self.wfile.write(receiver.answer)

            def log_message(self, *_):
                pass

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def close(self):
        self.http.shutdown()
        self.http.server_close()

    def taken(self, path=None):
        """What was answered with success, in the order it came."""
        return [call for call in list(self.calls) if call.answered < 300 and (path is None or call.path == path)]

    def until(self, count, calls=None):
        """At least so many calls (of taken(), or of what calls() gives)."""
        calls = calls or self.taken
        return process.until(lambda: (found := calls()) if len(calls()) >= count else None,
                             lambda: f"{count} calls; there are {len(calls())}")  # fmt: skip


@contextlib.contextmanager
def receiving():
    receiver = Receiver()
    try:
        yield receiver
    finally:
        receiver.close()
