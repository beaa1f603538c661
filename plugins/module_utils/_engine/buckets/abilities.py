# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""The abilities of providers concerning buckets: which ones rclone can create, remove and configure."""

from __future__ import annotations

from typing import Dict, Mapping, NamedTuple, Optional

from ..common.errors import usage_error
from ..rclone.providers.schema import Provider
from ..rclone.providers.traits import is_bucket_based

S3, B2 = "s3", "b2"
ENABLED, SUSPENDED, UNVERSIONED = "enabled", "suspended", "unversioned"
# rclone reports success, but creates neither a share of a server, nor an item, nor a bucket that outlives it.
NEVER_CREATED = frozenset(("internetarchive", "memory", "smb"))
# The provider removes a container together with versions and snapshots that rclone cannot list.
NEVER_REMOVED = frozenset(("azureblob",))
# With these options of a credential, rclone reports success and creates nothing.
SKIP_CREATION = ("no_check_bucket", "no_check_container")
# With this option of a credential, rclone shows the past, in which a bucket may have been empty.
PAST = "version_at"
NO_EFFECT = "Nothing was changed."


class Wanted(NamedTuple):
    """The declared state of a bucket. ``versioning`` and ``hidden_days`` are None if they are not declared."""

    name: str
    present: bool = True
    versioning: Optional[str] = None
    hidden_days: Optional[int] = None


def check_wanted(wanted: Wanted) -> None:
    """Refuse a declaration that is invalid at every provider."""
    name = wanted.name
    if not name.isprintable() or name.strip() != name or "/" in name or name in (".", ".."):
        raise usage_error(f"name is {name!r}. Use the name of a bucket, without a path. {NO_EFFECT}")
    if wanted.hidden_days is not None and wanted.hidden_days < 1:
        raise usage_error(
            f"hidden_days is {wanted.hidden_days}. Use 1 or more. rclone cannot remove a lifecycle rule. {NO_EFFECT}"
        )
    for option, value in (("versioning", wanted.versioning), ("hidden_days", wanted.hidden_days)):
        if value is not None and not wanted.present:
            raise usage_error(f"{option} is not valid with the state absent. Remove one of them. {NO_EFFECT}")


def check_ability(provider: str, wanted: Wanted, login: Mapping[str, str]) -> None:
    """Refuse what rclone cannot do at ``provider``, one of its own names. ``login`` has the credential's options."""
    if not is_bucket_based(provider):
        raise usage_error(f"The provider {provider} has no buckets. Use a credential of another provider. {NO_EFFECT}")
    if provider in NEVER_CREATED:
        raise usage_error(
            f"rclone can neither create nor remove buckets at the provider {provider}. Use the provider's own tools. "
            f"{NO_EFFECT}"
        )
    if login.get(PAST):
        raise usage_error(f"The credential has the option {PAST}, which shows the past. Remove it. {NO_EFFECT}")
    if not wanted.present and provider in NEVER_REMOVED:
        raise usage_error(
            f"The state absent is not possible at the provider {provider}. It removes a container together with older "
            f"versions and snapshots, which rclone cannot list. Use the provider's own tools. {NO_EFFECT}"
        )
    _check_options(provider, wanted)


def _check_options(provider: str, wanted: Wanted) -> None:
    if wanted.versioning == SUSPENDED and provider == B2:
        raise usage_error(
            f"versioning: {SUSPENDED} is not possible at the provider {B2}, which keeps all versions. Set hidden_days "
            f"to limit for how long. {NO_EFFECT}"
        )
    if wanted.versioning is not None and provider not in (S3, B2):
        raise usage_error(
            f"rclone cannot set versioning at the provider {provider}. Remove the option, and use the provider's own "
            f"tools. {NO_EFFECT}"
        )
    if wanted.hidden_days is not None and provider != B2:
        raise usage_error(
            f"rclone can set hidden_days only at the provider {B2}, and not at {provider}. Remove the option, and set "
            f"a lifecycle rule with the provider's own tools. {NO_EFFECT}"
        )


def force_creation(provider: Provider) -> Dict[str, str]:
    """Return the options with which rclone creates a bucket, whatever the credential says."""
    return {name: "false" for name in SKIP_CREATION if provider.option(name) is not None}
