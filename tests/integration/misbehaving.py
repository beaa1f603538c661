# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A proxy in front of an S3 server that misbehaves on demand."""

from __future__ import annotations

import socket
import struct
import threading
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from urllib.parse import urlsplit

from doorman import Doorman, Handler
from harness import answering

ERROR = '<?xml version="1.0" encoding="UTF-8"?><Error><Code>{}</Code><Message>{}</Message></Error>'
PAGE = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body>Welcome to the hotel</body></html>"
STEP = 65536


def hang(proxy, handler):
    """Accept the request, and never answer."""
    handler.body()
    proxy.healed.wait()
    handler.cut()


def drip(_proxy, handler):
    """Answer correctly, in small pieces with pauses."""
    handler.forward(pause=0.15)


def cut(proxy, handler):
    """Reset the connection in the middle of the object."""
    handler.forward(stop_after=0.5 if proxy.first else 0.0)
    proxy.first = False


def close(_proxy, handler):
    """Close the connection without an answer."""
    handler.close_connection = True


def shorten(_proxy, handler):
    """Announce more bytes than there are."""
    handler.forward(extra=1000)


def page(_proxy, handler):
    """Answer with a web page, as a login page of a network does."""
    handler.body()
    handler.answer(200, [("Content-Type", "text/html; charset=utf-8")], PAGE)


def answer(status, code, text="no", headers=()):
    """Return a misbehaviour that answers with an error of S3."""

    def misbehave(_proxy, handler):
        handler.body()
        handler.answer(status, [("Content-Type", "application/xml"), *headers], ERROR.format(code, text).encode())

    return misbehave


class Proxy(Doorman):
    """``misbehave(proxy, handler)`` handles the requests that ``strikes(request)`` selects until heal() is called."""

    def __init__(self, misbehave, strikes=lambda _request: True):
        super().__init__()
        self.misbehave, self.strikes = misbehave, strikes
        self.healed, self.first = threading.Event(), True

    def heal(self):
        self.healed.set()


class MisbehavingHandler(Handler):
    def _pass_on(self):
        if self.doorman.healed.is_set() or not self.doorman.strikes(self):
            super()._pass_on()
        else:
            self.doorman.misbehave(self.doorman, self)

    def is_object(self):
        """Whether the request reads or writes the content of an object."""
        parts = urlsplit(self.path)
        return self.command in ("GET", "PUT") and "list-type" not in parts.query and parts.path.count("/") > 2

    def body(self):
        return self._body()

    def answer(self, status, headers, body):
        """Answer. The answer to HEAD has no body, or the next answer on the connection could not be read."""
        length = [("Content-Length", str(len(body)))]
        self._answer(status, [*headers, *length], b"" if self.command == "HEAD" else body)

    def cut(self):
        """Close the connection with a reset."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

    def forward(self, pause=0.0, stop_after=1.0, extra=0):
        """Pass the request on, and the answer with a pause after each piece, up to a part, or with a wrong length.

        Only the beginning of the content of a PUT is read, unless ``pause`` is all that is wrong.
        """
        if self.command == "PUT":
            if stop_after < 1 or extra:
                self.rfile.read(min(int(self.headers.get("Content-Length") or 1000), 1000))
                self.cut()
            else:
                super()._pass_on()
            return
        self._pieces = (pause, stop_after, extra)
        super()._pass_on()

    def _answer(self, status, headers, body):
        pause, stop_after, extra = getattr(self, "_pieces", (0.0, 1.0, 0))
        if not (pause or extra or stop_after < 1):
            super()._answer(status, headers, body)
            return
        self.send_response_only(status)
        for key, value in headers:
            if key.lower() not in ("content-length", "connection", "transfer-encoding"):
                self.send_header(key, value)
        self.send_header("Content-Length", str(len(body) + extra))
        self.end_headers()
        for start in range(0, int(len(body) * stop_after), STEP):
            self.wfile.write(body[start : start + STEP])
            if pause and self.doorman.healed.wait(pause):
                pause = 0
        if stop_after < 1:
            self.cut()
        self.close_connection = True


@contextmanager
def misbehaving(proxy, port):
    """Run ``proxy`` in front of the server at ``port``, and yield its port."""
    handler = type("ProxyHandler", (MisbehavingHandler,), {"doorman": proxy, "port": port})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    with answering(server) as own:
        try:
            yield own
        finally:
            proxy.heal()
