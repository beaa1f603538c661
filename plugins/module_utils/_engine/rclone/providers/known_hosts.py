# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""SSH host keys: the lines of a known_hosts file, and the options of the provider sftp that decide what is trusted.

By default rclone checks no host key. With a known_hosts file it uses the algorithm that the server prefers, and reports
a mismatch if the file has only keys of other types, unless ``host_key_algorithms`` lists those types.
"""

from __future__ import annotations

import base64
import binascii
import fnmatch
import hashlib
import hmac
from dataclasses import dataclass
from typing import List, Mapping, Tuple

from .option_values import TRUE

KNOWN_HOSTS, KNOWN_HOSTS_FILE, HOST_KEYS = "known_hosts", "known_hosts_file", "host_keys"
HOST_KEY_ALGORITHMS, PIN_HOST_KEY, SSH = "host_key_algorithms", "pin_host_key", "ssh"
# These options decide which servers are trusted. They belong to the credential, not to a task.
OF_THE_CREDENTIAL = frozenset((KNOWN_HOSTS, KNOWN_HOSTS_FILE, HOST_KEYS, PIN_HOST_KEY, SSH))
NONE = "none"
PORT = "22"
REVOKED, AUTHORITY = "@revoked", "@cert-authority"
# A key of the type ssh-rsa signs with several algorithms. The strongest is the first.
RSA = ("rsa-sha2-512", "rsa-sha2-256", "ssh-rsa")


@dataclass(frozen=True)
class Line:
    """``hosts`` are patterns, or one hash; ``marker`` is empty for a plain key."""

    marker: str
    hosts: str
    key_type: str

    def is_about(self, host: str, port: str) -> bool:
        """Whether the line applies to the server at ``host`` and ``port``."""
        bare = host.lower().strip("[]")
        name = bare if port == PORT else f"[{bare}]:{port}"
        if self.hosts.startswith("|1|"):
            return _is_hash_of(self.hosts, name)
        patterns = self.hosts.lower().split(",")
        return _matches(name, [each for each in patterns if not each.startswith("!")]) and not _matches(
            name, [each[1:] for each in patterns if each.startswith("!")]
        )


def _matches(name: str, patterns: List[str]) -> bool:
    # Brackets have no special meaning here: they surround a host that has a port.
    return any(fnmatch.fnmatchcase(name, pattern.replace("[", "[[]")) for pattern in patterns)


def _is_hash_of(hashed: str, name: str) -> bool:
    salt, _bar, wanted = hashed[3:].partition("|")
    try:
        found = hmac.new(base64.b64decode(salt), name.encode(), hashlib.sha1).digest()
        return hmac.compare_digest(found, base64.b64decode(wanted))
    except (binascii.Error, ValueError):
        return False


def parse(text: str) -> Tuple[List[Line], List[int]]:
    """Return the lines of ``text``, and the numbers (from 1) of the invalid ones."""
    lines: List[Line] = []
    wrong: List[int] = []
    for number, raw in enumerate(text.splitlines(), 1):
        words = raw.split()
        if not words or words[0].startswith("#"):
            continue
        marker = words.pop(0) if words[0] in (REVOKED, AUTHORITY) else ""
        if len(words) < 3 or not _is_key(words[1], words[2]):
            wrong.append(number)
        else:
            lines.append(Line(marker, words[0], words[1]))
    return lines, wrong


def _is_key(key_type: str, key: str) -> bool:
    """Whether the base64 text ``key`` is of ``key_type``: it begins with the length of that name and the name."""
    try:
        content = base64.b64decode(key, validate=True)
    except (binascii.Error, ValueError):
        return False
    return content[4 : 4 + int.from_bytes(content[:4], "big")] == key_type.encode()


def list_algorithms(text: str, host: str, port: str) -> str:
    """Return the ``host_key_algorithms`` for the keys of a server in ``text``; empty if rclone may use any."""
    about = [line for line in parse(text)[0] if line.is_about(host, port or PORT)]
    if any(line.marker == AUTHORITY for line in about):
        return ""
    types = dict.fromkeys(line.key_type for line in about if line.marker != REVOKED)
    return " ".join(name for key_type in types for name in (RSA if key_type == "ssh-rsa" else (key_type,)))


def is_unchecked(login: Mapping[str, str]) -> bool:
    """Whether a credential trusts every server."""
    return NONE in (login.get(KNOWN_HOSTS, "").strip(), login.get(KNOWN_HOSTS_FILE, "").strip())


def find_problems(login: Mapping[str, str]) -> List[str]:
    """Return a sentence for each invalid option of an sftp credential that decides which servers are trusted."""
    found = []
    text = login.get(KNOWN_HOSTS, "")
    lines, wrong = parse(text)
    if text.strip() != NONE and (wrong or (text and not lines)):
        found.append(
            f"'known_hosts'{f', line {wrong[0]},' if wrong else ''} is invalid. Use the lines that 'ssh-keyscan HOST' "
            "prints (host, key type, key), or none."
        )
    if text and login.get(KNOWN_HOSTS_FILE):
        found.append("'known_hosts' and 'known_hosts_file' are both set. Remove one of them.")
    if login.get(PIN_HOST_KEY) in TRUE:
        found.append(
            "'pin_host_key' trusts any server that answers first, again in each run. Put the server's keys into "
            "known_hosts instead."
        )
    return found
