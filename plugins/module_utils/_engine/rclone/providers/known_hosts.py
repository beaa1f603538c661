# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""SSH host keys: the lines of a known_hosts file, and which options of the provider sftp decide what is trusted.

rclone checks no host key unless it is told to. Told to, it takes the algorithm that the server likes best, and then
calls any other key of this server in the file a mismatch, unless ``host_key_algorithms`` says which ones there are.
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
# What decides whom a login trusts belongs to the credential, not to a task.
OF_THE_CREDENTIAL = frozenset((KNOWN_HOSTS, KNOWN_HOSTS_FILE, HOST_KEYS, PIN_HOST_KEY, SSH))
NONE = "none"
PORT = "22"
REVOKED, AUTHORITY = "@revoked", "@cert-authority"
# A key of the type ssh-rsa signs in several ways, the best first.
RSA = ("rsa-sha2-512", "rsa-sha2-256", "ssh-rsa")


@dataclass(frozen=True)
class Line:
    """``hosts`` are patterns, or one hash; ``marker`` is empty for a plain key."""

    marker: str
    hosts: str
    key_type: str

    def is_about(self, host: str, port: str) -> bool:
        """Whether the line says something about the server at ``host`` and ``port``."""
        name = host.lower() if port == PORT else f"[{host.lower()}]:{port}"
        if self.hosts.startswith("|1|"):
            return _is_hash_of(self.hosts, name)
        patterns = self.hosts.lower().split(",")
        return _matches(name, [each for each in patterns if not each.startswith("!")]) and not _matches(
            name, [each[1:] for each in patterns if each.startswith("!")]
        )


def _matches(name: str, patterns: List[str]) -> bool:
    # Brackets are letters here: they stand around a host that has a port.
    return any(fnmatch.fnmatchcase(name, pattern.replace("[", "[[]")) for pattern in patterns)


def _is_hash_of(hashed: str, name: str) -> bool:
    salt, _bar, wanted = hashed[3:].partition("|")
    try:
        found = hmac.new(base64.b64decode(salt), name.encode(), hashlib.sha1).digest()
        return hmac.compare_digest(found, base64.b64decode(wanted))
    except (binascii.Error, ValueError):
        return False


def parse(text: str) -> Tuple[List[Line], List[int]]:
    """The lines of ``text``, and the numbers (from 1) of those that are none."""
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
    """Whether the base64 text ``key`` is one of ``key_type``: it begins with that name, behind its length."""
    try:
        content = base64.b64decode(key, validate=True)
    except (binascii.Error, ValueError):
        return False
    return content[4 : 4 + int.from_bytes(content[:4], "big")] == key_type.encode()


def algorithms(text: str, host: str, port: str) -> str:
    """The ``host_key_algorithms`` for the keys that ``text`` has of a server; empty when rclone may take any."""
    about = [line for line in parse(text)[0] if line.is_about(host, port or PORT)]
    if any(line.marker == AUTHORITY for line in about):
        return ""
    types = dict.fromkeys(line.key_type for line in about if line.marker != REVOKED)
    return " ".join(name for key_type in types for name in (RSA if key_type == "ssh-rsa" else (key_type,)))


def is_unchecked(login: Mapping[str, str]) -> bool:
    """Whether a credential says that any server is to be trusted."""
    return NONE in (login.get(KNOWN_HOSTS, "").strip(), login.get(KNOWN_HOSTS_FILE, "").strip())


def problems(login: Mapping[str, str]) -> List[str]:
    """What is wrong with the options of a credential for sftp that say whom it trusts, a sentence each."""
    found = []
    text = login.get(KNOWN_HOSTS, "")
    lines, wrong = parse(text)
    if text.strip() != NONE and (wrong or (text and not lines)):
        found.append(
            f"'known_hosts'{f', line {wrong[0]},' if wrong else ''} must be lines as 'ssh-keyscan HOST' prints them "
            "(host, type of the key, key), or none."
        )
    if text and login.get(KNOWN_HOSTS_FILE):
        found.append("'known_hosts' and 'known_hosts_file' are both set: keep one of them.")
    if login.get(PIN_HOST_KEY) in TRUE:
        found.append(
            "'pin_host_key' would trust whatever server answers first, at each run anew: put the server's keys into "
            "known_hosts."
        )
    return found
