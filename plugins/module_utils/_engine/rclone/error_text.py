# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""From what rclone said to the sentence that matters."""

from __future__ import annotations

import re
from typing import Sequence

from .log_lines import Message, parse_problems

LONGEST = 400

# What stands before the sentence: each says where in rclone the error passed, none says what is wrong.
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
    r"|NewFs: |read metadata failed: |couldn't list files: "
    r"|failed to (?:open source object|prepare upload|get bucket): "
    r"|unchunked simple update failed: |Update mkParentDir failed: "
    r"|operation error [\w ]+: \w+, "
    r"|exceeded maximum number of attempts, \d+, "
    r"|https response error StatusCode: \d+, RequestID: [^,]*, HostID: [^,]*, "
    r"|api error |request send failed, |RequestError: send request failed\s*(?:caused by: )?"
    r'|(?:Get|Put|Post|Head|Delete|Propfind|Mkcol) "[^"]*": '
    r")"
)
# Azure's library prints the request, the answer and lines between them.
AZURE = re.compile(r"\bRESPONSE \d+: \d+ (?P<sentence>[^\n]*)(?:\n+ERROR CODE: (?P<code>\w+))?")
AWS_TAIL = re.compile(r",?\s*status code: (\d+), request id: [^,]*(?:, host id:.*)?\Z", re.DOTALL)
# Nobody has this remote in a configuration of their own.
RECONNECT = re.compile(
    r"(: maybe token expired\?)? - (try refreshing|manually refresh|refresh)[\w ]* \"rclone config reconnect [^\"]*\""
)
# These say that something failed, not why.
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


def excerpt(stderr: str) -> str:
    """The sentence that matters in the whole standard error of a command, JSON lines or plain ones."""
    return main_sentence(parse_problems(stderr))


def main_sentence(problems: Sequence[Message]) -> str:
    """The first of ``problems`` that says why, without its wrapping; empty when there is none."""
    for message in problems:
        if message.text and not NOISE.match(message.text):
            sentence = unwrapped(message.text)
            if sentence and not NOISE.match(sentence):
                return sentence
    return unwrapped(problems[0].text) if problems else ""


def unwrapped(text: str) -> str:
    """``text`` on one line, without what rclone and the provider's library put around the sentence, and redacted."""
    found = AZURE.search(text)
    if found:
        text = ": ".join(part for part in (found.group("code"), found.group("sentence")) if part)
    sentence = RECONNECT.sub("", AWS_TAIL.sub("", text.strip()))
    while True:
        shorter = WRAPPERS.sub("", sentence, count=1).strip()
        if shorter == sentence or not shorter:
            break
        sentence = shorter
    line = redacted(" ".join(sentence.split()))
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"


def redacted(text: str) -> str:
    """``text`` without what a URL or an answer may hold of a login: SAS signatures, tokens, user:password@."""
    for pattern, replacement in SECRETS:
        text = pattern.sub(replacement, text)
    return text
