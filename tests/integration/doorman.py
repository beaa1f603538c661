# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A proxy in front of a server: it refuses some requests and records the others."""

from __future__ import annotations

import http.client
from collections import namedtuple
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from harness import answering

Request = namedtuple("Request", "command path headers")
HOP_BY_HOP = ("connection", "keep-alive", "transfer-encoding")


class Doorman:
    """The rules of a proxy.

    ``admits(request)`` decides by command, path and headers whether a request passes. ``seen`` has the requests that
    did. ``refusal`` is the status for the others. ``rewrite(request, status, headers, body)`` returns the last three as
    they go to the client, also of a refusal.
    """

    def __init__(self, admits=lambda _request: True, refusal=401, rewrite=lambda _request, *answer: answer):
        self.admits, self.refusal, self.rewrite = admits, refusal, rewrite
        self.seen = []

    def headers_of(self, method, name):
        """Return the values of a header in the requests of one method."""
        return [request.headers.get(name) for request in self.seen if request.command == method]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    doorman: Doorman
    port: int

    def log_message(self, *_arguments):
        pass

    def handle(self):
        with suppress(ConnectionError):  # a client that was killed, or closed the connection
            super().handle()

    def _pass_on(self):
        body = self._body()
        request = Request(self.command, self.path, self.headers)
        if not self.doorman.admits(request):
            self._answer(*self.doorman.rewrite(request, self.doorman.refusal, [], b"refused"))
            return
        self.doorman.seen.append(request)
        server = http.client.HTTPConnection("127.0.0.1", self.port)
        kept = {key: value for key, value in self.headers.items() if key.lower() not in HOP_BY_HOP}
        if body:
            kept["Content-Length"] = str(len(body))
        server.request(self.command, self.path, body, kept)
        response = server.getresponse()
        self._answer(*self._rewrite(request, response))
        server.close()

    def _rewrite(self, request, response):
        status, headers, body = response.status, response.getheaders(), response.read()
        found = self.doorman.rewrite(request, status, headers, body)
        if found[2] == body:
            return found
        return found[0], [pair for pair in found[1] if pair[0].lower() != "content-length"], found[2]

    def _body(self):
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        parts = []
        while True:
            size = int(self.rfile.readline(), 16)
            parts.append(self.rfile.read(size))
            self.rfile.readline()
            if not size:
                return b"".join(parts)

    def _answer(self, status, headers, body):
        self.send_response_only(status)
        passing = [(key, value) for key, value in headers if key.lower() not in HOP_BY_HOP]
        for key, value in passing:
            self.send_header(key, value)
        if "content-length" not in {key.lower() for key, _value in passing}:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def __getattr__(self, name):
        """Handle every method of HTTP with the same function."""
        if name.startswith("do_"):
            return self._pass_on
        raise AttributeError(name)


@contextmanager
def guarding(doorman, port):
    """Run ``doorman`` as a proxy in front of the server at ``port``, and yield its port."""
    handler = type("DoormanHandler", (Handler,), {"doorman": doorman, "port": port})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    with answering(server) as port:
        yield port
