# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.


"""Turn the output of TrueNAS's API into credentials and tasks.

The input is JSON as ``midclt call`` prints it for ``cloudsync.credentials.query`` and ``cloudsync.query``; for SFTP
with keys also ``keychaincredential.query``. Since 25.04 a provider is an object with a type. Before, it was a name, and
its options were in ``attributes``. Each key is removed from the input when it is read. All remaining keys are listed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Dict, List, Mapping, Optional

from ...module_utils._engine.common.errors import usage_error
from ...module_utils._engine.rclone.providers.schema import Provider
from ...module_utils._engine.rclone.providers.traits import refresh_token_is_single_use
from ...module_utils._engine.rclone.providers.truenas_names import get_rclone_name
from .checking import Providers, add_credential
from .encoding import decode
from .findings import ALL_OF_IT, Findings, Imported, Names, reveal_secrets
from .truenas_providers import KINDS, translate_credential
from .truenas_shapes import CREDENTIAL, TASK, explain_misfits, find_misfits
from .truenas_tasks import Source, read_task

KEY_PAIR = "SSH_KEY_PAIR"
OTHER_KEYS = ("SSH_CREDENTIALS",)


@dataclass
class _Export:
    """The objects in the files, by their kind."""

    credentials: List[Mapping[str, Any]]
    tasks: List[Mapping[str, Any]]
    keys: Dict[Any, str]


def from_truenas(texts: Mapping[str, str], providers: Providers, timezone: str = "") -> Imported:
    """Read files (name to text), each of any kind.

    ``timezone`` is TrueNAS's, for the schedules. If it is empty, schedules use the time zone of each host.
    """
    export = _read(texts)
    reader = _Reader(providers, export.keys)
    for entry in export.credentials:
        reader.add_credential(entry)
    for entry in export.tasks:
        wrong = find_misfits(entry, TASK)
        if wrong:
            about = f"The task {entry.get('id')!r}"
            reader.found.leave_out(about, ALL_OF_IT, entry, explain_misfits(wrong))
            continue
        read_task(
            reader.found, reader.task_names, entry, reader.find_source(entry.get("credentials")), providers, timezone
        )
    _add_notes(reader.found, bool(providers), timezone)
    return reader.found.build_result()


def _read(texts: Mapping[str, str]) -> _Export:
    export = _Export([], [], {})
    for name, text in texts.items():
        try:
            content = json.loads(decode(text, name))
        except ValueError:
            raise usage_error(
                f"{name} is not JSON. Save the output of 'midclt call cloudsync.credentials.query' and 'midclt call "
                "cloudsync.query'."
            ) from None
        lists = content.values() if isinstance(content, Mapping) else [content]
        for entries in lists:
            if not isinstance(entries, list) or not all(isinstance(entry, Mapping) for entry in entries):
                raise usage_error(
                    f"{name} does not contain a list of credentials or tasks. Save the output of 'midclt call "
                    'cloudsync.query\', or a dictionary of such lists: {"credentials": [...], "tasks": [...]}.'
                )
            for entry in entries:
                _sort_in(export, name, entry)
    return export


def _sort_in(export: _Export, file_name: str, entry: Mapping[str, Any]) -> None:
    if "transfer_mode" in entry:
        export.tasks.append(entry)
    elif "provider" in entry:
        export.credentials.append(entry)
    elif entry.get("type") == KEY_PAIR:
        attributes = entry.get("attributes")
        key = attributes.get("private_key") if isinstance(attributes, Mapping) else None
        if isinstance(key, str) and "PRIVATE KEY-----" in key:
            export.keys[entry.get("id")] = key
    elif entry.get("type") not in OTHER_KEYS:
        raise usage_error(
            f"{file_name} contains an entry that is neither a credential nor a task. Save the output of 'midclt call "
            "cloudsync.credentials.query' and 'midclt call cloudsync.query'."
        )


class _Reader:
    """Read credentials, and remember them by TrueNAS's id."""

    def __init__(self, providers: Providers, keys: Mapping[Any, str]) -> None:
        self.found = Findings()
        self.task_names = Names()
        self._names = Names()
        self._providers = providers
        self._keys = keys
        self._sources: Dict[Any, Source] = {}

    def find_source(self, given: Any) -> Optional[Source]:
        """Return the credential of a task, which names it by its id or contains it as an object."""
        if not isinstance(given, Mapping):
            return self._sources.get(given)
        self.add_credential(given)
        return self._sources.get(given.get("id"))

    def add_credential(self, entry: Mapping[str, Any]) -> None:
        """Read a credential, unless one with the same id was read before."""
        wrong = find_misfits(entry, CREDENTIAL)
        if wrong:
            self.found.leave_out("A credential", ALL_OF_IT, entry, explain_misfits(wrong))
            return
        given = dict(entry)
        number, title = given.pop("id", None), str(given.pop("name", ""))
        if number is not None and number in self._sources:
            return
        about = f"The credential {title!r}"
        fields = given.pop("provider", None)
        if isinstance(fields, Mapping):
            fields = dict(fields)
            type_name = str(fields.pop("type", ""))
        else:
            type_name, fields = str(fields), dict(given.pop("attributes", None) or {})
        for option, value in given.items():
            self.found.leave_out(about, option, value, "is not supported")
        if type_name in KINDS:
            self._sources[number] = self._declare(about, number, title, type_name, fields)
        else:
            self.found.leave_out(about, ALL_OF_IT, entry, f"has the provider {type_name!r}, which is not supported")
            self._sources[number] = Source("", type_name)

    def _declare(self, about: str, number: Any, title: str, type_name: str, fields: Mapping[str, Any]) -> Source:
        name = get_rclone_name(type_name)
        provider = self._providers.get(name, Provider(name))
        options = translate_credential(self.found, about, type_name, fields, provider, self._keys)
        declared: Dict[str, Any] = {
            "name": self._names.choose_for(title, f"credential-{number}"),
            "provider": name,
            "attributes": options.attributes,
            "secrets": options.secrets,
        }
        if declared["name"] != title:
            declared["description"] = title
        accepted = add_credential(self.found, declared, self._providers)
        if refresh_token_is_single_use(name, reveal_secrets(options.attributes), "token" in options.secrets):
            self.found.note(
                f"{about}: its refresh token can be used only once. Disable its tasks in TrueNAS before the first run "
                "here."
            )
        return Source(declared["name"], type_name, accepted, fields.get("skip_region") is True)


def _add_notes(found: Findings, asked_rclone: bool, timezone: str) -> None:
    """Add the notes that concern every import."""
    if any(task["path"].startswith("/mnt/") for task in found.tasks):
        found.note("The paths below /mnt are TrueNAS's. Change them to paths of the hosts.")
    if any("schedule" in task for task in found.tasks) and not timezone:
        found.note(
            "The schedules use the time zones of the hosts. If TrueNAS used another one, import again with "
            "-e truenas_timezone=Europe/Berlin."
        )
    if found.credentials and not asked_rclone:
        found.note("This machine has no rclone, so the import did not check whether the credentials are complete.")
