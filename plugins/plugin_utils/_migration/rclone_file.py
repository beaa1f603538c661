# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.


"""Read an rclone.conf. rclone itself decrypts an encrypted one."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile

from ...module_utils._engine.common.errors import CloudsyncError, usage_error
from ...module_utils._engine.rclone.binary import PROBE_SECONDS, build_clean_environment
from ...module_utils._engine.rclone.conf_file import Sections, parse
from .encoding import decode

ENCRYPTED = "RCLONE_ENCRYPT_V0:"


def read_sections(text: str, password: str, program: str) -> Sections:
    """Return the sections of the configuration ``text``. The rclone at ``program`` decrypts it if necessary."""
    text = decode(text, "The rclone configuration")
    if ENCRYPTED not in text:
        return parse(text)
    if not password:
        raise usage_error(
            "This rclone configuration is encrypted. Set the environment variable RCLONE_CONFIG_PASS to its password, "
            "or the variable rclone_config_password (in a file encrypted with ansible-vault)."
        )
    with tempfile.TemporaryDirectory(prefix="cloudsync-") as folder:
        path = os.path.join(folder, "rclone.conf")
        with open(path, "w", encoding="utf-8") as stream:
            stream.write(text)
        answer = _dump(program, path, password)
    return {name: dict(options) for name, options in json.loads(answer).items()}


def _dump(program: str, path: str, password: str) -> bytes:
    """Return the output of ``rclone config dump``. The password goes through a pipe, not an argument or variable."""
    reading, writing = os.pipe()
    try:
        with os.fdopen(writing, "wb") as stream:
            stream.write(password.encode("utf-8", "surrogateescape"))
        ended = subprocess.run(  # pylint: disable=ansible-bad-function
            [
                *(program, "--config", path, "--ask-password=false"),
                *("--password-command", f"cat /dev/fd/{reading}", "config", "dump"),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=build_clean_environment(),
            pass_fds=(reading,),
            timeout=PROBE_SECONDS,
            check=False,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise CloudsyncError("other", f"{program} cannot decrypt the configuration. The error was: {error}.") from error
    finally:
        os.close(reading)
    if ended.returncode != 0:
        raise usage_error("rclone cannot decrypt this configuration. The password is wrong, or the file is damaged.")
    return ended.stdout
