# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""Read the versioning and the lifecycle rules of a bucket, as far as the provider and rclone tell."""

from __future__ import annotations

import json
from typing import Any, Dict, List, Mapping, NamedTuple, Optional

from ..rclone.providers.traits import is_bucket_based
from ..remote.arguments import QUICK
from ..remote.session import Session
from ..transfer.result import build_listing_error
from .abilities import B2, ENABLED, S3

Rule = Dict[str, Any]
PREFIX, HIDDEN_DAYS = "fileNamePrefix", "daysFromHidingToDeleting"
UPLOAD_DAYS = "daysFromStartingToCancelingUnfinishedLargeFiles"
# The parts of a rule of B2, by B2's names.
DAYS = (HIDDEN_DAYS, "daysFromUploadingToHiding", UPLOAD_DAYS)
VERSIONING, LIFECYCLE, OBJECT_LOCK = "versioning", "lifecycle", "object_lock"
TIMEOUT_SECONDS = 120
# rclone 1.60 says the first sentence, and newer ones that do not have this command the second.
NO_COMMAND = ("has no commands", "command not found")


class Facts(NamedTuple):
    """The settings of a bucket. None is unknown. Then ``unknown`` has a sentence that says why, by the setting.

    rclone 1.75 has no command for ``object_lock``, at any provider.
    """

    versioning: Optional[str]
    lifecycle: Optional[List[Rule]]
    unknown: Mapping[str, str]
    object_lock: Optional[bool] = None


def read_facts(session: Session, provider: str) -> Facts:
    """Read the settings of the bucket that is the root of the session. ``provider`` is one of rclone's names."""
    unknown = {
        name: f"rclone cannot read the {text} of a bucket at the provider {provider}."
        for name, text in ((VERSIONING, "versioning"), (LIFECYCLE, "lifecycle rules"), (OBJECT_LOCK, "object lock"))
    }
    versioning, lifecycle = None, None
    if provider == S3:
        told = _ask(session, "versioning", unknown)
        versioning = None if told is None else told.strip().strip('"').lower()
    if provider == B2:
        # B2 keeps all versions of each bucket.
        versioning = ENABLED
        del unknown[VERSIONING]
        told = _ask(session, "lifecycle", unknown)
        lifecycle = None if told is None else parse_rules(told)
    return Facts(versioning, lifecycle, unknown)


def explain_no_facts(why: str) -> Facts:
    """Return facts that are all unknown, for the reason in the sentence ``why``."""
    return Facts(None, None, dict.fromkeys((VERSIONING, LIFECYCLE, OBJECT_LOCK), why))


def explain_no_bucket(provider: str, path: str) -> Optional[Facts]:
    """Return the facts without a bucket if ``path`` is not in one, else None."""
    if not is_bucket_based(provider):
        return explain_no_facts(f"The provider {provider} has no buckets.")
    return None if path.strip("/") else explain_no_facts("The path is in no bucket.")


def _ask(session: Session, command: str, unknown: Dict[str, str]) -> Optional[str]:
    """Return the output of ``rclone backend COMMAND``, which also names the setting in ``unknown``; None if it failed.

    The setting then stays in ``unknown``, with the reason.
    """
    answer = session.query(["backend", command, *QUICK, "--", session.root], timeout=TIMEOUT_SECONDS)
    if answer.exit_code == 0:
        del unknown[command]
        return answer.stdout
    if not any(text in answer.stderr for text in NO_COMMAND):
        unknown[command] = build_listing_error(answer, session).message
    return None


def parse_rules(text: str) -> List[Rule]:
    """Return the rules that rclone wrote, each with the same keys. A part that is not set is None."""
    return [
        {PREFIX: rule.get(PREFIX) or "", **{name: rule.get(name) for name in DAYS}} for rule in json.loads(text) or []
    ]


def find_main_rule(rules: Optional[List[Rule]]) -> Rule:
    """Return the rule for the whole bucket, which may be empty."""
    return next((rule for rule in rules or [] if not rule[PREFIX]), {PREFIX: "", **dict.fromkeys(DAYS)})


def merge_days(rules: Optional[List[Rule]], days: int) -> List[Rule]:
    """Return ``rules`` with ``days`` in the rule for the whole bucket, which is the first one."""
    return [{**find_main_rule(rules), HIDDEN_DAYS: days}, *(rule for rule in rules or [] if rule[PREFIX])]
