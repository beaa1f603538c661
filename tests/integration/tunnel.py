# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A proxy in the place of a provider whose addresses are fixed in rclone.

It has the names of the provider's hosts, and certificates of the tests' authority.
"""

from __future__ import annotations

import json
import socketserver
import ssl
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler

from harness import answering


class Api(BaseHTTPRequestHandler):
    """The API of the provider, inside the tunnel."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_arguments):
        pass

    def _body(self):
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = []
        while True:
            size = int(self.rfile.readline(), 16)
            parts.append(self.rfile.read(size))
            self.rfile.readline()
            if not size:
                return b"".join(parts)

    def _answer(self, status, content, headers=()):
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        for key, value in headers:
            self.send_header(key, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Tunnel(socketserver.StreamRequestHandler):
    """The proxy: handle CONNECT, then serve the requested host."""

    context: ssl.SSLContext
    api: type
    hosts: tuple

    def handle(self):
        host = self.rfile.readline().decode().split()[1].partition(":")[0]
        while self.rfile.readline().strip():
            pass
        if host not in self.hosts:
            self.wfile.write(b"HTTP/1.1 403 Forbidden\r\n\r\n")
            return
        self.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
        with suppress(OSError), self.context.wrap_socket(self.connection, server_side=True) as inside:
            self.api(inside, self.client_address, self.server)


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = allow_reuse_address = True


@contextmanager
def serving_hosts(hosts, api, authority):
    """Serve ``api`` as ``hosts`` behind a proxy, and yield the arguments of rclone to reach it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.certify(*hosts))
    tunnel = type("CloudTunnel", (Tunnel,), {"context": context, "api": api, "hosts": hosts})
    server = Server(("127.0.0.1", 0), tunnel)
    with answering(server) as port:
        yield [f"--http-proxy=http://127.0.0.1:{port}", f"--ca-cert={authority.certificate}"]
