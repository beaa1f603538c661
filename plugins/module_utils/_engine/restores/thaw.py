# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Ask the provider to make archived objects readable again, and find out when they are.

S3 makes a readable copy for some days. Azure moves the blob to another access tier. Both take hours.
"""

from __future__ import annotations

import json
import re
from typing import Any, Dict, List, Mapping, NamedTuple, Sequence, Set
from urllib.parse import unquote

from ..common.errors import CloudsyncError, usage_error
from ..config.tasks import Task
from ..rclone.log_lines import parse_problems
from ..rclone.providers.flags import escape_path
from ..rclone.providers.traits import is_archived
from ..rclone.providers.truenas_names import get_rclone_name
from ..remote.open import build_place, build_task_place
from ..remote.session import Answer, Session
from ..transfer.remote_files import query_listing
from ..transfer.result import build_listing_error
from .steps import list_names
from .target import build_missing_error

S3, AZURE = "s3", "azureblob"
TIERS = ("standard", "bulk", "expedited")
# What Azure answers for a blob that it already moves to another tier. A listing does not show that.
REHYDRATED = "BlobBeingRehydrated"
ADDRESS = re.compile(r"PUT https?://[^/]+(/[^\s\\]+)")


class Archived(NamedTuple):
    """An object that cannot be read now. ``stored`` is its path at the provider. ``asked``: a restore is under way."""

    path: str
    stored: str
    size: int
    asked: bool = False


def advise_thaw(task: Task, reason: str) -> str:
    """Return a sentence for the message of a run that failed with ``reason``; empty if it is not about archives."""
    if reason != "archived_object":
        return ""
    return f" On this host, 'cloudsync thaw {task.reverse_of or task.name}' asks for all archived files of the task."


def check_thaw(provider: str, tier: str, days: int) -> None:
    """Refuse what the provider of a task cannot do."""
    name = get_rclone_name(provider)
    if name not in (S3, AZURE):
        raise usage_error(
            f"Provider {provider} has no archived objects that rclone can restore. Only S3 and Azure have."
        )
    if tier not in TIERS:
        raise usage_error(f"tier is {tier!r}. Use one of: {', '.join(TIERS)}.")
    if days < 1:
        raise usage_error(f"days is {days}. Use 1 or more.")
    if name == AZURE and tier != TIERS[0]:
        raise usage_error(f"tier is {tier}, but rclone can restore blobs of Azure with the standard priority only.")


def list_archived(session: Session, task: Task, provider: str, must_exist: bool = False) -> List[Archived]:
    """Return the archived objects among the files of ``task`` that its filters select.

    ``must_exist``: raise an error with the nearest names if they select no file at all.
    """
    files = _list_files(session, task)
    if must_exist and not files:
        raise build_missing_error(task, list_names(session, build_task_place(task)))
    states = _read_s3_states(session, task) if get_rclone_name(provider) == S3 else {}
    found = []
    for path, entry in files.items():
        stored = entry.get("EncryptedPath") or path
        state = states.get(stored, {"StorageClass": entry.get("Tier", "")})
        status = state.get("RestoreStatus") or {}
        is_readable = bool(status) and not status.get("IsRestoreInProgress")
        if is_archived(state.get("StorageClass") or "") and not is_readable:
            found.append(Archived(path, stored, entry["Size"], bool(status)))
    return sorted(found)


def _list_files(session: Session, task: Task) -> Mapping[str, Mapping[str, Any]]:
    found: Dict[str, Mapping[str, Any]] = {}

    def hear(entry: Mapping[str, Any]) -> None:
        found[entry["Path"]] = entry

    names = ["--encrypted"] if task.encryption is not None else []
    answer = query_listing(session, build_task_place(task), hear, ["--recursive", "--no-modtime", *names])
    if answer.exit_code != 0:
        raise build_listing_error(answer, session)
    return found


def _read_s3_states(session: Session, task: Task) -> Mapping[str, Mapping[str, Any]]:
    """Return storage class and state of each object. A listing has the class only at AWS, and never the state."""
    answer = session.query(["backend", "restore-status", "-o", "all", build_place(task.remote_path)])
    if answer.exit_code != 0:
        raise build_listing_error(answer, session)
    return {state["Remote"]: state for state in json.loads(answer.stdout or "[]")}


def ask(
    session: Session, task: Task, provider: str, objects: Sequence[Archived], tier: str, days: int
) -> List[Archived]:
    """Ask for a restore of ``objects``, and return those that the provider restores already.

    Raise an error that names those for which the provider refused it.
    """
    rules = [f"+ /{escape_path(each.stored)}" for each in objects] + ["- *"]
    chosen = ["--filter-from", session.live.add_filters(rules)]
    if get_rclone_name(provider) == S3:
        restoring = _ask_s3(session, build_place(task.remote_path), chosen, tier, days)
    else:
        restoring = _ask_azure(session, build_place(task.remote_path), chosen)
    return [each for each in objects if each.stored in restoring]


def _ask_s3(session: Session, place: str, chosen: Sequence[str], tier: str, days: int) -> Set[str]:
    options = ["-o", f"priority={tier.capitalize()}", "-o", f"lifetime={days}"]
    answer = session.query(["backend", "restore", *chosen, *options, place])
    if answer.exit_code != 0:
        raise build_listing_error(answer, session)
    states = {state["Remote"]: state.get("Status", "") for state in json.loads(answer.stdout or "[]")}
    restoring = {path for path, status in states.items() if "RestoreAlreadyInProgress" in status}
    refused = [f"{path}: {states[path]}" for path in states if states[path] != "OK" and path not in restoring]
    if refused:
        raise CloudsyncError("archived_object", f"The provider did not accept all restores: {'; '.join(refused[:5])}.")
    return restoring


def _ask_azure(session: Session, place: str, chosen: Sequence[str]) -> Set[str]:
    """Move blobs to another tier. rclone exits with 0 whatever Azure answers, and its messages contain the address."""
    answer = session.query(["settier", *chosen, "--", "Hot", place])
    lines = answer.stderr.splitlines()
    pending = [line for line in lines if REHYDRATED in line]
    others = "\n".join(line for line in lines if REHYDRATED not in line)
    if answer.exit_code != 0 or parse_problems(others):
        raise build_listing_error(Answer(answer.exit_code or 1, "", others), session)
    folder = place.partition(":")[2].strip("/")
    addresses = (ADDRESS.search(line) for line in pending)
    return {unquote(found.group(1)).partition(f"/{folder}/")[2] for found in addresses if found}
