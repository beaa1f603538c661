# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Find the files of a plan that a run cannot read or move because they are in an archive storage class."""

from __future__ import annotations

from typing import Dict, List, Mapping

from ..common.text import format_count, list_some
from ..config.tasks import Task
from ..rclone.providers.traits import is_archived
from ..remote.arguments import Endpoints
from ..remote.session import Session
from .plan import Plan, query_listing

# Providers whose listings contain the class of each object. For S3, rclone lists it only at AWS.
TELLING = frozenset(("azureblob", "s3"))


def describe_archived(session: Session, task: Task, plan: Plan, ends: Endpoints) -> List[str]:
    """Return the notes of a plan about archived files, for a pull or for a push with keep_deleted."""
    if task.is_push:
        touched = [*plan.overwrite, *plan.delete] if ends.keep else []
    else:
        touched = [*plan.copy, *plan.overwrite]
    tiers = _list_tiers(session, ends.destination if task.is_push else ends.source) if touched else {}
    names = [entry.path for entry in touched if is_archived(tiers.get(entry.path))]
    if not names:
        return []
    verb = "move" if task.is_push else "read"
    return [
        f"The plan contains {format_count(len(names), 'file')} in an archive storage class: {list_some(names)}. Unless "
        f"you restore them first, the run cannot {verb} them and fails as archived_object."
    ]


def _list_tiers(session: Session, place: str) -> Mapping[str, str]:
    """Return the storage class of each file at ``place``; empty if the provider does not list it."""
    found: Dict[str, str] = {}
    answer = query_listing(session, place, lambda entry: found.update({entry["Path"]: entry.get("Tier", "")}))
    return found if answer.exit_code == 0 else {}
