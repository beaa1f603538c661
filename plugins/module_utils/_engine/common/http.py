# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""One HTTP request with a time limit, whose errors never show the address."""

from __future__ import annotations

import base64
import http.client
import socket
import ssl
import time
import urllib.error
import urllib.request
from typing import IO, Dict, Optional, Tuple
from urllib.parse import unquote

TIMEOUT_SECONDS = 15
PAUSE_SECONDS = 2


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """Following one would turn the request into a GET without its text, and show that as a success."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> Optional[urllib.request.Request]:
        return None


def post(url: str, body: bytes, content_type: str, user: str = "", password: str = "") -> str:
    """POST ``body``, once more if the server or the network failed; what went wrong, "" if nothing did.

    ``user`` and ``password`` as in a URL, %-escaped; both empty for none. It does not raise.
    """
    headers = {"Content-Type": content_type, "User-Agent": "cloudsync"}
    if user or password:
        login = f"{unquote(user)}:{unquote(password)}".encode()
        headers["Authorization"] = "Basic " + base64.b64encode(login).decode()
    problem, again = _post_once(url, body, headers)
    if again:
        time.sleep(PAUSE_SECONDS)
        problem, again = _post_once(url, body, headers)
    return problem


def _post_once(url: str, body: bytes, headers: Dict[str, str]) -> Tuple[str, bool]:
    """What went wrong, and whether another try makes sense."""
    opener = urllib.request.build_opener(NoRedirect)
    try:
        # parse_target() lets no other scheme than http and https pass.
        request = urllib.request.Request(url, data=body, headers=headers, method="POST")  # noqa: S310
        with opener.open(request, timeout=TIMEOUT_SECONDS) as response:
            response.read(65536)
        return "", False
    except urllib.error.HTTPError as error:
        error.close()
        if 300 <= error.code < 400:
            return f"the server redirects (HTTP {error.code}); give the final address", False
        name = http.client.responses.get(error.code, "unknown")
        return f"the server answered HTTP {error.code} ({name})", error.code >= 500 or error.code == 429
    except urllib.error.URLError as error:
        return _describe_error(error.reason), True
    except OSError as error:
        return _describe_error(error), True
    except (http.client.HTTPException, ValueError) as error:
        # Their texts may quote the address.
        return f"the address or the server's answer is not valid ({type(error).__name__})", False


def _describe_error(error: object) -> str:
    """Why there was no connection. Only texts of the system and of OpenSSL: others may quote the address."""
    if isinstance(error, (socket.timeout, TimeoutError)):
        return f"no answer within {TIMEOUT_SECONDS} s"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the server's certificate is not valid: {error.verify_message}"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return f"no connection ({type(error).__name__})"
