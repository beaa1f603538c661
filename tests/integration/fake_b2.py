# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A fake of Backblaze B2 that supports what rclone needs to push, pull and clean up.

No other test server implements the API of B2. Files are versions, and a deletion hides a file. There is at most one
bucket, ``bkt``, with lifecycle ``rules``.
"""

from __future__ import annotations

import hashlib
import json
import threading
import urllib.parse
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from harness import MARKS, SECRET, answering

KEY_ID, KEY = "integration-account", SECRET + "-b2"
BUCKET = "bkt"


@dataclass
class Version:
    """A version of a file. With ``action`` hide, the file is deleted from then on."""

    name: str
    number: int
    action: str
    content: bytes = b""
    info: dict = field(default_factory=dict)

    def described(self):
        return {
            "accountId": KEY_ID,
            "bucketId": BUCKET,
            "fileId": f"id-{self.number}",
            "fileName": self.name,
            "action": self.action,
            "size": len(self.content),
            "contentLength": len(self.content),
            "contentSha1": hashlib.sha1(self.content).hexdigest(),
            "contentType": "application/octet-stream",
            "fileInfo": self.info,
            # In milliseconds. Each version is one second newer than the one before.
            "uploadTimestamp": 1600000000000 + 1000 * self.number,
        }


class Cloud:
    """The bucket. ``versions`` are in the order of their creation."""

    def __init__(self):
        self.exists = True
        self.versions = []
        self.rules = []
        self.shows_versions = True
        self._count = 0
        self._lock = threading.Lock()

    def add(self, name, action, content=b"", info=None):
        with self._lock:
            self._count += 1
            self.versions.append(Version(name, self._count, action, content, info or {}))
            return self.versions[-1]

    def files(self):
        """Return what a listing shows, without the owner marks: name to content."""
        newest = {version.name: version for version in self.versions if version.action != "start"}
        shown = [name for name in sorted(newest) if newest[name].action == "upload"]
        return {name: newest[name].content for name in shown if name.rpartition("/")[2] not in MARKS}

    def stored(self):
        """Return the names of all versions with content, without the owner marks."""
        uploads = [version.name for version in self.versions if version.action == "upload"]
        return sorted(name for name in uploads if name.rpartition("/")[2] not in MARKS)

    def by_id(self, number):
        return next((version for version in self.versions if f"id-{version.number}" == number), None)

    def remove(self, number):
        self.versions = [version for version in self.versions if f"id-{version.number}" != number]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    cloud: Cloud

    def log_message(self, *_arguments):
        pass

    def _answer(self, status, content, headers=()):
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        for key, value in headers:
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _refuse(self, status, code):
        self._answer(status, {"status": status, "code": code, "message": code.replace("_", " ")})

    def __getattr__(self, name):
        """Handle HEAD as GET without a body."""
        if name == "do_HEAD":
            return self.do_GET
        raise AttributeError(name)

    def do_GET(self):
        path = urllib.parse.unquote_plus(self.path.partition("?")[0])
        if path.endswith("/b2_authorize_account"):
            self._authorize()
            return
        version = self._asked_for(path)
        if version is None or version.action != "upload":
            self._refuse(404, "not_found")
            return
        described = version.described()
        headers = [("X-Bz-File-Id", described["fileId"]), ("X-Bz-Content-Sha1", described["contentSha1"])]
        headers += [("X-Bz-Upload-Timestamp", str(described["uploadTimestamp"])), ("X-Bz-File-Name", version.name)]
        headers += [("X-Bz-Info-" + key, value) for key, value in version.info.items()]
        self._answer(200, version.content, headers)

    def _asked_for(self, path):
        """Return a version by its id, or the newest version of a file by its name."""
        if path.endswith("/b2_download_file_by_id"):
            return self.cloud.by_id(self.path.partition("fileId=")[2])
        name = path.partition(f"/file/{BUCKET}/")[2]
        return next((version for version in reversed(self.cloud.versions) if version.name == name), None)

    def _authorize(self):
        here = "http://" + self.headers["Host"]
        storage = {
            "apiUrl": here,
            "downloadUrl": here,
            "recommendedPartSize": 10**8,
            "absoluteMinimumPartSize": 5 * 10**6,
        }
        self._answer(
            200, {"accountId": KEY_ID, "authorizationToken": "token", **storage, "apiInfo": {"storageApi": storage}}
        )

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/upload":
            if self.headers["X-Bz-Content-Sha1"] == "hex_digits_at_end":
                body = body[:-40]
            info = {
                key[10:].lower(): value for key, value in self.headers.items() if key.lower().startswith("x-bz-info-")
            }
            name = urllib.parse.unquote_plus(self.headers["X-Bz-File-Name"])
            self._answer(200, self.cloud.add(name, "upload", body, info).described())
            return
        call = getattr(self, "_" + self.path.rpartition("/b2_")[2], None)
        answer = call(json.loads(body)) if call else None
        if answer is None or isinstance(answer, str):
            self._refuse(400, answer or "bad_request")
        else:
            self._answer(200, answer)

    def _list_buckets(self, _asked):
        return {"buckets": [self._bucket()] if self.cloud.exists else []}

    def _create_bucket(self, asked):
        if self.cloud.exists or asked["bucketName"] != BUCKET:
            return "duplicate_bucket_name"
        self.cloud.exists, self.cloud.rules = True, asked.get("lifecycleRules") or []
        return self._bucket()

    def _update_bucket(self, asked):
        self.cloud.rules = asked.get("lifecycleRules", self.cloud.rules)
        return self._bucket()

    def _delete_bucket(self, _asked):
        if self.cloud.versions:
            return "cannot_delete_non_empty_bucket"
        self.cloud.exists = False
        return self._bucket()

    def _bucket(self):
        return {
            "bucketId": BUCKET,
            "accountId": KEY_ID,
            "bucketName": BUCKET,
            "bucketType": "allPrivate",
            "lifecycleRules": self.cloud.rules,
        }

    def _get_upload_url(self, _asked):
        return {
            "bucketId": BUCKET,
            "uploadUrl": f"http://{self.headers['Host']}/upload",
            "authorizationToken": "t",
        }

    def _hide_file(self, asked):
        return self.cloud.add(asked["fileName"], "hide").described()

    def _delete_file_version(self, asked):
        self.cloud.remove(asked["fileId"])
        return {"fileId": asked["fileId"], "fileName": asked["fileName"]}

    def _get_file_info(self, asked):
        version = self.cloud.by_id(asked["fileId"])
        return version.described() if version else None

    def _list_file_names(self, asked):
        # An unfinished upload does not hide the finished version.
        newest = {version.name: version for version in self.cloud.versions if version.action != "start"}
        shown = [newest[name].described() for name in sorted(newest) if newest[name].action == "upload"]
        return {"files": self._selected(shown, asked), "nextFileName": None}

    def _list_file_versions(self, asked):
        if not self.cloud.shows_versions:
            return None
        newest_first = sorted(self.cloud.versions, key=lambda version: (version.name, -version.number))
        shown = [version.described() for version in newest_first]
        return {"files": self._selected(shown, asked), "nextFileName": None, "nextFileId": None}

    @staticmethod
    def _selected(files, asked):
        prefix, delimiter = asked.get("prefix") or "", asked.get("delimiter") or ""
        found, folders = [], []
        for file in files:
            rest = file["fileName"][len(prefix) :]
            if not file["fileName"].startswith(prefix):
                continue
            if delimiter and delimiter in rest:
                folder = prefix + rest.partition(delimiter)[0] + delimiter
                if folder not in folders:
                    folders.append(folder)
                    found.append({"fileName": folder, "action": "folder", "fileId": None, "size": 0})
            else:
                found.append(file)
        return found


@contextmanager
def serving(cloud):
    """Serve ``cloud``, and yield the port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("CloudHandler", (Handler,), {"cloud": cloud}))
    with answering(server) as port:
        yield port


def credential(port):
    return {
        "name": "account",
        "provider": "b2",
        "attributes": {"account": KEY_ID, "endpoint": f"http://127.0.0.1:{port}"},
        "secrets": {"key": KEY},
    }
