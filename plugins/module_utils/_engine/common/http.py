# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Send one HTTP request with a time limit. Its errors never contain the address, which may be secret."""

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
    """Do not follow redirects: a redirected POST becomes a GET without its body, and would look like a success."""

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
    """POST ``body``, with one retry after a temporary failure. Return the problem, "" on success. Never raise.

    ``user`` and ``password`` are %-escaped, as in a URL. Both are empty for no login.
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
    """POST once. Return the problem ("" on success), and whether to retry."""
    opener = urllib.request.build_opener(NoRedirect)
    try:
        # parse_target() accepts only the schemes http and https.
        request = urllib.request.Request(url, data=body, headers=headers, method="POST")  # noqa: S310
        with opener.open(request, timeout=TIMEOUT_SECONDS) as response:
            response.read(65536)
        return "", False
    except urllib.error.HTTPError as error:
        error.close()
        if 300 <= error.code < 400:
            return f"the server redirects to another address (HTTP {error.code}). Use the final address", False
        name = http.client.responses.get(error.code, "unknown")
        return f"the server answered HTTP {error.code} ({name})", error.code >= 500 or error.code == 429
    except urllib.error.URLError as error:
        return _describe_error(error.reason), True
    except OSError as error:
        return _describe_error(error), True
    except (http.client.HTTPException, ValueError) as error:
        # The texts of these errors may contain the address.
        return f"the address or the server's response is invalid ({type(error).__name__})", False


def _describe_error(error: object) -> str:
    """Return why the connection failed. Use texts of the system and of OpenSSL only: others may contain the address."""
    if isinstance(error, (socket.timeout, TimeoutError)):
        return f"no response within {TIMEOUT_SECONDS} s"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the server's certificate is invalid: {error.verify_message}"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return f"no connection ({type(error).__name__})"
