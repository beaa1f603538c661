# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A fake of Box: folders, files, and refresh tokens that work once. See tunnel.py for its addresses."""

from __future__ import annotations

import email.parser
import email.policy
import hashlib
import json
import re
import urllib.parse

import fake_gcs
import tunnel
from harness import SECRET

HOSTS = ("api.box.com", "app.box.com", "upload.box.com")
TIME = "2020-09-13T12:26:40+00:00"


class Cloud(fake_gcs.Cloud):
    """The account. ``items``: id to name, the id of the folder, and the content, which is None for a folder."""

    def __init__(self):
        super().__init__()
        self.items = {}

    def add(self, name, parent, content=None, number=None):
        """Add an item, or replace the file ``number``. Return its description."""
        number = number or str(len(self.items) + 1)
        self.items[number] = (name, parent, content)
        return self.describe(number)

    def find(self, name, parent):
        """Return the id of an item, or None."""
        return next((number for number, item in self.items.items() if item[:2] == (name, parent)), None)

    def describe(self, number):
        name, _parent, content = self.items[number]
        times = dict.fromkeys(("created_at", "modified_at", "content_created_at", "content_modified_at"), TIME)
        common = {"id": number, "sequence_id": "0", "etag": "0", "name": name, "item_status": "active", **times}
        if content is None:
            return {"type": "folder", **common}
        return {"type": "file", "size": len(content), "sha1": hashlib.sha1(content).hexdigest(), **common}

    def read(self):
        """Return the files: path to text."""
        return {self._locate(number): item[2].decode() for number, item in self.items.items() if item[2] is not None}

    def _locate(self, number):
        name, parent, _content = self.items[number]
        return name if parent == "0" else f"{self._locate(parent)}/{name}"


class Api(tunnel.Api):
    cloud: Cloud

    def __getattr__(self, name):
        if name.startswith("do_"):
            return self._handle
        raise AttributeError(name)

    def _handle(self):
        body = self._body()
        path = urllib.parse.urlsplit(self.path).path
        if path.endswith("/oauth2/token"):
            form = dict(urllib.parse.parse_qsl(body.decode()))
            tokens = self.cloud.rotate(form.get("refresh_token"))
            self._answer(*((200, tokens) if tokens else (400, {"error": "invalid_grant"})))
        elif self.headers.get("Authorization", "").partition(" ")[2] not in self.cloud.access_tokens:
            self._answer(401, {"type": "error", "status": 401, "code": "unauthorized", "message": "Unauthorized"})
        else:
            self._answer(*self._act(re.sub(r"\A/(api/)?2\.0/", "", path).split("/"), body))

    def _act(self, words, body):
        """Return the status and the answer to a request."""
        cloud, command = self.cloud, self.command
        number = words[1] if len(words) > 1 else ""
        if words[-1] == "items":
            found = [cloud.describe(each) for each, item in cloud.items.items() if item[1] == number]
            return 200, {"total_count": len(found), "entries": found}
        if command == "OPTIONS":
            asked = json.loads(body)
            found = cloud.find(asked["name"], asked["parent"]["id"])
            return (409, self._conflict(found)) if found else (200, {})
        if command == "POST" and words == ["folders"]:
            asked = json.loads(body)
            return 201, cloud.add(asked["name"], asked["parent"]["id"])
        if command == "POST" and words[-1] == "content":
            asked, content = self._parse(body)
            replaced = number if number != "content" else None
            parent = cloud.items[replaced][1] if replaced else asked["parent"]["id"]
            return 201, {"total_count": 1, "entries": [cloud.add(asked["name"], parent, content, replaced)]}
        if number not in cloud.items:
            return 404, {"type": "error", "status": 404, "code": "not_found", "message": "Not Found"}
        if command == "DELETE":
            del cloud.items[number]
            return 204, b""
        return 200, cloud.items[number][2] if words[-1] == "content" else cloud.describe(number)

    def _conflict(self, number):
        conflict = {"context_info": {"conflicts": self.cloud.describe(number)}}
        return {"type": "error", "status": 409, "code": "item_name_in_use", "message": "In use", **conflict}

    def _parse(self, body):
        """Return the attributes and the content of an upload."""
        head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
        parts = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + body).get_payload()
        attributes, content = (part.get_payload(decode=True) for part in parts)
        return json.loads(attributes), content


def serving(cloud, authority):
    """Serve ``cloud`` behind a proxy, and yield the arguments of rclone to reach it."""
    return tunnel.serving_hosts(HOSTS, type("BoxApi", (Api,), {"cloud": cloud}), authority)


def credential(cloud):
    secrets = {"client_secret": SECRET + "-client", "token": cloud.first_token()}
    return {"name": "box", "provider": "BOX", "attributes": {"client_id": "client"}, "secrets": secrets}
