# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Find the files of a plan that a run cannot read or move because they are in an archive storage class."""

from __future__ import annotations

from itertools import chain
from typing import Any, List, Mapping, Set

from ..common.text import format_count, list_some
from ..config.tasks import Task
from ..rclone.providers.traits import is_archived
from ..remote.arguments import Endpoints
from ..remote.session import Session
from .plan import Plan
from .remote_files import query_listing

# Providers whose listings contain the class of each object. For S3, rclone lists it only at AWS.
TELLING = frozenset(("azureblob", "s3"))


def describe_archived(session: Session, task: Task, plan: Plan, ends: Endpoints) -> List[str]:
    """Return the notes of a plan about archived files, for a pull or for a push with keep_deleted."""
    if task.is_push:
        touched = [plan.overwrite, plan.delete] if ends.keep else []
    else:
        touched = [plan.copy, plan.overwrite]
    archived = _list_archived(session, ends.destination if task.is_push else ends.source) if any(touched) else set()
    names = [entry.path for entry in chain.from_iterable(touched) if entry.path in archived]
    if not names:
        return []
    verb = "move" if task.is_push else "read"
    return [
        f"The plan contains {format_count(len(names), 'file')} in an archive storage class: {list_some(names)}. Unless "
        f"you restore them first, the run cannot {verb} them and fails as archived_object."
    ]


def _list_archived(session: Session, place: str) -> Set[str]:
    """Return the archived files at ``place``; none if the provider does not list storage classes."""
    found: Set[str] = set()

    def read(entry: Mapping[str, Any]) -> None:
        if is_archived(entry.get("Tier", "")):
            found.add(entry["Path"])

    return found if query_listing(session, place, read).exit_code == 0 else set()
