# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Verify that a credential can log in, and list its files."""

from __future__ import annotations

import json
import posixpath
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Dict, List, Mapping, Optional, Tuple

from ..buckets.facts import Facts, explain_no_bucket, explain_no_facts, read_facts
from ..common.errors import CloudsyncError
from ..config.credential_store import list_credentials, load_credential
from ..config.credentials import Credential, parse_credential
from ..config.stored_tasks import explain_missing_task
from ..config.task_store import load_task
from ..config.tasks import Encryption, Task
from ..host import Host
from ..rclone.log_lines import Message, parse_line
from ..rclone.providers.option_checks import check
from ..rclone.providers.schema import resolve
from ..rclone.providers.traits import is_bucket_based
from ..rclone.providers.truenas_names import get_rclone_name
from ..remote.arguments import OWNER, QUICK, join_place
from ..remote.live_config import CRYPT, takes_turns
from ..remote.open import build_place, open_credential_session
from ..remote.session import Session
from ..restores.target import describe_nearest
from ..runs.log import hide_secrets
from ..runs.records import make_run_id
from ..transfer.result import build_listing_error

TIMEOUT_SECONDS = 120
NOT_READ = explain_no_facts("The settings of the bucket were not read.")
UNDECRYPTABLE = "Skipping undecryptable "


@dataclass(frozen=True)
class Where:
    """The place to list: ``path`` below ``root``.

    Below ``root`` the names are encrypted with ``encryption``, if it is set. ``options`` are a task's
    ``provider_options``.
    """

    path: str = ""
    root: str = ""
    encryption: Optional[Encryption] = None
    options: Mapping[str, str] = field(default_factory=dict)

    @property
    def remote_path(self) -> str:
        """The path at the provider. Use it only for a place without encryption."""
        return join_place(self.root, self.path) if self.root else self.path

    @property
    def place(self) -> str:
        """The place as an argument of rclone."""
        return join_place(CRYPT + ":", self.path) if self.encryption is not None else build_place(self.remote_path)


@dataclass(frozen=True)
class Listing:
    """The content of a path. Its ``entries`` have: path, name, size (-1 for a folder), is_dir, is_bucket, modified.

    ``undecryptable`` has the provider's names that cannot be decrypted. They are not in ``entries``. ``facts`` are
    about the bucket that contains the path.
    """

    path: str
    entries: List[Dict[str, Any]]
    undecryptable: List[str] = field(default_factory=list)
    facts: Facts = NOT_READ


def browse(
    host: Host, credential: Credential, saved: bool, where: Where, recurse: bool = False, with_facts: bool = False
) -> Listing:
    """List ``where``. Raise CloudsyncError if the credential cannot log in or the path does not exist.

    ``saved``: the credential is in the store, so a token that the listing refreshes is saved there.
    ``with_facts``: also read the settings of the bucket.
    """
    try:
        return _browse(host, credential, saved, where, recurse, with_facts)
    except CloudsyncError as error:
        hide_secrets(error, credential, where.encryption)
        raise


def _browse(host: Host, credential: Credential, saved: bool, where: Where, recurse: bool, with_facts: bool) -> Listing:
    root = where.root or where.path
    session = open_credential_session(host, credential, make_run_id(), saved, where.encryption, root, where.options)
    with session.live:
        answer = session.query(
            ["lsjson", "--use-json-log", *QUICK, *(["--recursive"] if recurse else []), "--", where.place],
            timeout=TIMEOUT_SECONDS,
        )
        if answer.exit_code != 0:
            raise build_listing_error(answer, session)
        facts = _read_facts(session, credential, root) if with_facts else NOT_READ
    buckets = is_bucket_based(credential.provider) and where.encryption is None and not where.remote_path.strip("/")
    found = [entry for entry in json.loads(answer.stdout or "[]") if entry["Name"] != OWNER]
    entries = [build_entry(entry, buckets) for entry in found]
    closed = _list_undecryptable(answer.stderr)
    if closed and not entries:
        raise CloudsyncError(
            "crypt_password",
            f"None of the {len(closed)} names at {where.remote_path!r} can be decrypted. The password, the salt or the "
            "encryption of names differs from the one that they were written with, or they were never encrypted. "
            "Correct the encryption, or the path.",
        )
    return Listing(where.path, entries, closed, facts)


def _read_facts(session: Session, credential: Credential, path: str) -> Facts:
    provider = get_rclone_name(credential.provider)
    return explain_no_bucket(provider, path) or read_facts(session, provider)


def _list_undecryptable(stderr: str) -> List[str]:
    lines = [parse_line(line) for line in stderr.splitlines()]
    return sorted({line.object for line in lines if isinstance(line, Message) and line.text.startswith(UNDECRYPTABLE)})


def build_entry(found: Dict[str, Any], buckets: bool) -> Dict[str, Any]:
    """Return one of the ``entries`` of a listing. ``buckets``: its folders are buckets."""
    return {
        "path": found["Path"],
        "name": found["Name"],
        "size": -1 if found["IsDir"] else found["Size"],
        "is_dir": found["IsDir"],
        "is_bucket": bool(found.get("IsBucket", buckets and found["IsDir"] and "/" not in found["Path"])),
        "modified": found["ModTime"],
    }


def browse_with(host: Host, name: Optional[str], unsaved: Mapping[str, Any], where: Where, recurse: bool) -> Listing:
    """Browse with the stored credential ``name``, or else with ``unsaved``, the options of an unsaved credential."""
    if name:
        return browse(host, load_credential(host.layout, host.seed, name), True, where, recurse, True)
    credential = parse_credential({"name": "unsaved", **unsaved})
    check(resolve(credential.provider, host.providers), credential.attributes, credential.secrets)
    return browse(host, credential, False, where, recurse, True)


def browse_task(host: Host, name: str, path: str, recurse: bool) -> Listing:
    """Browse ``path`` below the remote path of the task ``name``, decrypted as in its runs."""
    task, credential = load_with_credential(host, name)
    where = Where(path.strip("/"), task.remote_path, task.encryption, task.provider_options)
    try:
        found = browse(host, credential, True, where, recurse, True)
    except CloudsyncError as error:
        if error.reason != "not_found" or not where.path:
            raise
        raise _build_missing_error(host, credential, name, where) from error
    if where.path and not (found.entries or found.undecryptable) and is_bucket_based(credential.provider):
        # Without a file, a folder does not exist there. A listing does not say so.
        raise _build_missing_error(host, credential, name, where)
    return found


def _build_missing_error(host: Host, credential: Credential, name: str, where: Where) -> CloudsyncError:
    """Return the error for a path that a task does not have, with the nearest names in the first folder above it."""
    folder, names = where.path, [""]
    while folder and not any(names):
        folder = folder.rpartition("/")[0]
        with suppress(CloudsyncError):
            above = browse(host, credential, True, replace(where, path=folder))
            names = [posixpath.join(folder, entry["path"]) for entry in above.entries]
    near = describe_nearest([where.path], names)
    return CloudsyncError("not_found", f"Task {name} has nothing at {where.path!r}.{near}")


def load_with_credential(host: Host, name: str) -> Tuple[Task, Credential]:
    """Return the task ``name`` and its credential."""
    task = load_task(host.layout, host.seed, name)
    return task, load_credential(host.layout, host.seed, task.credential)


def explain_untried_listing(host: Host, credential: Optional[str], task: Optional[str]) -> Optional[str]:
    """Return why check mode on a new host cannot list files, None if it can."""
    if not host.has_rclone:
        return "rclone is not installed yet, so nothing was listed."
    if credential and credential not in list_credentials(host.layout):
        return f"Credential {credential} does not exist on this host yet, so nothing was listed."
    return explain_missing_task(host.layout, task) if task else None


def verify_declared(host: Host, declared: Credential, stored: bool, path: str) -> Optional[CloudsyncError]:
    """Verify a credential as ``stored``, or in check mode as ``declared``."""
    if stored:
        return verify(host, load_credential(host.layout, host.seed, declared.name), True, path)
    return verify(host, declared, False, path)


def explain_untried_login(host: Host, declared: Credential) -> str:
    """Return why a login with an unstored credential cannot be tested in check mode, or "" if it can."""
    if not host.has_rclone:
        return "The login was not tested, because rclone is not installed yet."
    if takes_turns(declared):
        return "The login was not tested, because it would use up a refresh token that is not stored yet."
    return ""


def verify(host: Host, credential: Credential, saved: bool, path: str = "") -> Optional[CloudsyncError]:
    """List ``path`` to test the login. Return None if that works, else the error."""
    try:
        browse(host, credential, saved, Where(path))
    except CloudsyncError as error:
        return error
    return None
