# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Credentials for the servers in servers.py. Each test declares one of them."""

from __future__ import annotations

import base64
import datetime
import hashlib
import hmac
import json
import urllib.parse
from dataclasses import dataclass, field
from typing import Any, Dict, Tuple

from harness import SECRET
from servers import AZURE_ACCOUNT, AZURE_KEY, HOST, PASSWORD, SEAWEED, USER

BEARER = SECRET + "-bearer"
WRONG = SECRET + "-wrong"


@dataclass(frozen=True)
class Place:
    """An account. ``wrong`` are secrets that its provider refuses, ``args`` are arguments for rclone."""

    provider: str
    attributes: Dict[str, Any]
    secrets: Dict[str, str]
    wrong: Dict[str, str] = field(default_factory=dict)
    args: Tuple[str, ...] = ()

    @property
    def credential(self):
        return {
            "name": "account",
            "provider": self.provider,
            "attributes": self.attributes,
            "secrets": self.secrets,
        }

    @property
    def refused(self):
        """Return the credential with a wrong secret."""
        return {**self.credential, "secrets": {**self.secrets, **self.wrong}}


def address(port, path=""):
    return f"http://{HOST}:{port}{path}"


def s3(port, access_key, secret_key, **more):
    attributes = {"provider": "Other", "endpoint": address(port), "force_path_style": True, **more}
    secrets = {"access_key_id": access_key, "secret_access_key": secret_key}
    return Place("s3", attributes, secrets, {"secret_access_key": WRONG})


def seaweed(port, user="admin"):
    return s3(port, *SEAWEED[user][:2])


def s3_by_session(port):
    attributes = {"provider": "Other", "endpoint": address(port), "force_path_style": True}
    secrets = {"access_key_id": "session-key", "secret_access_key": SECRET, "session_token": BEARER}
    return Place("s3", attributes, secrets, {"session_token": WRONG})


def azure_by_key(port):
    wrong = base64.b64encode(WRONG.encode()).decode()
    attributes = {"account": AZURE_ACCOUNT, "endpoint": address(port, "/" + AZURE_ACCOUNT)}
    return Place("azureblob", attributes, {"key": AZURE_KEY}, {"key": wrong})


def azure_by_sas(port):
    url = address(port, f"/{AZURE_ACCOUNT}?")
    return Place("azureblob", {}, {"sas_url": url + signature(AZURE_KEY)}, {"sas_url": url + signature("d3Jvbmc=")})


def signature(key):
    """Return a shared access signature for the complete account, valid for one hour."""
    until = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1)
    values = {"sp": "rwdlacup", "ss": "b", "srt": "sco", "se": until.strftime("%Y-%m-%dT%H:%M:%SZ"), "sv": "2022-11-02"}
    signed = [AZURE_ACCOUNT, values["sp"], values["ss"], values["srt"], "", values["se"], "", "", values["sv"], "", ""]
    digest = hmac.new(base64.b64decode(key), "\n".join(signed).encode(), hashlib.sha256).digest()
    return urllib.parse.urlencode({**values, "sig": base64.b64encode(digest).decode()})


def gcs_anonymous(port):
    attributes = {"endpoint": address(port, "/storage/v1/"), "anonymous": True, "project_number": "1"}
    return Place("google cloud storage", attributes, {})


def gcs_by_token(port):
    token = {"token_type": "Bearer", "refresh_token": SECRET + "-refresh", "expiry": "2999-01-01T00:00:00Z"}
    attributes = {"endpoint": address(port, "/storage/v1/"), "project_number": "1", "client_id": "client"}
    good, bad = (json.dumps({**token, "access_token": access}) for access in (BEARER, WRONG))
    return Place("google cloud storage", attributes, {"token": good}, {"token": bad})


def swift(port):
    attributes = {"user": "test:" + USER, "auth": address(port, "/auth/v1.0")}
    return Place("swift", attributes, {"key": PASSWORD}, {"key": WRONG})


def ftps(port, kind, authority):
    attributes = {"host": HOST, "port": port, "user": USER, "tls" if kind == "implicit" else "explicit_tls": True}
    return Place("ftp", attributes, {"pass": PASSWORD}, {"pass": WRONG}, (f"--ca-cert={authority}",))


def webdav_by_bearer(port):
    attributes = {"url": address(port), "vendor": "other"}
    return Place("webdav", attributes, {"bearer_token": BEARER}, {"bearer_token": WRONG})
