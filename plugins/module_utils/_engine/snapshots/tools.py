# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Run the tools of the volume managers."""

from __future__ import annotations

import os
from typing import Dict, Sequence

from ..common.errors import CloudsyncError
from ..common.processes import ToolError, run_tool

TIMEOUT_SECONDS = 600
UDEV = "/run/udev/control"
ENVIRONMENT = {
    "LC_ALL": "C",
    # lvm2 would warn about each lock and pipe that is open in the runner.
    "LVM_SUPPRESS_FD_WARNINGS": "1",
}
PACKAGES = {
    "zfs": "zfsutils-linux (zfs on Fedora and RHEL)",
    "btrfs": "btrfs-progs",
    "lvs": "lvm2",
    "lvcreate": "lvm2",
    "lvremove": "lvm2",
    "mount": "mount (util-linux on Fedora and RHEL)",
    "umount": "mount (util-linux on Fedora and RHEL)",
    "blkid": "util-linux",
}
FULL = (
    "insufficient free space",
    "insufficient suitable allocatable extents",
    "no space left",
    "out of space",
    "enough free data space",
    "disk quota exceeded",
)


def run_command(argv: Sequence[str]) -> str:
    """Run a tool and return its output. Raise CloudsyncError if it fails or is not installed."""
    try:
        done = run_tool(argv, TIMEOUT_SECONDS, environment=_build_environment())
    except ToolError as error:
        if error.missing:
            raise build_missing_tool_error(argv[0]) from None
        if error.timed_out:
            raise CloudsyncError(
                "other",
                f"{_describe_command(argv)} timed out after {TIMEOUT_SECONDS} s. Check the health of the storage.",
            ) from None
        raise
    if done.exit_code != 0:
        raise build_command_error(argv, done.exit_code, done.stderr or done.stdout)
    # A mount point may have a name that is not UTF-8.
    return done.raw_stdout.decode("utf-8", "surrogateescape")


def build_missing_tool_error(tool: str) -> CloudsyncError:
    """Return the error about a missing tool. It names the package."""
    return CloudsyncError(
        "usage",
        f"The task's snapshot needs the command {tool}, which is not installed on this host. Install package "
        f"{PACKAGES.get(tool, tool)}.",
    )


def build_command_error(argv: Sequence[str], code: int, words: str) -> CloudsyncError:
    """Return the error of a failed tool, with the last three lines of its output."""
    lines = [line.strip() for line in words.splitlines() if line.strip() and "WARNING" not in line]
    said = " ".join(lines[-3:]) or "(no output)"
    reason = "disk_full" if any(sign in words.lower() for sign in FULL) else "other"
    return CloudsyncError(reason, f"{_describe_command(argv)} failed with exit code {code}: {said}")


def _build_environment() -> Dict[str, str]:
    # Without udev (in a container or a rescue system), lvm2 must make the device nodes itself.
    return ENVIRONMENT if os.path.exists(UDEV) else dict(ENVIRONMENT, DM_DISABLE_UDEV="1")


def _describe_command(argv: Sequence[str]) -> str:
    """Return the command without its operands: ``zfs snapshot``."""
    return " ".join([argv[0]] + [word for word in argv[1:3] if word.isalpha()])
