# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A fake of Google Cloud Storage that supports push and pull, with refresh tokens that can be used only once."""

from __future__ import annotations

import base64
import email.parser
import email.policy
import hashlib
import json
import threading
import time
import urllib.parse
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from harness import answering

# rclone gets a new access token ten seconds before the old one expires.
EARLY_SECONDS = 10


class Cloud:
    """The storage and its tokens.

    ``lifetime``: seconds until an access token must be refreshed. ``delay``: seconds of each upload. Uploads wait while
    ``open`` is clear.
    """

    def __init__(self, lifetime=1.0, delay=0.0):
        self.lifetime, self.delay = lifetime, delay
        self.objects = {}
        self.open = threading.Event()
        self.open.set()
        self.uploading = threading.Event()
        self.refresh_token = "REFRESH-0"
        self.access_tokens = {"ACCESS-0"}
        self.rejected = 0
        self.refreshes = 0
        self._lock = threading.Lock()

    def first_token(self):
        """Return the token to declare. Its access token has expired, and its refresh token is valid."""
        return json.dumps(
            {
                "access_token": "ACCESS-0",
                "token_type": "Bearer",
                "refresh_token": "REFRESH-0",
                "expiry": "2020-01-01T00:00:00Z",
            }
        )

    def rotate(self, refresh_token):
        """Return a new pair of tokens, or None if the refresh token was used before."""
        with self._lock:
            if refresh_token != self.refresh_token:
                self.rejected += 1
                return None
            self.refreshes += 1
            self.refresh_token = f"REFRESH-{self.refreshes}"
            access = f"ACCESS-{self.refreshes}"
            self.access_tokens.add(access)
            return {
                "access_token": access,
                "token_type": "Bearer",
                "refresh_token": self.refresh_token,
                "expires_in": int(self.lifetime + EARLY_SECONDS),
            }


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    cloud: Cloud

    def log_message(self, *_arguments):
        pass

    def _answer(self, status, content):
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _body(self):
        if self.headers.get("Transfer-Encoding") == "chunked":
            parts = []
            while True:
                size = int(self.rfile.readline(), 16)
                parts.append(self.rfile.read(size))
                self.rfile.readline()
                if not size:
                    return b"".join(parts)
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def _authorized(self):
        return self.headers.get("Authorization", "").partition(" ")[2] in self.cloud.access_tokens

    def do_POST(self):
        body = self._body()
        path, _mark, query = self.path.partition("?")
        if path == "/token":
            form = dict(urllib.parse.parse_qsl(body.decode()))
            tokens = self.cloud.rotate(form.get("refresh_token"))
            return self._answer(*((200, tokens) if tokens else (400, {"error": "invalid_grant"})))
        if not self._authorized():
            return self._answer(401, {"error": {"code": 401, "message": "Invalid Credentials"}})
        if path.endswith("/b"):
            return self._answer(200, {"name": json.loads(body)["name"]})
        self.cloud.uploading.set()
        time.sleep(self.cloud.delay)
        self.cloud.open.wait()
        return self._answer(200, self._insert(dict(urllib.parse.parse_qsl(query)), body))

    def _insert(self, query, body):
        head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
        message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + body)
        described, content = message.get_payload()
        about = json.loads(described.get_payload(decode=True))
        name = about.get("name") or query["name"]
        self.cloud.objects[name] = (content.get_payload(decode=True), about.get("metadata", {}))
        return self._described(name)

    def _described(self, name):
        content, metadata = self.cloud.objects[name]
        return {
            "name": name,
            "bucket": "bkt",
            "size": str(len(content)),
            "md5Hash": base64.b64encode(hashlib.md5(content).digest()).decode(),
            "updated": "2024-01-01T00:00:00Z",
            "metadata": metadata,
            "mediaLink": f"http://{self.headers['Host']}/download/{urllib.parse.quote(name, safe='')}",
        }

    def do_GET(self):
        path, _mark, query = self.path.partition("?")
        if not self._authorized():
            return self._answer(401, {"error": {"code": 401, "message": "Invalid Credentials"}})
        name = urllib.parse.unquote(path.rpartition("/")[2])
        if path.startswith("/download/"):
            return self._answer(200, self.cloud.objects[name][0])
        if path.endswith("/o"):
            return self._answer(200, self._listed(dict(urllib.parse.parse_qsl(query))))
        if path.endswith("/b") or "/o/" not in path:
            return self._answer(200, {"items": [{"name": "bkt", "timeCreated": "2024-01-01T00:00:00Z"}], "name": "bkt"})
        if name in self.cloud.objects:
            return self._answer(200, self._described(name))
        return self._answer(404, {"error": {"code": 404, "message": "Not Found"}})

    def _listed(self, query):
        prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
        items, folders = [], set()
        for name in sorted(self.cloud.objects):
            rest = name[len(prefix) :]
            if not name.startswith(prefix):
                continue
            if delimiter and delimiter in rest:
                folders.add(prefix + rest.partition(delimiter)[0] + delimiter)
            else:
                items.append(self._described(name))
        return {"items": items, "prefixes": sorted(folders)}


@contextmanager
def serving(cloud, handler=Handler):
    """Serve ``cloud``, and yield the port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("CloudHandler", (handler,), {"cloud": cloud}))
    with answering(server) as port:
        yield port


def credential(port, cloud, name="cloud"):
    """Return the credential. With a token_url, cloudsync assumes that a refresh token can be used only once."""
    return {
        "name": name,
        "provider": "google cloud storage",
        "attributes": {
            "endpoint": f"http://127.0.0.1:{port}/storage/v1/",
            "token_url": f"http://127.0.0.1:{port}/token",
            "client_id": "client",
            "project_number": "1",
            "bucket_policy_only": True,
        },
        "secrets": {"client_secret": "INTEGRATION-SECRET-client", "token": cloud.first_token()},
    }
