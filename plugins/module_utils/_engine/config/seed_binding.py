# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Bind a text to this host or to its TPM: systemd-creds encrypts it with a key that never leaves them.

The text is passed through pipes, never in a file or an argument.
"""

from __future__ import annotations

from typing import Sequence

from ..common.errors import CloudsyncError, Damaged, usage_error
from ..common.processes import ToolError, ToolResult, run_tool

UNBOUND = "none"
HOST, TPM2 = "host", "tpm2"
KINDS = (HOST, TPM2, "host+tpm2", "auto")
NAME = "cloudsync-seed"
SECONDS = 60
BUSY = "other"


def check_can_bind(kind: str) -> None:
    """Raise a usage error if this machine cannot bind a seed as ``kind`` says. Write nothing."""
    _systemd_creds(["--version"], b"", kind)
    if TPM2 in kind:
        _encrypt(b"", TPM2, kind)


def bind(plain: bytes, kind: str) -> str:
    """Return ``plain`` as one line that only this host or its TPM can open. ``kind`` is one of KINDS.

    The line is decrypted once before it is returned. Raise an error if that fails.
    """
    sealed = _encrypt(plain, kind, kind)
    opened = _systemd_creds(["decrypt", "--name=" + NAME, "-", "-"], sealed, kind)
    if opened.raw_stdout != plain:
        raise _build_bind_error(kind, "systemd-creds cannot decrypt what it has encrypted")
    return b"".join(sealed.split()).decode("ascii")


def _encrypt(plain: bytes, key: str, kind: str) -> bytes:
    done = _systemd_creds(["encrypt", "--with-key=" + key, "--name=" + NAME, "-", "-"], plain, kind)
    if done.exit_code != 0:
        raise _build_bind_error(kind, "systemd-creds failed: " + _find_last_line(done.stderr))
    return done.raw_stdout


def _build_bind_error(kind: str, why: str) -> CloudsyncError:
    return usage_error(f"Cannot bind the seed with bound={kind}. The seed was not changed. Cause: {why}.")


def open_bound(sealed: str, kind: str, path: str) -> bytes:
    """Return the text that bind() sealed in ``path``. Raise Damaged if the key is lost or the text was changed."""
    try:
        done = _systemd_creds(["decrypt", "--name=" + NAME, "-", "-"], sealed.encode("ascii", "replace"), kind)
    except CloudsyncError as error:
        if error.reason == BUSY:  # the next try may succeed, so the seed is not damaged and must not be replaced
            raise
        raise _build_open_error(path, kind, error.message) from error
    if done.exit_code != 0:
        raise _build_open_error(path, kind, f"systemd-creds failed: {_find_last_line(done.stderr)}.")
    return done.raw_stdout


def _build_open_error(path: str, kind: str, why: str) -> Damaged:
    return Damaged(
        "undecryptable",
        f"The seed {path} is bound (bound={kind}), and this host cannot open it. It was not changed. Restore the key "
        "(/var/lib/systemd/credential.secret, or the state of the TPM), or restore the seed from its backup "
        f"(skyhaul.cloudsync.restore). Cause: {why}",
    )


def _systemd_creds(arguments: Sequence[str], stdin: bytes, kind: str) -> ToolResult:
    try:
        return run_tool(["systemd-creds", *arguments], SECONDS, stdin)
    except ToolError as error:
        if error.missing:
            raise usage_error(
                f"systemd-creds is not installed. A seed with bound={kind} needs it. Install systemd 250 or newer."
            ) from None
        if error.timed_out:
            raise CloudsyncError(
                BUSY, f"systemd-creds timed out after {SECONDS} s (seed with bound={kind}). Try again."
            ) from None
        raise


def _find_last_line(stderr: str) -> str:
    lines = stderr.strip().splitlines()
    return lines[-1].rstrip(".") if lines else "no output"
