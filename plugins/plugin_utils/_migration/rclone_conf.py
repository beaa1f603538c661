# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.


"""From the remotes of an rclone.conf to credentials.

A remote that logs in somewhere becomes a credential. One that stands on other remotes does not: what a crypt remote
did, the ``encryption`` of a task does, so that becomes a block to put into tasks; the others are listed.
"""

from __future__ import annotations

from typing import Dict, Mapping, Tuple

from ...module_utils._engine.common.errors import CloudsyncError
from ...module_utils._engine.config.task_parser import parse_task
from ...module_utils._engine.rclone.conf_file import Sections
from ...module_utils._engine.rclone.obscure import reveal
from ...module_utils._engine.rclone.providers.known_hosts import HOST_KEYS, KNOWN_HOSTS_FILE, SSH
from ...module_utils._engine.rclone.providers.schema import Provider
from ...module_utils._engine.rclone.providers.secret_options import carries_secret, must_be_secret
from ...module_utils._engine.rclone.providers.traits import list_undeclared_options, refresh_token_is_single_use
from .checking import Providers, add_credential
from .findings import ALL_OF_IT, SSH_NOTE, Findings, Imported, Names, Secret, clear

TYPE, DESCRIPTION = "type", "description"
# They name files of this machine.
FILE_ENDINGS = ("_file", "_path")
ALIAS, CRYPT = "alias", "crypt"
TRUST = (KNOWN_HOSTS_FILE, HOST_KEYS, SSH)
CHAIN = 10
WHY_NOT = {
    "archive": "reads archives that are on another remote",
    "cache": "keeps a cache of another remote, and rclone has given it up",
    "chunker": "cuts the files of another remote into pieces",
    "combine": "shows several remotes as one",
    "compress": "compresses what it puts on another remote",
    "hasher": "keeps the hashes of another remote",
    "union": "shows several remotes as one",
}
# Options of crypt with the only values with which a task's encryption reads the same files. None: any value will do.
CRYPT_OPTIONS = {
    "filename_encoding": ("base32",),
    "no_data_encryption": ("false",),
    "suffix": (".bin",),
    "pass_bad_blocks": None,
    "server_side_across_configs": None,
    "show_mapping": None,
    "strict_names": None,
}


class _Refused(Exception):
    """Why a remote can't be carried over: the rest of a sentence that begins with the remote."""


def from_rclone_conf(sections: Sections, providers: Providers) -> Imported:
    """Turn the sections, as rclone reads them, into credentials. ``providers`` is what this machine's rclone has."""
    reader = _Reader(sections, providers)
    for section, options in sections.items():
        if not reader.stands_on_others(options):
            reader.add_credential(section, options)
    for section, options in sections.items():
        if reader.stands_on_others(options):
            reader.add_overlay(section, options)
    if reader.found.credentials:
        reader.found.note("An rclone.conf has no tasks: declare them in cloudsync_tasks.")
    return reader.found.result()


def _about(section: str) -> str:
    return f"The remote {section!r}"


class _Reader:
    """``_credentials``: the name and acceptance of the credential of each section that became one."""

    def __init__(self, sections: Sections, providers: Providers) -> None:
        self.found = Findings()
        self._sections = sections
        self._providers = providers
        self._names = Names()
        self._credentials: Dict[str, Tuple[str, bool]] = {}

    def stands_on_others(self, options: Mapping[str, str]) -> bool:
        """Whether it is no login of its own, but a view of other remotes."""
        provider = self._providers.get(options.get(TYPE, ""))
        return provider is not None and any(provider.option(name) for name in ("remote", "upstreams"))

    def add_credential(self, section: str, options: Mapping[str, str]) -> None:
        """Declare the remote, or list it."""
        about, kind = _about(section), options.get(TYPE, "")
        if kind not in self._providers:
            why = f"has the type {kind!r}, which this machine's rclone does not know" if kind else "has no type"
            self.found.leave_out(about, ALL_OF_IT, dict(options), why)
            return
        name = self._names.from_text(section, "remote")
        split = self._split(about, self._providers[kind], options)
        description = options.get(DESCRIPTION) or (section if name != section else "")
        declared = {"name": name, "provider": kind, **({"description": description} if description else {}), **split}
        if kind == "sftp" and not any(options.get(name) for name in TRUST):
            self.found.note(SSH_NOTE)
        self._credentials[section] = (name, add_credential(self.found, declared, self._providers))
        if refresh_token_is_single_use(kind, split["attributes"], "token" in split["secrets"]):
            self.found.note(
                f"{about}: its refresh token works once. Use it in the rclone.conf no more once anything runs on a "
                "host."
            )

    def _split(self, about: str, provider: Provider, options: Mapping[str, str]) -> Dict[str, Dict[str, object]]:
        """Its options as ``attributes`` and ``secrets``, passwords in clear."""
        split: Dict[str, Dict[str, object]] = {"attributes": {}, "secrets": {}}
        known = {option.name for option in provider.options} | list_undeclared_options(provider.name)
        for name, value in options.items():
            if name in (TYPE, DESCRIPTION) or not value:
                continue
            option = provider.option(name)
            if name not in known:
                self.found.leave_out(about, name, value, f"is no option of {provider.name}")
            elif any(each.is_password for each in provider.all_options(name)):
                split["secrets"][name] = self._revealed(about, name, value)
            elif must_be_secret(provider, name) or (option is not None and carries_secret(option, value)):
                split["secrets"][name] = Secret(value)
            else:
                split["attributes"][name] = value
                if name.endswith(FILE_ENDINGS):
                    self.found.need(about, f"{name} is {value!r}: put that file on the hosts.")
        return split

    def _revealed(self, about: str, name: str, value: str) -> Secret:
        try:
            return Secret(reveal(value))
        except CloudsyncError:
            self.found.leave_out(about, name, value, "is not obscured, so that rclone could not use it either")
            return Secret(None, f"{about}: the plain text of {name}, which is damaged in the rclone.conf")

    def add_overlay(self, section: str, options: Mapping[str, str]) -> None:
        """List what stands on other remotes, with what serves instead; of a crypt remote make a block for tasks."""
        kind = options[TYPE]
        try:
            if kind == CRYPT:
                self._add_encryption(section, options)
            elif kind == ALIAS:
                name, path = self._place(options)
                raise _Refused(
                    f"is another name for a place: in tasks, write credential {name} and begin remote_path with "
                    f"{path!r}"
                )
            else:
                raise _Refused(f"{WHY_NOT.get(kind, 'stands on other remotes')}, and a credential is one login")
        except _Refused as error:
            self.found.leave_out(_about(section), ALL_OF_IT, dict(options), str(error))

    def _add_encryption(self, section: str, options: Mapping[str, str]) -> None:
        credential, path = self._place(options)
        about = _about(section)
        for name, value in options.items():
            if name in CRYPT_OPTIONS:
                self._check_crypt_option(about, name, value, options)
        encryption: Dict[str, object] = {
            "password": self._crypt_secret(about, options, "password"),
            "filenames": options.get("filename_encryption") or "standard",
        }
        if options.get("password2"):
            encryption["salt"] = self._crypt_secret(about, options, "password2")
        if options.get("directory_name_encryption", "true") != "true":
            encryption["directory_names"] = False
        block = {"credential": credential, "remote_path": path, "encryption": encryption}
        try:
            parse_task({"name": "a", "direction": "push", "path": "/a", **clear(block)})
        except CloudsyncError as error:
            raise _Refused(f"can't be the encryption of a task. {error.message[:-1]}") from error
        self.found.encryptions[section] = block
        self.found.need(
            about,
            "it encrypts, which here is a part of the task. Tasks that used it take credential, remote_path and "
            "encryption from cloudsync_import_encryptions. One that used a folder in it has, behind that remote_path, "
            "{0}.".format(
                f"the name that 'rclone cryptdecode --reverse {section}: FOLDER' prints"
                if encryption["filenames"] != "off" and encryption.get("directory_names", True)
                else "the folder's name"
            ),
        )

    def _check_crypt_option(self, about: str, name: str, value: str, options: Mapping[str, str]) -> None:
        allowed = CRYPT_OPTIONS[name]
        if name == "suffix" and options.get("filename_encryption") != "off":
            return
        if allowed is None:
            self.found.leave_out(about, name, value, "is not needed in the encryption of a task")
        elif value and value not in allowed:
            raise _Refused(
                f"has {name} {value!r}, and the encryption of a task can only have {allowed[0]!r}: it would not find "
                "the files"
            )

    @staticmethod
    def _crypt_secret(about: str, options: Mapping[str, str], name: str) -> Secret:
        try:
            return Secret(reveal(options.get(name, "")))
        except CloudsyncError:
            raise _Refused(f"has a {name} that is not obscured") from None

    def _place(self, options: Mapping[str, str]) -> Tuple[str, str]:
        """The credential and the path that an alias or crypt remote stands on, through other aliases."""
        path = ""
        for _step in range(CHAIN):
            target = options.get("remote", "")
            name, colon, below = target.partition(":")
            path = "/".join(part for part in (below.rstrip("/"), path.lstrip("/")) if part) or below
            if not colon or not name or "/" in name:
                raise _Refused(f"stands on {_shown(target)}, which is no remote of this file")
            if name in self._credentials:
                credential, accepted = self._credentials[name]
                if not accepted:
                    raise _Refused(f"stands on the remote {name!r}, which is refused")
                return credential, path
            options = self._sections.get(name, {})
            if options.get(TYPE) != ALIAS:
                break
        raise _Refused(f"stands on the remote {name!r}, which is no credential")


def _shown(target: str) -> str:
    """A connection string can have a password in it."""
    return "a connection string" if ":" in target else repr(target)
