# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""The rclone of this host: where it is, which version, and what that version can do."""

from __future__ import annotations

import os
import pwd
import re
import shutil
from dataclasses import dataclass
from typing import Dict, Mapping, Optional, Tuple

from ..common.errors import CloudsyncError, usage_error
from ..common.layout import Layout
from ..common.processes import ToolError, run_tool

Version = Tuple[int, int, int]
OLDEST: Version = (1, 60, 0)
STANDARD_PATH = "/usr/local/bin:/usr/bin:/bin"
# The only variables that an operator sets on a unit for rclone's sake. AWS_CA_BUNDLE alone breaks S3 on 1.60, and
# every RCLONE_* is a hidden command line option.
PROXY_VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")
PROBE_SECONDS = 30
FIRST_LINE = re.compile(r"^rclone v(\d+)\.(\d+)(?:\.(\d+))?", re.MULTILINE)


def find(layout: Layout, search_path: str) -> str:
    """The path of rclone: what the ``runner`` role installed, else the first on ``search_path`` (as in PATH)."""
    link = layout.rclone_link
    if os.path.lexists(link):
        if os.path.isfile(link) and os.access(link, os.X_OK):
            return link
        raise usage_error(
            f"{link} does not lead to a program: run the role skyhaul.cloudsync.runner again, or remove it to use the "
            "rclone on PATH."
        )
    found = shutil.which("rclone", path=":".join(part for part in (search_path, STANDARD_PATH) if part))
    if found is None:
        raise usage_error(
            "rclone is missing on this host: run the role skyhaul.cloudsync.runner, or put rclone on PATH."
        )
    return os.path.abspath(found)


def clean_environment(home: Optional[str] = None, environ: Optional[Mapping[str, str]] = None) -> Dict[str, str]:
    """The whole environment of an rclone process. Nothing is inherited but the proxy settings.

    ``home`` is the home directory of the user that rclone runs as (default: of this process's user).
    HTTP_PROXY, HTTPS_PROXY and NO_PROXY come from ``environ`` (default: this process's), where the unit sets them.
    """
    inherited = os.environ if environ is None else environ
    built = {"PATH": STANDARD_PATH, "HOME": home or _own_home(), "LANG": "C.UTF-8"}
    built.update({name: inherited[name] for name in PROXY_VARIABLES if inherited.get(name)})
    return built


def _own_home() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_dir
    except KeyError:
        return "/"


@dataclass(frozen=True)
class Rclone:
    """One rclone program. What is asked of it goes by version: ``has_...`` is True when it can."""

    path: str
    version: Version

    @property
    def version_text(self) -> str:
        return dotted(self.version)

    @property
    def has_strict_names(self) -> bool:
        """crypt's ``strict_names``: a name that does not decrypt is an error, not a skipped file."""
        return self.version >= (1, 66, 0)

    @property
    def has_safe_pull(self) -> bool:
        """File names of a hostile remote stay inside the destination (CVE-2026-71313)."""
        return self.version >= (1, 75, 0)


def dotted(version: Version) -> str:
    """``(1, 75, 2)`` as 1.75.2."""
    return ".".join(str(part) for part in version)


def parse_version(text: str) -> Optional[Version]:
    """From what ``rclone version`` prints; None when that is not rclone's."""
    found = FIRST_LINE.search(text)
    if found is None:
        return None
    major, minor, patch = found.groups()
    return int(major), int(minor), int(patch or 0)


def probe(path: str) -> Rclone:
    """Ask the program at ``path`` for its version. Raises CloudsyncError when it is not rclone, or too old."""
    version = parse_version(run_quietly(path, "version"))
    if version is None:
        raise usage_error(f"{path} does not answer like rclone: run the role skyhaul.cloudsync.runner.")
    if version < OLDEST:
        raise usage_error(
            f"{path} is rclone {dotted(version)}; cloudsync needs {dotted(OLDEST)} or newer. Run the role "
            "skyhaul.cloudsync.runner, or upgrade rclone."
        )
    return Rclone(path, version)


def run_quietly(path: str, *arguments: str) -> str:
    """Standard output of a short rclone command that needs no remote and no configuration."""
    try:
        done = run_tool([path, "--config", "", *arguments], PROBE_SECONDS, environment=clean_environment())
    except ToolError as error:
        raise _build_probe_error(path, error.message) from error
    if done.exit_code != 0:
        raise _build_probe_error(path, done.stderr.strip() or f"exit code {done.exit_code}")
    return done.stdout


def _build_probe_error(path: str, detail: str) -> CloudsyncError:
    return CloudsyncError(
        "usage",
        f"{path} could not be run: {detail.rstrip('.') + '.'} Run the role skyhaul.cloudsync.runner, or put "
        "another rclone on PATH.",
    )
