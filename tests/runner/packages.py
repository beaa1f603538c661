# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Install the Debian packages that the tests use. Without root, print the missing ones."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess

FOR = {
    "shellcheck": "shell scripts",
    "strace": "kills at random system calls",
    "systemd": "units and schedules (systemd-analyze)",
    "openssh-client": "SFTP",
    "btrfs-progs": "snapshots",
    "lvm2": "snapshots",
    "xfsprogs": "snapshots",
    "zsh": "completions",
    "fish": "completions",
    "man-db": "the man page",
    "chromium": "the report and the login to a provider with a browser",
    "chromium-driver": "the report and the login to a provider with a browser",
}
FOR_THE_FLEET = pathlib.Path(__file__).resolve().parent.parent / "fleet" / "host-packages.txt"


def prepare() -> None:
    """Install the missing packages as root on Debian and similar systems. Print those that stay missing."""
    if not shutil.which("dpkg-query"):
        print("This is not a Debian system. Skipped tests name the programs to install.")
        return
    purposes = {**dict.fromkeys(FOR_THE_FLEET.read_text(encoding="utf-8").split(), "the fleet"), **FOR}
    missing = [name for name in purposes if not _installed(name)]
    if missing and os.geteuid() == 0 and shutil.which("apt-get"):
        print("installing " + " ".join(missing), flush=True)
        _apt_get(["update"])
        # Distributions differ, and apt-get installs nothing if one of the names is unknown.
        known = [name for name in missing if _is_known(name)]
        _apt_get(["install", "--yes", "--no-install-recommends", *known])
        missing = [name for name in missing if not _installed(name)]
    for name in missing:
        print(f"{name} is missing, so tests of {purposes[name]} may be skipped. Run: apt-get install {name}")


def _installed(name: str) -> bool:
    answer = subprocess.run(
        ["dpkg-query", "--show", "--showformat=${db:Status-Status}", name], capture_output=True, text=True, check=False
    )
    return answer.stdout == "installed"


def _is_known(name: str) -> bool:
    return subprocess.run(["apt-cache", "show", name], capture_output=True, check=False).returncode == 0


def _apt_get(words: list[str]) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    command = ["apt-get", "--quiet", "--quiet", "-o", "DPkg::Lock::Timeout=120", *words]
    done = subprocess.run(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        print(f"apt-get {words[0]} failed:\n{done.stdout[-2000:]}")
