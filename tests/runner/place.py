# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where the tests work: everything they write lies under .build in the clone, the home directory included."""

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
    """The clone, and what the tests make of it."""

    clone: pathlib.Path
    pythons: dict[str, pathlib.Path]

    @property
    def build(self) -> pathlib.Path:
        return self.clone / ".build"

    @property
    def collections(self) -> pathlib.Path:
        """For ANSIBLE_COLLECTIONS_PATH."""
        return self.build / "collections-tree"

    @property
    def tree(self) -> pathlib.Path:
        """The collection where its tools want it: a copy, since ansible-test refuses a symbolic link."""
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
        """The caller's, with our home, our collection, and real interpreters before any version manager's shims."""
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
    """Find the clone and the interpreters, fill the home directory, lay out the collection's tree."""
    place = Place(clone=HERE.parent.parent, pythons=pythons.find())
    for folder in (place.build / "junit", place.logs, place.tree):
        folder.mkdir(parents=True, exist_ok=True)
    _fill_home(place.home)
    _lay_out(place.clone, place.tree)
    return place


def _fill_home(home: pathlib.Path) -> None:
    """ansible-test keeps only HOME of our environment, so that pip's settings have to be found there; and it would
    download get-pip from a host of its own, where a stand-in serves."""
    cache = home / ".ansible" / "test" / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    for version in ("24_2", "25_2"):  # as ansible-core 2.19, then 2.20 and 2.21 name it
        shutil.copyfile(HERE / "get_pip.py", cache / f"get_pip_{version}.py")
    settings = home / ".config" / "pip" / "pip.conf"
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.touch(mode=0o600)
    settings.write_text(_pip_settings(), encoding="utf-8")


def _pip_settings() -> str:
    """The settings in force for pip, from all its files and variables, as one file."""
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
            sections.setdefault(section, {}).setdefault(key, text)  # variables are listed first, and win
    lines = []
    for section, values in sections.items():
        lines += [f"[{section}]", *(f"{key} = {value}" for key, value in values.items())]
    return "\n".join(lines) + "\n"


def _lay_out(clone: pathlib.Path, tree: pathlib.Path) -> None:
    """Copy the files that git has or would take, remove those that are gone; git's own folder is for ansible-test,
    which asks git what belongs to the collection."""
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
