# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An SFTP server of rclone with host keys of every kind."""

from __future__ import annotations

from contextlib import contextmanager

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from harness import SECRET, serving

OPENSSH = serialization.PrivateFormat.OpenSSH
MAKERS = {
    "rsa": lambda: rsa.generate_private_key(65537, 2048),
    "ecdsa": lambda: ec.generate_private_key(ec.SECP256R1()),
    "ed25519": ed25519.Ed25519PrivateKey.generate,
}


def private(key):
    return key.private_bytes(serialization.Encoding.PEM, OPENSSH, serialization.NoEncryption()).decode()


def public(key):
    encoding, form = serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
    return key.public_key().public_bytes(encoding, form).decode()


class Server:
    """Served files, host keys of every kind, and a user who may log in with a password or with ``key``."""

    def __init__(self, folder):
        self.folder = folder
        self.files = folder / "files"
        self.files.mkdir(parents=True)
        self.hosts = {kind: make() for kind, make in MAKERS.items()}
        self.key = MAKERS["ed25519"]()
        (folder / "authorized").write_text(public(self.key) + "\n")
        self.port = None

    def options(self):
        for kind, key in self.hosts.items():
            path = self.folder / kind
            path.write_text(private(key))
            path.chmod(0o600)
            yield f"--key={path}"
        yield from ("--user", "u", "--pass", SECRET, "--authorized-keys", str(self.folder / "authorized"))

    def known(self, *kinds):
        """Lines of a known_hosts file with the server's keys of these kinds."""
        return "".join(f"[127.0.0.1]:{self.port} {public(self.hosts[kind])}\n" for kind in kinds)

    def credential(self, secrets=None, **attributes):
        login = {"host": "127.0.0.1", "port": self.port, "user": "u", **attributes}
        return {"name": "there", "provider": "sftp", "attributes": login, "secrets": secrets or {"pass": SECRET}}


@contextmanager
def serving_sftp(rclone, folder):
    """Run the server, and yield it."""
    found = Server(folder)
    with serving(rclone, "sftp", found.files, *found.options()) as port:
        found.port = port
        yield found
