# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Objects in an archive storage class: what of a plan would fail because nobody can read or copy them."""

from __future__ import annotations

import json
from typing import List, Mapping

from ..common.text import list_some
from ..config.tasks import Task
from ..rclone.providers.traits import is_archived
from ..remote.arguments import Endpoints
from ..remote.session import Session
from .plan import Plan, listing

# Providers whose listing tells the class of each object; at S3, rclone tells it for AWS alone.
TELLING = frozenset(("azureblob", "s3"))


def archive_notes(session: Session, task: Task, plan: Plan, ends: Endpoints) -> List[str]:
    """What a plan should say of a pull, or of a push that keeps what it deletes."""
    if task.is_push:
        touched = [*plan.overwrite, *plan.delete] if ends.keep else []
    else:
        touched = [*plan.copy, *plan.overwrite]
    tiers = _tiers(session, task, ends.destination if task.is_push else ends.source) if touched else {}
    names = [entry.path for entry in touched if is_archived(tiers.get(entry.path))]
    if not names:
        return []
    return [
        f"{len(names)} of these files are in an archive storage class. Unless they have been restored, the run can't "
        f"{'move' if task.is_push else 'read'} them, and ends as archived_object: {list_some(names)}."
    ]


def _tiers(session: Session, task: Task, place: str) -> Mapping[str, str]:
    """The storage class of each file at ``place``; none where the provider does not tell."""
    answer = listing(session, task, place)
    if answer.exit_code != 0:
        return {}
    return {entry["Path"]: entry.get("Tier", "") for entry in json.loads(answer.stdout or "[]")}
