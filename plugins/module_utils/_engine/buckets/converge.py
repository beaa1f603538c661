# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""Declare a bucket: create it, set its versioning and its lifecycle rule, or remove it while it is empty."""

from __future__ import annotations

import re
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence

from ..common.errors import CloudsyncError, usage_error
from ..common.text import format_count, list_some
from ..config.credential_store import load_credential
from ..host import Host
from ..rclone.outcome import NOT_FOUND_EXITS
from ..rclone.providers.option_values import TRUE
from ..rclone.providers.schema import Provider, resolve
from ..remote.arguments import QUICK
from ..remote.open import open_credential_session
from ..remote.session import Answer, Session
from ..runs.log import hide_secrets
from ..runs.records import make_run_id
from ..transfer.result import build_listing_error
from .abilities import (
    B2,
    ENABLED,
    NO_EFFECT,
    S3,
    UNVERSIONED,
    Wanted,
    check_ability,
    check_wanted,
    force_creation,
)
from .facts import (
    DAYS,
    HIDDEN_DAYS,
    LIFECYCLE,
    PREFIX,
    TIMEOUT_SECONDS,
    UPLOAD_DAYS,
    VERSIONING,
    Facts,
    Rule,
    find_main_rule,
    merge_days,
    read_facts,
)

View = Dict[str, Any]
NOT_EMPTY = re.compile(r"not ?empty|must be empty|non.?empty", re.IGNORECASE)
NOT_IMPLEMENTED = re.compile(r"\bNotImplemented\b")
NAME_REFUSED = re.compile(
    r"invalid ?bucket|InvalidResourceName|resource name (contains invalid|length is not)|BucketAlreadyExists"
    r"|bucket name is not available|duplicate_bucket_name",
    re.IGNORECASE,
)
# S3 servers need the region a second time, as the location of a new bucket, except in their first region.
LOCATION_REFUSED = re.compile(r"(Illegal|Invalid)LocationConstraint")
# The options of a credential with which rclone creates a bucket with a lifecycle rule, or with object lock.
FIRST_RULE, LOCKED = "lifecycle", "bucket_object_lock_enabled"


class Change(NamedTuple):
    """A bucket before and after. Both are empty without the bucket."""

    before: View
    after: View


def converge_bucket(host: Host, credential_name: str, wanted: Wanted, check_only: bool) -> Change:
    """Make the bucket as ``wanted``, or with ``check_only`` predict it. The credential must be stored.

    Raise CloudsyncError if that is impossible at the provider, or if the bucket to remove is not empty.
    """
    check_wanted(wanted)
    credential = load_credential(host.layout, host.seed, credential_name)
    provider = resolve(credential.provider, host.providers)
    login = {**credential.attributes, **credential.secrets}
    check_ability(provider.name, wanted, login)
    try:
        session = open_credential_session(
            host, credential, make_run_id(), True, remote_path=wanted.name, options=force_creation(provider)
        )
        with session.live:
            return _Bucket(session, provider, login, wanted).converge(check_only)
    except CloudsyncError as error:
        hide_secrets(error, credential, None)
        raise


class _Bucket:
    """The bucket at the root of ``session``."""

    def __init__(self, session: Session, schema: Provider, login: Mapping[str, str], wanted: Wanted) -> None:
        self._session = session
        self._schema = schema
        self._provider = schema.name
        self._login = login
        self._wanted = wanted
        self._done = NO_EFFECT

    def converge(self, check_only: bool) -> Change:
        before = self._read()
        if not self._wanted.present:
            if before:
                self._refuse_content()
            return Change(before, {} if check_only or not before else self._remove())
        after = self._predict(before)
        return Change(before, after if check_only or after == before else self._apply(before, after))

    def _read(self) -> View:
        """Return the view of the bucket; empty without one."""
        answer = self._query(["lsjson", "--stat", *QUICK])
        if answer.exit_code in NOT_FOUND_EXITS:
            return {}
        if answer.exit_code != 0:
            raise self._fail("find", build_listing_error(answer, self._session))
        facts = read_facts(self._session, self._provider)
        self._refuse_unknown(facts)
        return self._build_view(facts.versioning, facts.lifecycle)

    def _build_view(self, versioning: Optional[str], rules: Optional[List[Rule]]) -> View:
        days = find_main_rule(rules)[HIDDEN_DAYS]
        return {"name": self._wanted.name, VERSIONING: versioning, "hidden_days": days, LIFECYCLE: rules}

    def _refuse_unknown(self, facts: Facts) -> None:
        """Refuse to set what cannot be read: it could neither be compared nor kept."""
        for option, value, name in (
            ("versioning", self._wanted.versioning, VERSIONING),
            ("hidden_days", self._wanted.hidden_days, LIFECYCLE),
        ):
            if value is not None and name in facts.unknown:
                raise usage_error(
                    f"Cannot set {option} of bucket {self._wanted.name}, because it cannot be read. "
                    f"{facts.unknown[name]} {self._done}"
                )

    def _predict(self, before: View) -> View:
        """Return the view of the bucket after the changes. Refuse a change that would lose a lifecycle rule."""
        start = before or self._predict_new()
        versioning, rules = self._wanted.versioning or start[VERSIONING], start[LIFECYCLE]
        days = self._wanted.hidden_days
        if days is not None and days != start["hidden_days"]:
            self._refuse_loss(rules)
            rules = merge_days(rules, days)
        return self._build_view(versioning, rules)

    def _predict_new(self) -> View:
        """Return the view of a bucket that rclone creates with the credential."""
        if self._provider == B2:
            days = int(self._login.get(FIRST_RULE) or 0)
            return self._build_view(ENABLED, merge_days([], days) if days else [])
        if self._provider == S3:
            return self._build_view(ENABLED if self._login.get(LOCKED) in TRUE else UNVERSIONED, None)
        return self._build_view(None, None)

    def _refuse_loss(self, rules: Optional[List[Rule]]) -> None:
        """Refuse to set a rule if rclone would remove other rules, or parts of rules that it does not know."""
        others = [rule[PREFIX] for rule in rules or [] if rule[PREFIX]]
        begin = f"Cannot set hidden_days of bucket {self._wanted.name}."
        if others:
            raise usage_error(
                f"{begin} It has lifecycle rules for {list_some(others)}, which rclone would remove. Set the rule with "
                f"the tools of B2, or remove the other rules. {self._done}"
            )
        if UPLOAD_DAYS not in self._session.query(["backend", "help", B2]).stdout:
            raise usage_error(
                f"{begin} rclone {self._session.rclone.version_text} does not know all parts of lifecycle rules, and "
                f"would remove some. Install a newer rclone. {self._done}"
            )

    def _apply(self, before: View, wanted: View) -> View:
        if not before:
            self._create()
            before = self._read()
        if self._wanted.versioning not in (None, before[VERSIONING]):
            self._set("versioning", (), wanted[VERSIONING].capitalize())
        if self._wanted.hidden_days not in (None, before["hidden_days"]):
            rule = find_main_rule(wanted[LIFECYCLE])
            days = [f"{name}={rule[name]}" for name in DAYS if rule[name] is not None]
            self._set("lifecycle", [text for day in days for text in ("--option", day)])
        after = self._read()
        for option, value in (("versioning", self._wanted.versioning), ("hidden_days", self._wanted.hidden_days)):
            if value is not None and after.get(option) != value:
                raise CloudsyncError(
                    "other",
                    f"The provider accepted {option} of bucket {self._wanted.name}, but it is still "
                    f"{after.get(option)} and not {value}. {self._done}",
                )
        return after

    def _create(self) -> None:
        name = self._wanted.name
        answer = self._query(["mkdir", *QUICK])
        region = self._login.get("region")
        if LOCATION_REFUSED.search(answer.stderr) and region and not self._login.get("location_constraint"):
            answer = self._query(["mkdir", *QUICK, f"--s3-location-constraint={region}"])
        if LOCATION_REFUSED.search(answer.stderr):
            raise usage_error(
                f"Cannot create bucket {name}. The provider refuses its location. Set the attributes region and "
                f"location_constraint of the credential to the location of new buckets. {NO_EFFECT}"
            )
        if NAME_REFUSED.search(answer.stderr):
            raise usage_error(
                f"Cannot create bucket {name}. The provider has rules for names of buckets, or another account has a "
                f"bucket with this name. Use another name. {NO_EFFECT}"
            )
        if answer.exit_code != 0:
            raise self._fail("create", build_listing_error(answer, self._session))
        answer = self._query(["lsjson", "--stat", *QUICK])
        if answer.exit_code != 0:
            error = build_listing_error(answer, self._session)
            raise CloudsyncError(
                error.reason,
                f"Cannot read bucket {name} after its creation. Another account may have a bucket with this name. "
                f"{error.message}",
            )
        self._done = "The bucket was created."

    def _set(self, setting: str, options: Sequence[str], *values: str) -> None:
        """Run the backend command ``setting``, which replaces the versioning or all lifecycle rules."""
        answer = self._session.query(
            ["backend", setting, *QUICK, *options, "--", self._session.root, *values], timeout=TIMEOUT_SECONDS
        )
        if NOT_IMPLEMENTED.search(answer.stderr):
            raise usage_error(
                f"Cannot set the {setting} of bucket {self._wanted.name}. The server does not support it. Remove the "
                f"option {setting}. {self._done}"
            )
        if answer.exit_code != 0:
            raise self._fail(f"set the {setting} of", build_listing_error(answer, self._session))
        self._done = "The bucket was changed."

    def _refuse_content(self) -> None:
        """Refuse to remove a bucket with any content. Some servers would remove it together with its content."""
        top = self._list("--max-depth", "1")
        # SeaweedFS also shows folders that have been emptied.
        if any(not name.endswith("/") for name in top) or (top and self._list("--recursive", "--files-only")):
            hidden = ", with older versions and deleted files" if self._show_versions() else ""
            raise usage_error(
                f"Bucket {self._wanted.name} is not empty. It contains {format_count(len(top), 'name')} at its "
                f"top{hidden}: {list_some(top)}. Remove the content first. {NO_EFFECT}"
            )

    def _list(self, *arguments: str) -> List[str]:
        """Return names in the bucket. A recursive listing ends after the first one."""
        first_only = "--recursive" in arguments
        place = ("--", self._session.root)
        answer = self._session.query(["lsf", *arguments, *self._show_versions(), *place], first_line_only=first_only)
        if NOT_IMPLEMENTED.search(answer.stderr):
            # A server without versioning has no versions to list.
            answer = self._session.query(["lsf", *arguments, *place], first_line_only=first_only)
        names = [name for name in answer.stdout.split("\n") if name]
        if answer.exit_code != 0 and not names:
            raise self._fail("list", build_listing_error(answer, self._session))
        return names

    def _show_versions(self) -> List[str]:
        if self._provider not in (S3, B2):
            return []
        known = (name for name in ("versions", "version_deleted") if self._schema.option(name) is not None)
        return [f"--{self._provider}-{name.replace('_', '-')}" for name in known]

    def _remove(self) -> View:
        name = self._wanted.name
        answer = self._query(["rmdir", *QUICK])
        if NOT_EMPTY.search(answer.stderr):
            raise usage_error(
                f"Bucket {name} is not empty. A listing shows nothing, so it contains markers of deleted files, or "
                f"unfinished uploads. Remove them first. {NO_EFFECT}"
            )
        if answer.exit_code not in (0, *NOT_FOUND_EXITS):
            raise self._fail("remove", build_listing_error(answer, self._session))
        self._done = ""
        if self._read():
            raise CloudsyncError(
                "other", f"The provider accepted the removal of bucket {name}, but the bucket still exists."
            )
        return {}

    def _query(self, arguments: Sequence[str]) -> Answer:
        return self._session.query([*arguments, "--", self._session.root])

    def _fail(self, verb: str, error: CloudsyncError) -> CloudsyncError:
        return CloudsyncError(
            error.reason, f"Cannot {verb} bucket {self._wanted.name}. {error.message} {self._done}".rstrip()
        )
