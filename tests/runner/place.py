# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Prepare the folders of the tests. Everything that tests write is in .build, including the home directory."""

from __future__ import annotations

import dataclasses
import os
import pathlib
import shutil
import subprocess
import sys

import pythons

NAMESPACE, NAME = "skyhaul", "cloudsync"
HERE = pathlib.Path(__file__).resolve().parent


@dataclasses.dataclass(frozen=True)
class Place:
    """The folders of the tests in one clone of the repository."""

    clone: pathlib.Path
    pythons: dict[str, pathlib.Path]

    @property
    def build(self) -> pathlib.Path:
        return self.clone / ".build"

    @property
    def collections(self) -> pathlib.Path:
        """Return the value of ANSIBLE_COLLECTIONS_PATH."""
        return self.build / "collections-tree"

    @property
    def tree(self) -> pathlib.Path:
        """Return the folder of the collection for the tools: a copy, because ansible-test refuses a symbolic link."""
        return self.collections / "ansible_collections" / NAMESPACE / NAME

    @property
    def home(self) -> pathlib.Path:
        return self.build / "home"

    @property
    def logs(self) -> pathlib.Path:
        return self.build / "logs"

    def junit(self, name: str) -> pathlib.Path:
        return self.build / "junit" / f"{name}.xml"

    def environment(self) -> dict[str, str]:
        """Return the caller's environment with the home and the collection of the tests.

        On PATH, the interpreters are before the shims of version managers.
        """
        folders = [os.path.dirname(sys.executable), *(str(path.parent) for path in self.pythons.values())]
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("ANSIBLE_", "MAKE", "MFLAGS"))}
        return {
            **kept,
            "HOME": str(self.home),
            "PATH": os.pathsep.join([*dict.fromkeys(folders), os.environ.get("PATH", os.defpath)]),
            "ANSIBLE_COLLECTIONS_PATH": str(self.collections),
            "ANSIBLE_HOME": str(self.home / ".ansible"),
            "PYTHONDONTWRITEBYTECODE": "1",
        }


def prepare() -> Place:
    """Find the interpreters, fill the home directory and copy the collection."""
    place = Place(clone=HERE.parent.parent, pythons=pythons.find())
    for folder in (place.build / "junit", place.logs, place.tree):
        folder.mkdir(parents=True, exist_ok=True)
    _fill_home(place.home)
    _lay_out(place.clone, place.tree)
    return place


def _fill_home(home: pathlib.Path) -> None:
    """Write pip's settings and a replacement of get-pip into ``home``.

    ansible-test passes only HOME on, no variables of pip. It would download get-pip from a host that may be offline.
    """
    cache = home / ".ansible" / "test" / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    for version in ("24_2", "25_2"):  # the names in ansible-core 2.19, and in 2.20 and 2.21
        shutil.copyfile(HERE / "get_pip.py", cache / f"get_pip_{version}.py")
    settings = home / ".config" / "pip" / "pip.conf"
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.touch(mode=0o600)
    settings.write_text(_pip_settings(), encoding="utf-8")


def _pip_settings() -> str:
    """Return the effective settings of pip, from all its files and variables, as the text of one file."""
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True
    ).stdout
    sections: dict[str, dict[str, str]] = {}
    for line in listed.splitlines():
        name, __, value = line.partition("=")
        section, __, key = name.rpartition(".")
        section = "global" if section == ":env:" else section
        if section and key != "config-file":
            text = value.strip("'\"").replace("\\n", "\n    ")
            sections.setdefault(section, {}).setdefault(key, text)  # variables are listed first and override files
    lines = []
    for section, values in sections.items():
        lines += [f"[{section}]", *(f"{key} = {value}" for key, value in values.items())]
    return "\n".join(lines) + "\n"


def _lay_out(clone: pathlib.Path, tree: pathlib.Path) -> None:
    """Copy the files that Git tracks or would add, and remove deleted ones.

    ansible-test needs a Git repository, because it gets the files of the collection from Git.
    """
    if not (tree / ".git").exists():
        subprocess.run(["git", "init", "--quiet", str(tree)], check=True)
    wanted = {name for name in _listed(clone) if (clone / name).is_file()}
    for name in _listed(tree) - wanted:
        (tree / name).unlink(missing_ok=True)
    for name in wanted:
        _copy(clone / name, tree / name)


def _listed(folder: pathlib.Path) -> set[str]:
    command = ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listing = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout
    return set(listing.split("\0")) - {""}


def _copy(source: pathlib.Path, target: pathlib.Path) -> None:
    facts = source.lstat()
    if target.exists():
        there = target.lstat()
        if (there.st_size, there.st_mtime_ns, there.st_mode) == (facts.st_size, facts.st_mtime_ns, facts.st_mode):
            return
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source, target, follow_symlinks=False)
