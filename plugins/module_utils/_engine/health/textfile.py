# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""The file with the metrics of this host in the directory of node_exporter's textfile collector."""

from __future__ import annotations

import os
from typing import Iterator

from ..commands.helper import is_needed
from ..common.errors import usage_error
from ..common.files import atomic_write, make_directory, point_link, read_text, remove, remove_leftovers
from ..common.flock import Lock, wait_lock
from ..common.layout import Layout
from .host_parts import find_write_problem
from .problem import Problem

NAME = "cloudsync.prom"


def find_directory(layout: Layout) -> str:
    """Return the directory of the textfile collector, "" if no metrics are to be written."""
    try:
        return layout.root + os.readlink(layout.textfile_link)
    except OSError:
        return ""


def hold_textfile(layout: Layout) -> Lock:
    """Return the lock to hold while the metrics are collected and written, or while the file is removed."""
    return wait_lock(layout.run_dir + "/locks/textfile")


def check_textfile(layout: Layout) -> Iterator[Problem]:
    """Check that the metrics can be written."""
    directory = find_directory(layout)
    path = f"{directory}/{NAME}"
    if not directory:
        return
    if is_needed():
        # The sandbox of the watch cannot write there. Its unit has just tried it outside.
        why = read_text(_locate_problem(layout)) or ""
        if why:
            yield Problem("textfile", "", f"Prometheus gets no metrics of this host. {why}")
        return
    why = find_write_problem(directory)
    if not os.path.lexists(directory):
        why = f"{directory} does not exist. Create it, or apply the role skyhaul.cloudsync.runner again."
    elif not why and os.path.isdir(path):
        why = f"{path} is a directory. Remove it."
    if why:
        yield Problem("textfile", "", f"Prometheus gets no metrics of this host. {why}")


def _locate_problem(layout: Layout) -> str:
    return layout.run_dir + "/textfile-problem"


def remember_problem(layout: Layout, why: str) -> None:
    """Keep why the metrics could not be written, for the watch. Empty if they were written."""
    if why:
        make_directory(layout.run_dir)
        atomic_write(_locate_problem(layout), why.encode())
    else:
        remove(_locate_problem(layout))


def check_directory(path: str) -> str:
    """Return ``path`` of the option textfile_directory without superfluous slashes. Raise a usage error if invalid."""
    if path and (not os.path.isabs(path) or not path.isprintable()):
        raise usage_error(f"textfile_directory is {path!r}. Use an absolute path.")
    return os.path.normpath(path) if path else ""


def set_directory(layout: Layout, before: str, after: str) -> None:
    """Let the host write its metrics to the directory ``after``, and remove those in ``before``. Both can be empty.

    They are without the root of the layout.
    """
    if after and not os.path.isdir(layout.root + after):
        make_directory(layout.root + after, 0o755)
    with hold_textfile(layout):
        point_link(layout.textfile_link, after)
        if before and os.path.isdir(layout.root + before):
            path = f"{layout.root}{before}/{NAME}"
            remove(path)
            remove_leftovers(path)
