# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A fake of Dropbox that supports pull.

No other test server implements the API of Dropbox. The addresses in rclone are fixed, so the fake is behind a proxy.
"""

from __future__ import annotations

import hashlib
import json

import tunnel
from harness import SECRET
from tunnel import serving_hosts

HOSTS = ("api.dropboxapi.com", "content.dropboxapi.com", "notify.dropboxapi.com")
TOKEN = SECRET + "-dropbox"


def identity(path):
    """Return the id with which rclone requests a file from a listing."""
    return "id:" + hashlib.md5(path.encode()).hexdigest()


class Cloud:
    """The account. ``files``: path, with a leading slash, to content. Nobody can download those in ``restricted``."""

    def __init__(self, files, restricted=()):
        self.files, self.restricted = files, restricted

    def described(self, path):
        content = self.files[path]
        return {
            ".tag": "file",
            "name": path.rpartition("/")[2],
            "id": identity(path),
            "path_lower": path.lower(),
            "path_display": path,
            "client_modified": "2020-09-13T12:26:40Z",
            "server_modified": "2020-09-13T12:26:40Z",
            "rev": "0123456789abcdef0",
            "size": len(content),
            "is_downloadable": True,
            # The hash of the hashes of blocks of 4 MiB. The files here are smaller than one block.
            "content_hash": hashlib.sha256(hashlib.sha256(content).digest()).hexdigest(),
        }


class Api(tunnel.Api):
    """The API of Dropbox, inside the tunnel."""

    cloud: Cloud

    def _fail(self, *tags):
        """Send an error nested as by Dropbox. rclone prints the summary."""
        error = {".tag": tags[-1]}
        for tag in reversed(tags[:-1]):
            error = {".tag": tag, tag: error}
        self._answer(409, {"error_summary": "/".join([*tags, ".."]), "error": error})

    def do_POST(self):  # noqa: N802
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.headers["Authorization"] != "Bearer " + TOKEN:
            self._answer(401, {"error_summary": "invalid_access_token/..", "error": {".tag": "invalid_access_token"}})
            return
        asked = json.loads(self.headers.get("Dropbox-API-Arg") or body or b"{}") or {}
        path = asked.get("path", "")
        if self.path == "/2/files/download":
            self._download(path)
        elif self.path == "/2/files/get_metadata" and path in self.cloud.files:
            self._answer(200, self.cloud.described(path))
        elif self.path == "/2/files/list_folder" and any(name.startswith(path + "/") for name in self.cloud.files):
            entries = [self.cloud.described(name) for name in self.cloud.files if name.rpartition("/")[0] == path]
            self._answer(200, {"entries": entries, "cursor": "end", "has_more": False})
        else:
            self._fail("path", "not_found")

    def _download(self, wanted):
        path = next(path for path in self.cloud.files if wanted in (path, identity(path)))
        if path in self.cloud.restricted:
            self._fail("path", "restricted_content")
            return
        described = {key: value for key, value in self.cloud.described(path).items() if key != ".tag"}
        self._answer(200, self.cloud.files[path], [("Dropbox-API-Result", json.dumps(described))])


def serving(cloud, authority):
    """Serve ``cloud`` behind a proxy, and yield the arguments of rclone to reach it."""
    return serving_hosts(HOSTS, type("CloudApi", (Api,), {"cloud": cloud}), authority)


def credential():
    token = {"access_token": TOKEN, "token_type": "bearer", "expiry": "2999-01-01T00:00:00Z"}
    return {"name": "account", "provider": "dropbox", "attributes": {}, "secrets": {"token": json.dumps(token)}}
