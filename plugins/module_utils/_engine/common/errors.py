# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""The one exception that the engine raises for an expected failure."""

from __future__ import annotations

import errno

REASONS = frozenset(
    (
        "auth",
        "network",
        "not_found",
        "empty_source",
        "not_mounted",
        "marker_missing",
        "max_delete",
        "source_changed",
        "same_place",
        "foreign",
        "crypt_password",
        "undecryptable",
        "locked",
        "hook",
        "deletions_suppressed",
        "restricted_content",
        "archived_object",
        "quota",
        "disk_full",
        "max_duration",
        "stopped",
        "interrupted",
        "stalled",
        "drill",
        "damaged",
        "usage",
        "other",
    )
)


# The exit codes of ``cloudsync run``. The other verbs use the first three.
EXIT_SUCCESS, EXIT_FAILED, EXIT_USAGE, EXIT_REFUSED, EXIT_SKIPPED, EXIT_STOPPED = 0, 1, 2, 3, 75, 143
# The exit code after Ctrl-C in a command that only shows something, as of a shell.
EXIT_INTERRUPTED = 130
# The exit code of ``cloudsync gate`` for a start that must not go ahead. No failure has this code.
EXIT_NOT_NOW = 77


class CloudsyncError(Exception):
    """An expected failure. ``reason`` is one of REASONS. ``message`` says what to do and contains no secret."""

    def __init__(self, reason: str, message: str) -> None:
        if reason not in REASONS:
            raise ValueError(f"{reason!r} is not a reason")
        super().__init__(message)
        self.reason = reason
        self.message = message


def usage_error(message: str) -> CloudsyncError:
    """Return the error for an invalid request, which is refused before anything is changed."""
    return CloudsyncError("usage", message)


def system_error(error: OSError) -> CloudsyncError:
    """Return the CloudsyncError for an error of the operating system, with the file that it concerns."""
    what = f"{error.filename}: {error.strerror}" if error.filename else str(error)
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return CloudsyncError("disk_full", f"{what}. Free space there, then try again.")
    if error.errno in (errno.EACCES, errno.EPERM):
        return usage_error(f"{what}. Run this as root: use become in a playbook, or sudo in a shell.")
    return CloudsyncError("other", f"{what}.")


class Refused(CloudsyncError):
    """A guard refused the run. Nothing was changed."""


class Damaged(CloudsyncError):
    """A file is not as cloudsync wrote it. No code may overwrite it, because its content may still be needed."""


class Edited(Damaged):
    """The secrets of an object can be decrypted, but other parts of it are not as cloudsync wrote them.

    A declaration may replace it, and keeps its file under another name.
    """
