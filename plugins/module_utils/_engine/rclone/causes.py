# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Reduce an error text of rclone to its cause, such as "connection refused", and to the address that it concerns."""

from __future__ import annotations

import re
from typing import Tuple
from urllib.parse import urlsplit

# A status code. The prefix excludes a number in the name of a file.
STATUS = r"(?:StatusCode: |status code: |response code |error |: )"

# A pattern and its cause, which may refer to the pattern's groups. The first match decides.
CAUSES: Tuple[Tuple[str, str], ...] = (
    (r"unknown (?:shorthand )?flag: (\S+)", r"unknown flag \1"),
    (r"invalid argument \"([^\"]*)\" for \"(?:-\w, )?([\w-]+)\" flag", r'invalid value "\1" for \2'),
    (r"command (\w+) needs (\d+) arguments (minimum|maximum)", r"command \1 needs \2 arguments at \3"),
    (r"didn't find section in config file", "no such section in the configuration"),
    (r"(?:didn't|couldn't) find backend", "no such backend"),
    (r"is it obscured\?", "a password is not in rclone's obscured form"),
    (r"password not set in config file", "the encryption password is missing"),
    (r"disk quota exceeded", "disk quota exceeded"),
    (r"no space left on device|not enough space on the disk", "no space left on device"),
    (r"file too big for remaining disk space", "file too big for the remaining disk space"),
    (r"storage_?full|insufficient[ _]?(?:space|storage)|STATUS_DISK_FULL|: 552\b", "storage full"),
    (r"quota[ _-]?exceeded|exceeded.{0,20}quota|over quota|quotaLimitReached", "quota exceeded"),
    (r"(?:cap[ _]?|limit[ _]?)exceeded", "limit exceeded"),
    (STATUS + r"507\b", "507 Insufficient Storage"),
    (r"RequestTimeTooSkewed|RequestExpired", "the time of the request differs too much"),
    (r"\b(invalid_client|unauthorized_client|invalid_grant|expired_access_token|invalid_access_token)\b", r"\1"),
    (r"no refresh token", "the token has expired and there is no refresh token"),
    (r"empty token found", "the token is empty"),
    (r"token (?:has )?expired", "the token has expired"),
    (r"SignatureDoesNotMatch", "signature does not match"),
    (r"InvalidAccessKeyId", "unknown access key"),
    (r"InvalidToken|InvalidSecurity|bad_auth_token", "invalid token"),
    (r"access ?denied|STATUS_ACCESS_DENIED", "access denied"),
    (r"AuthorizationFailure|authorization failed", "authorization failed"),
    (r"AuthenticationFailed", "authentication failed"),
    (r"logon failure|login incorrect|STATUS_LOGON_FAILURE|: 530\b", "login incorrect"),
    (r"unable to authenticate|ssh: handshake failed: (?:EOF|ssh:)", "SSH authentication failed"),
    (r"could not find default credentials", "no credentials found"),
    (r"error processing credentials", "the service account's key file is not valid JSON"),
    (r"illegal base64 data", "the key is not valid base64"),
    (r"insufficient (?:oauth scope|permissions?)", "insufficient permissions"),
    (r"failed to (?:parse|read|load) (?:private )?key|pem key not formatted", "the private key cannot be read"),
    (r"certificate signed by unknown authority", "certificate signed by unknown authority"),
    (r"certificate has expired or is not yet valid: .*is before", "certificate is not yet valid"),
    (r"certificate has expired", "certificate has expired"),
    (r"certificate is not trusted", "certificate is not trusted"),
    (r"x509: certificate is valid for .*, not \S+|doesn't contain any IP SANs", "certificate is for another address"),
    (r"x509: certificate (?:relies on|is not valid for)[^,;]*", "certificate is not valid for this address"),
    (r"invalid ?bucket ?name|InvalidResourceName|resource name (?:contains|length)", "invalid bucket name"),
    (r"BucketAlreadyExists|bucket name is not available", "bucket name is not available"),
    (r"connection refused", "connection refused"),
    (r"connection reset", "connection reset"),
    (r"connection timed out", "connection timed out"),
    (r"no such host", "no such host"),
    (r"server misbehaving|temporary failure in name resolution", "name resolution failed"),
    (r"\blookup \S+.*i/o timeout", "name resolution timed out"),
    (r"TLS handshake timeout", "TLS handshake timed out"),
    (r"i/o timeout|timeout awaiting|context deadline exceeded|RequestTimeout", "timed out"),
    (r"network is unreachable", "network is unreachable"),
    (r"no route to host", "no route to host"),
    (r"broken pipe|unexpected EOF|\bEOF\Z|use of closed network connection", "connection closed"),
    (r"SlowDown|too[ _]many[ _]requests|" + STATUS + r"429\b", "too many requests"),
    (r"ServiceUnavailable|" + STATUS + r"503\b", "503 Service Unavailable"),
    (r"InternalError|" + STATUS + r"500\b", "500 Internal Server Error"),
    (STATUS + r"502\b", "502 Bad Gateway"),
    (STATUS + r"504\b", "504 Gateway Timeout"),
    (STATUS + r"401\b|unauthori[sz]ed", "401 Unauthorized"),
    (STATUS + r"403\b|\bForbidden\b", "403 Forbidden"),
    (r"immutable file modified", "the file has changed and --immutable is set"),
    (r"permission denied|SSH_FX_PERMISSION_DENIED|not permitted", "permission denied"),
    (r"input/output error", "input/output error"),
    (r"is a directory", "a directory has this name"),
    (r"no such file or directory", "no such file or directory"),
    (r"can't copy - source file is being updated", "the file changed during the transfer"),
)
# What to do about a cause that belongs to no symptom.
ADVICE = {
    "permission denied": "Give the task's user access to the files, or run the task as another user.",
    "the file changed during the transfer": "If a file changes all the time, use a snapshot or exclude the file.",
}
# How a text names the other end of a connection. The address of a name server is ignored.
ADDRESSES = (
    r"\blookup ([^\s:]+)(?: on \S+)?: ",
    r"\bdial (?:tcp|udp)[46]? (\S+:\d+)\b",
    r"\b(?:read|write) (?:tcp|udp)[46]? \S+->(\S+:\d+)\b",
    r"connection to \"([^\"\s]+)\"",
    r"\b(?:get|put|post|head|delete|patch|options|report|propfind|mkcol|move|copy) \"?(https?://[^\s\"]+)",
)


def find_cause(text: str) -> str:
    """Return the cause that ``text`` names, in a few words; empty if it names no known cause."""
    for pattern, cause in CAUSES:
        found = re.search(pattern, text, re.IGNORECASE)
        if found:
            return found.expand(cause)
    return ""


def find_address(text: str) -> str:
    """Return the host, and the port if ``text`` has it, that an error concerns; empty if it names none.

    A URL is reduced to host and port: its path and query may contain a secret, its user part a login.
    """
    for pattern in ADDRESSES:
        found = re.search(pattern, text, re.IGNORECASE)
        if found:
            address = found.group(1)
            return urlsplit(address).netloc.rpartition("@")[2] if "://" in address else address
    return ""
