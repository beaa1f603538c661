# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A fake of an OAuth provider: a page with "Allow" and "Deny", codes, tokens, and the drives of OneDrive.

The tokens are valid for the storage of fake_gcs.
"""

from __future__ import annotations

import base64
import html
import json
import urllib.parse

import fake_gcs
from harness import SECRET

CLIENT_ID, CLIENT_SECRET = "the-client", SECRET + "-client"
PAGE = """<!doctype html><title>Log in</title>
<p>The client {client_id} wants to see your files.</p>
<form action="/decide">{hidden}
<button id="allow" name="answer" value="allow">Allow</button>
<button id="deny" name="answer" value="deny">Deny</button>
</form>"""


class Account(fake_gcs.Cloud):
    """An account.

    ``codes``: each code and its redirect address. ``logins``: the number of logins. ``own``: the drive of the account.
    ``listed``: the drives that Graph lists. ``drives``: all others by their ids.
    """

    def __init__(self):
        super().__init__(lifetime=3600)
        self.refresh_token = SECRET + "-refresh"
        self.codes = {}
        self.logins = 0
        self.own, self.listed, self.drives = None, [], {}

    def decide(self, query):
        """Return the address that the browser is redirected to."""
        back = {"state": query["state"]}
        if query["answer"] == "allow":
            code = f"code-{len(self.codes)}"
            self.codes[code] = query["redirect_uri"]
            back["code"] = code
        else:
            back.update(error="access_denied", error_description="The user said no")
        return query["redirect_uri"] + "?" + urllib.parse.urlencode(back)

    def exchange(self, form, login):
        """Return the response to a code: tokens, if the client is correct and the code was not used before."""
        if login != (CLIENT_ID, CLIENT_SECRET):
            return 401, {"error": "invalid_client"}
        if self.codes.pop(form["code"], None) != form["redirect_uri"]:
            return 400, {"error": "invalid_grant"}
        self.logins += 1
        access = self.access_token()
        self.access_tokens.add(access)
        tokens = {"access_token": access, "token_type": "Bearer", "refresh_token": self.refresh_token}
        return 200, {**tokens, "expires_in": 3600}

    def access_token(self):
        """Return the access token of the last login. It contains a template of Ansible, which must not be rendered."""
        return f"{SECRET}-access-{self.logins}{{{{7*7}}}}"

    def graph(self, path):
        """Return the response of Microsoft Graph."""
        found = {"me/drives": {"value": self.listed}, "me/drive": self.own}
        found.update({"drives/" + name: drive for name, drive in self.drives.items()})
        answer = found.get(path)
        return (200, answer) if answer is not None else (404, {"error": {"code": "itemNotFound"}})


class Handler(fake_gcs.Handler):
    cloud: Account

    def do_GET(self):  # noqa: N802
        address = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(address.query))
        if address.path == "/authorize":
            return self._page(query)
        if address.path == "/decide":
            self.send_response(302)
            self.send_header("Location", self.cloud.decide(query))
            self.send_header("Content-Length", "0")
            return self.end_headers()
        if address.path.startswith("/v1.0/"):
            wanted = urllib.parse.unquote(address.path[len("/v1.0/") :])
            return self._answer(*(self.cloud.graph(wanted) if self._authorized() else (401, {"error": {}})))
        return super().do_GET()

    def _page(self, query):
        hidden = "".join(
            f'<input type="hidden" name="{name}" value="{html.escape(query[name])}">'
            for name in ("redirect_uri", "state")
        )
        body = PAGE.format(client_id=html.escape(query["client_id"]), hidden=hidden).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):  # noqa: N802
        if self.path != "/token":
            return super().do_POST()
        form = dict(urllib.parse.parse_qsl(self._body().decode()))
        if form["grant_type"] == "authorization_code":
            return self._answer(*self.cloud.exchange(form, self._login(form)))
        tokens = self.cloud.rotate(form.get("refresh_token"))
        return self._answer(*((200, tokens) if tokens else (400, {"error": "invalid_grant"})))

    def _login(self, form):
        """Return the id and the secret of the client, from the header or the form."""
        kind, _space, value = self.headers.get("Authorization", "").partition(" ")
        if kind == "Basic":
            return tuple(urllib.parse.unquote(part) for part in base64.b64decode(value).decode().split(":"))
        return form.get("client_id"), form.get("client_secret")


def serving(account):
    """Serve ``account``, and yield the port."""
    return fake_gcs.serving(account, Handler)


def settings(port):
    """Return the attributes of a credential for the login."""
    address = f"http://127.0.0.1:{port}"
    return {"auth_url": address + "/authorize", "token_url": address + "/token"}


def write_client(path, client_secret=CLIENT_SECRET):
    """Write the id and the secret of the client to a file for ``-e @path``."""
    path.write_text(json.dumps({"cloudsync_client_id": CLIENT_ID, "cloudsync_client_secret": client_secret}))
