# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Find the main sentence in an error text of rclone, without wrapping, secrets and names of the collection's files."""

from __future__ import annotations

import re
from typing import Optional, Sequence

from .log_lines import Message

LONGEST = 200

# The words before the sentence. They say where in rclone the error occurred, not what is wrong.
WRAPPERS = re.compile(
    r"\A(?:"
    r"Error: "
    r"|Fatal error: "
    r"|Failed to [\w-]+(?: with \d+ errors)?: (?:last error was: )?"
    r"|Attempt \d+/\d+ failed with \d+ errors(?: and: )?"
    r"|Cancelling sync due to fatal error: "
    r'|Failed to create file system for "(?:[^"\\]|\\.)*": '
    r"|error (?:in ListJSON|listing|reading (?:source|destination) root directory): "
    r"|Listing error: "
    r"|(?:[^\s:]*/)?\.cloudsync-\w+: |--files-from failed to read file: "
    r"|NewFs: |read metadata failed: |couldn't list files: "
    r"|failed to (?:open source object|prepare upload|get bucket): |partial file rename failed: "
    r"|unchunked simple update failed: |Update mkParentDir failed: "
    r"|operation error [\w ]+: \w+, "
    r"|exceeded maximum number of attempts, \d+, "
    r"|https response error StatusCode: \d+, RequestID: [^,]*, HostID: [^,]*, "
    r"|api error |request send failed, |RequestError: send request failed\s*(?:caused by: )?"
    r'|(?:Get|Put|Post|Head|Delete|Propfind|Mkcol) "[^"]*": '
    r")"
)
# Azure's library prints the request, the response and separator lines.
AZURE = re.compile(r"\bRESPONSE \d+: \d+ (?P<sentence>[^\n]*)(?:\n+ERROR CODE: (?P<code>\w+))?")
AWS_TAIL = re.compile(r",?\s*status code: (\d+), request id: [^,]*(?:, host id:.*)?\Z", re.DOTALL)
# The user's own configuration does not contain this remote.
RECONNECT = re.compile(
    r"(: maybe token expired\?)? - (try refreshing|manually refresh|refresh)[\w ]* \"rclone config reconnect [^\"]*\""
)
# rclone first writes to a temporary file with this suffix. The second form is that of remote/arguments.py.
PARTIAL = re.compile(r"\.[0-9a-zA-Z]{8}\.(?:partial|cloudsync-[0-9a-f]{5})\b")
OWN_FILE = re.compile(r"(?:[^\s\"':]*/)?\.cloudsync-[a-z]+")
# These lines report a failure without its cause.
NOISE = re.compile(
    r"\A(?:Attempt \d+/\d+ failed with \d+ errors\Z|Fatal error received - not attempting retries"
    r"|Can't retry any of the errors - not attempting retries"
    r"|not deleting (?:files|directories) as there were IO errors"
    r"|status code: \d+, request id|failed to delete \d+ files|Failed to save config"
    r"|Usage:|Flags|Use \"rclone|-\w, --|--\w|rclone \w+ .*\[flags\])"
)
SECRETS = (
    (re.compile(r"://[^/\s\"@]*:[^/\s\"@]*@"), "://***:***@"),
    (
        re.compile(
            r"(?i)\b(sig|signature|x-amz-signature|x-amz-credential|x-amz-security-token|access_token|refresh_token"
            r"|client_secret|token|password|pass|secret)(=|%3D)[^&\s\"']+"
        ),
        r"\1\2***",
    ),
    (re.compile(r"(?i)(\"(?:access_token|refresh_token|client_secret|password)\"\s*:\s*)\"[^\"]*\""), r'\1"***"'),
    (re.compile(r"(?i)\b(bearer|basic) [a-z0-9+/=._~-]{8,}"), r"\1 ***"),
)


def find_main_problem(problems: Sequence[Message]) -> Optional[Message]:
    """Return the first of ``problems`` that names a cause, else the first problem, else None."""
    for message in problems:
        if message.text and not NOISE.match(message.text):
            sentence = unwrap(message.text)
            if sentence and not NOISE.match(sentence):
                return message
    return problems[0] if problems else None


def unwrap(text: str) -> str:
    """Return ``text`` as one short line, redacted, without the words that rclone and its libraries add."""
    found = AZURE.search(text)
    if found:
        text = ": ".join(part for part in (found.group("code"), found.group("sentence")) if part)
    sentence = RECONNECT.sub("", AWS_TAIL.sub("", text.strip()))
    while True:
        shorter = WRAPPERS.sub("", sentence, count=1).strip()
        if shorter == sentence or not shorter:
            break
        sentence = shorter
    line = hide_own_names(redact(" ".join(sentence.split())))
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"


def hide_own_names(text: str) -> str:
    """Return ``text`` without the names of the collection's marks and of rclone's temporary files."""
    return OWN_FILE.sub("a file of cloudsync", PARTIAL.sub("", text))


def is_own_file(path: str) -> bool:
    """Whether ``path`` is one of the collection's marks at a destination."""
    return bool(OWN_FILE.fullmatch(path))


def redact(text: str) -> str:
    """Return ``text`` without the logins that a URL or a response may contain: SAS signatures, tokens, passwords."""
    for pattern, replacement in SECRETS:
        text = pattern.sub(replacement, text)
    return text
