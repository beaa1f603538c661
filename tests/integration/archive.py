# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A task that pushes to an archive storage class, and the pull back."""

from __future__ import annotations

import subprocess

import harness


class Archive:
    """A machine with a push into a storage class that can't be read, and the pull back."""

    def __init__(self, machine, place, bucket, rclone):
        self.machine, self.place, self.bucket, self._rclone = machine, place, bucket, rclone
        self.source, self.back = machine.data / "source", machine.data / "back"

    def declare(self, storage_class="", **options):
        common = {
            "credential": "account",
            "mode": "sync",
            "remote_path": self.bucket + "/d",
            "provider_options": {"storage_class": storage_class} if storage_class else {},
            "retries": 0,
            **options,
        }
        push = {"name": "push", "direction": "push", "path": str(self.source), **common}
        pull = {"name": "pull", "direction": "pull", "path": str(self.back), **common}
        pull.pop("keep_deleted", None)
        self.machine.declare([self.place.credential], [push, pull])

    def rclone(self, *arguments):
        """What rclone says with the account as the remote REMOTE."""
        environment = {"PATH": "/usr/bin:/bin", "RCLONE_CONFIG_REMOTE_TYPE": self.place.provider}
        for key, value in {**self.place.attributes, **self.place.secrets}.items():
            environment["RCLONE_CONFIG_REMOTE_" + key.upper()] = str(value).lower() if value is True else value
        words = [self._rclone, "--config", "", *arguments]
        return subprocess.run(words, env=environment, capture_output=True, check=True, encoding="utf-8").stdout

    def there(self):
        """The files at the remote path, without the owner mark."""
        found = self.rclone("lsf", "--recursive", "--files-only", "REMOTE:" + self.bucket + "/d").split()
        return sorted(set(found) - set(harness.MARKS))
