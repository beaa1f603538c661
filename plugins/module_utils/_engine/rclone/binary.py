# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Find the rclone of this host, its version, and the features of that version."""

from __future__ import annotations

import contextlib
import os
import pwd
import re
import shutil
from dataclasses import dataclass
from typing import Any, Dict, Mapping, Optional, Tuple

from ..common.errors import CloudsyncError, usage_error
from ..common.files import read_json, write_json
from ..common.layout import Layout
from ..common.processes import ToolError, run_tool

Version = Tuple[int, int, int]
OLDEST: Version = (1, 60, 0)
STANDARD_PATH = "/usr/local/bin:/usr/bin:/bin"
# The only variables that rclone gets from its unit. AWS_CA_BUNDLE breaks S3 on 1.60, and each RCLONE_* is a hidden
# command line option.
PROXY_VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")
PROBE_SECONDS = 30
CACHE_NAME = ".rclone-version.json"  # no task can have this name
ELF = b"\x7fELF"
FIRST_LINE = re.compile(r"^rclone v(\d+)\.(\d+)(?:\.(\d+))?", re.MULTILINE)


def find(layout: Layout, search_path: str) -> str:
    """Return the path of rclone: the one of the ``runner`` role, else the first on ``search_path`` (as in PATH)."""
    link = layout.rclone_link
    if os.path.lexists(link):
        if os.path.isfile(link) and os.access(link, os.X_OK):
            return link
        raise usage_error(
            f"{link} does not point to a program. Run the role skyhaul.cloudsync.runner again, or remove the link to "
            "use the rclone on PATH."
        )
    found = shutil.which("rclone", path=":".join(part for part in (search_path, STANDARD_PATH) if part))
    if found is None:
        raise usage_error(
            "rclone is not installed on this host. Run the role skyhaul.cloudsync.runner, or put rclone on PATH."
        )
    return os.path.abspath(found)


def build_clean_environment(home: Optional[str] = None, environ: Optional[Mapping[str, str]] = None) -> Dict[str, str]:
    """Return the complete environment of an rclone process, which inherits only the proxy settings.

    ``home`` is the home directory of the user that rclone runs as (default: this process's user).
    HTTP_PROXY, HTTPS_PROXY and NO_PROXY come from ``environ`` (default: this process's), where the unit sets them.
    """
    inherited = os.environ if environ is None else environ
    built = {"PATH": STANDARD_PATH, "HOME": home or _find_own_home(), "LANG": "C.UTF-8"}
    built.update({name: inherited[name] for name in PROXY_VARIABLES if inherited.get(name)})
    return built


def _find_own_home() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_dir
    except KeyError:
        return "/"


@dataclass(frozen=True)
class Rclone:
    """One rclone program. A property ``has_...`` is True if its version has the feature."""

    path: str
    version: Version

    @property
    def version_text(self) -> str:
        return format_version(self.version)

    @property
    def has_strict_names(self) -> bool:
        """crypt's ``strict_names``: a name that cannot be decrypted is an error, not a skipped file."""
        return self.version >= (1, 66, 0)

    @property
    def has_partial_suffix(self) -> bool:
        """``--partial-suffix``: the end of the names of files that are not complete yet."""
        return self.version >= (1, 65, 0)

    @property
    def has_inplace(self) -> bool:
        """``--inplace``: files that are not complete yet have their final names, as always in earlier versions."""
        return self.version >= (1, 63, 0)

    @property
    def has_time_format(self) -> bool:
        """``lsf --time-format``: a listing has times with nanoseconds."""
        return self.version >= (1, 68, 0)

    @property
    def has_hash_filter(self) -> bool:
        """``--hash-filter``: each host transfers its part of the files."""
        return self.version >= (1, 70, 0)

    @property
    def has_safe_pull(self) -> bool:
        """File names of a malicious remote stay inside the destination (CVE-2026-71313)."""
        return self.version >= (1, 75, 0)


def format_version(version: Version) -> str:
    """Return ``(1, 75, 2)`` as 1.75.2."""
    return ".".join(str(part) for part in version)


def parse_version(text: str) -> Optional[Version]:
    """Return the version in the output of ``rclone version``; None if it is not rclone's."""
    found = FIRST_LINE.search(text)
    if found is None:
        return None
    major, minor, patch = found.groups()
    return int(major), int(minor), int(patch or 0)


def probe(path: str, cache_dir: str = "") -> Rclone:
    """Ask the program at ``path`` for its version. Raises CloudsyncError if it is not rclone, or too old.

    ``cache_dir`` keeps its answer until the program's file changes, because the question takes 50 ms in each run. A
    cache that cannot be read or written is not used. ``cache_dir`` is not created: check mode changes nothing.
    """
    cache = os.path.join(cache_dir, CACHE_NAME) if cache_dir else ""
    program = identify_program(path)
    kept = str(read_kept(cache, program) or "")
    version = parse_version(kept or run_quietly(path, "version"))
    if version is not None and not kept:
        keep(cache, program, f"rclone v{format_version(version)}")
    if version is None:
        raise usage_error(f"{path} is not rclone. Run the role skyhaul.cloudsync.runner to install rclone.")
    if version < OLDEST:
        raise usage_error(
            f"{path} is rclone {format_version(version)}, but cloudsync needs {format_version(OLDEST)} or later. Run "
            "the role skyhaul.cloudsync.runner, or upgrade rclone."
        )
    return Rclone(path, version)


def identify_program(path: str) -> str:
    """Return what changes if the program at ``path`` is replaced. Return an empty text if nothing shows that.

    A script, or a launcher such as that of snap, stays the same when the rclone that it starts is replaced.
    """
    real = os.path.realpath(path)
    try:
        with open(real, "rb") as stream:
            is_rclone = stream.read(len(ELF)) == ELF and "rclone" in os.path.basename(real)
            found = os.fstat(stream.fileno())
    except OSError:
        return ""
    return f"{real} {found.st_ino} {found.st_mtime_ns} {found.st_size}" if is_rclone else ""


def read_kept(cache: str, program: str) -> Any:
    """Return the answer of ``program`` that keep() wrote, None if there is none. Both may be empty."""
    with contextlib.suppress(OSError, CloudsyncError):
        content = (cache and program and read_json(cache)) or {}
        return content.get("answer") if content.get("program") == program else None
    return None


def keep(cache: str, program: str, answer: Any) -> None:
    """Keep an answer of ``program`` in the file ``cache``, if that is possible."""
    if cache and program:
        with contextlib.suppress(OSError, CloudsyncError):
            write_json(cache, {"program": program, "answer": answer})


def run_quietly(path: str, *arguments: str) -> str:
    """Return the standard output of a short rclone command that needs no remote and no configuration."""
    try:
        done = run_tool([path, "--config", "", *arguments], PROBE_SECONDS, environment=build_clean_environment())
    except ToolError as error:
        raise _build_probe_error(path, error.message) from error
    if done.exit_code < 0:
        raise CloudsyncError("interrupted", f"{path} was killed by signal {-done.exit_code}. Run the task again.")
    if done.exit_code != 0:
        raise _build_probe_error(path, done.stderr.strip() or f"exit code {done.exit_code}")
    return done.stdout


def _build_probe_error(path: str, detail: str) -> CloudsyncError:
    return CloudsyncError(
        "usage",
        f"Cannot run {path}. Run the role skyhaul.cloudsync.runner, or put another rclone on PATH. The error was: "
        f"{detail.rstrip('.')}.",
    )
