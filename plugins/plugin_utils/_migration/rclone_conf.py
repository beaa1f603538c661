# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.


"""Turn the remotes of an rclone.conf into credentials.

A remote with a login becomes a credential. A crypt remote becomes a block with the ``encryption`` for tasks. All other
remotes that are based on remotes are listed.
"""

from __future__ import annotations

from typing import Dict, Mapping, Tuple

from ...module_utils._engine.common.errors import CloudsyncError, usage_error
from ...module_utils._engine.common.text import list_some
from ...module_utils._engine.config.task_parser import parse_task
from ...module_utils._engine.rclone.conf_file import Sections
from ...module_utils._engine.rclone.obscure import reveal
from ...module_utils._engine.rclone.providers.known_hosts import HOST_KEYS, KNOWN_HOSTS_FILE, SSH
from ...module_utils._engine.rclone.providers.schema import Provider
from ...module_utils._engine.rclone.providers.secret_options import carries_secret, must_be_secret
from ...module_utils._engine.rclone.providers.traits import list_undeclared_options, refresh_token_is_single_use
from .checking import Providers, add_credential
from .findings import ALL_OF_IT, SSH_NOTE, Findings, Imported, Names, Secret, reveal_secrets

TYPE, DESCRIPTION = "type", "description"
# Their values are files of this machine.
FILE_ENDINGS = ("_file", "_path")
ALIAS, CRYPT = "alias", "crypt"
REDACTED = "XXX"
TRUST = (KNOWN_HOSTS_FILE, HOST_KEYS, SSH)
CHAIN = 10
WHY_NOT = {
    "archive": "reads archives on another remote",
    "cache": "caches another remote, and rclone no longer supports it",
    "chunker": "splits the files of another remote",
    "combine": "combines several remotes",
    "compress": "compresses the files of another remote",
    "hasher": "stores the hashes of another remote",
    "union": "combines several remotes",
}
# Options of crypt, and the only values with which a task's encryption reads the same files. None: any value.
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
    """The reason why a remote cannot be imported: the rest of a sentence that begins with the remote."""


def from_rclone_conf(sections: Sections, providers: Providers) -> Imported:
    """Turn the sections, as rclone reads them, into credentials. ``providers`` are those of this machine's rclone."""
    reader = _Reader(sections, providers)
    reader.refuse_redacted()
    for section, options in sections.items():
        if not reader.is_overlay(options):
            reader.add_credential(section, options)
    for section, options in sections.items():
        if reader.is_overlay(options):
            reader.add_overlay(section, options)
    if reader.found.credentials:
        reader.found.note("An rclone.conf contains no tasks. Declare them in cloudsync_tasks.")
    return reader.found.build_result()


def _describe(section: str) -> str:
    return f"The remote {section!r}"


class _Reader:
    """``_credentials``: for each imported section, the name of the credential and whether it was accepted."""

    def __init__(self, sections: Sections, providers: Providers) -> None:
        self.found = Findings()
        self._sections = sections
        self._providers = providers
        self._names = Names()
        self._credentials: Dict[str, Tuple[str, bool]] = {}

    def refuse_redacted(self) -> None:
        """Refuse the output of ``rclone config redacted``, which no login works with."""
        hidden = {
            section: [name for name, value in options.items() if value == REDACTED]
            for section, options in self._sections.items()
        }
        if not any(self._is_secret(self._sections[section], name) for section in hidden for name in hidden[section]):
            return
        places = [f"{name} of {section!r}" for section, names in hidden.items() for name in names]
        raise usage_error(
            f"This is the output of 'rclone config redacted', where logins are replaced by {REDACTED}: "
            f"{list_some(places)}. Import the configuration itself. 'rclone config file' prints its path."
        )

    def _is_secret(self, options: Mapping[str, str], name: str) -> bool:
        provider = self._providers.get(options.get(TYPE, ""))
        return provider is not None and must_be_secret(provider, name)

    def is_overlay(self, options: Mapping[str, str]) -> bool:
        """Whether the remote has no login, because it is based on other remotes."""
        provider = self._providers.get(options.get(TYPE, ""))
        return provider is not None and any(provider.option(name) for name in ("remote", "upstreams"))

    def add_credential(self, section: str, options: Mapping[str, str]) -> None:
        """Add the remote as a credential, or list it."""
        about, kind = _describe(section), options.get(TYPE, "")
        if kind not in self._providers:
            why = f"has the type {kind!r}, which this machine's rclone does not have" if kind else "has no type"
            self.found.leave_out(about, ALL_OF_IT, dict(options), why)
            return
        name = self._names.choose_for(section, "remote")
        split = self._split(about, self._providers[kind], options)
        description = options.get(DESCRIPTION) or (section if name != section else "")
        declared = {"name": name, "provider": kind, **({"description": description} if description else {}), **split}
        if kind == "sftp" and not any(options.get(name) for name in TRUST):
            self.found.note(SSH_NOTE)
        self._credentials[section] = (name, add_credential(self.found, declared, self._providers))
        if refresh_token_is_single_use(kind, split["attributes"], "token" in split["secrets"]):
            self.found.note(
                f"{about}: its refresh token can be used only once. Do not use this remote in the rclone.conf any more "
                "after the first run on a host."
            )

    def _split(self, about: str, provider: Provider, options: Mapping[str, str]) -> Dict[str, Dict[str, object]]:
        """Split the options into ``attributes`` and ``secrets``, passwords in clear."""
        split: Dict[str, Dict[str, object]] = {"attributes": {}, "secrets": {}}
        known = {option.name for option in provider.options} | list_undeclared_options(provider.name)
        for name, value in options.items():
            if name in (TYPE, DESCRIPTION) or not value:
                continue
            option = provider.option(name)
            if name not in known:
                self.found.leave_out(about, name, value, f"is not an option of {provider.name}")
            elif any(each.is_password for each in provider.list_all_options(name)):
                split["secrets"][name] = self._reveal(about, name, value)
            elif must_be_secret(provider, name) or (option is not None and carries_secret(option, value)):
                split["secrets"][name] = Secret(value)
            else:
                split["attributes"][name] = value
                if name.endswith(FILE_ENDINGS):
                    self.found.need(about, f"{name} is {value!r}. Copy that file to the hosts.")
        return split

    def _reveal(self, about: str, name: str, value: str) -> Secret:
        try:
            return Secret(reveal(value))
        except CloudsyncError:
            self.found.leave_out(about, name, value, "is not obscured, so rclone could not use it either")
            return Secret(None, f"{about}: the plain text of {name}, which is invalid in the rclone.conf")

    def add_overlay(self, section: str, options: Mapping[str, str]) -> None:
        """Turn a crypt remote into a block for tasks. List any other overlay, with its replacement."""
        kind = options[TYPE]
        try:
            if kind == CRYPT:
                self._add_encryption(section, options)
            elif kind == ALIAS:
                name, path = self._find_place(options)
                raise _Refused(
                    f"is another name for a path. In tasks, set credential to {name} and begin remote_path with "
                    f"{path!r}"
                )
            else:
                raise _Refused(f"{WHY_NOT.get(kind, 'is based on other remotes')}, but a credential is a single login")
        except _Refused as error:
            self.found.leave_out(_describe(section), ALL_OF_IT, dict(options), str(error))

    def _add_encryption(self, section: str, options: Mapping[str, str]) -> None:
        credential, path = self._find_place(options)
        about = _describe(section)
        for name, value in options.items():
            if name in CRYPT_OPTIONS:
                self._check_crypt_option(about, name, value, options)
        encryption: Dict[str, object] = {
            "password": self._reveal_crypt_secret(about, options, "password"),
            "filenames": options.get("filename_encryption") or "standard",
        }
        if options.get("password2"):
            encryption["salt"] = self._reveal_crypt_secret(about, options, "password2")
        if options.get("directory_name_encryption", "true") != "true":
            encryption["directory_names"] = False
        block = {"credential": credential, "remote_path": path, "encryption": encryption}
        try:
            parse_task({"name": "a", "direction": "push", "path": "/a", **reveal_secrets(block)})
        except CloudsyncError as error:
            raise _Refused(f"cannot become the encryption of a task. {error.message[:-1]}") from error
        self.found.encryptions[section] = block
        folder = "the folder's name"
        if encryption["filenames"] != "off" and encryption.get("directory_names", True):
            folder = f"the name that 'rclone cryptdecode --reverse {section}: FOLDER' prints"
        self.found.need(
            about,
            "encryption belongs to the task. For tasks that use this remote, copy credential, remote_path and "
            f"encryption from cloudsync_import_encryptions. For a folder in it, append {folder} to remote_path.",
        )

    def _check_crypt_option(self, about: str, name: str, value: str, options: Mapping[str, str]) -> None:
        allowed = CRYPT_OPTIONS[name]
        if name == "suffix" and options.get("filename_encryption") != "off":
            return
        if allowed is None:
            self.found.leave_out(about, name, value, "is not needed for the encryption of a task")
        elif value and value not in allowed:
            raise _Refused(
                f"has {name} {value!r}, but the encryption of a task only supports {allowed[0]!r} and would not find "
                "the files"
            )

    @staticmethod
    def _reveal_crypt_secret(about: str, options: Mapping[str, str], name: str) -> Secret:
        try:
            return Secret(reveal(options.get(name, "")))
        except CloudsyncError:
            raise _Refused(f"has a {name} that is not obscured") from None

    def _find_place(self, options: Mapping[str, str]) -> Tuple[str, str]:
        """Return the credential and the path that an alias or crypt remote is based on, through other aliases."""
        path = ""
        for _step in range(CHAIN):
            target = options.get("remote", "")
            name, colon, below = target.partition(":")
            path = "/".join(part for part in (below.rstrip("/"), path.lstrip("/")) if part) or below
            if not colon or not name or "/" in name:
                raise _Refused(f"is based on {_show(target)}, which is not a remote in this file")
            if name in self._credentials:
                credential, accepted = self._credentials[name]
                if not accepted:
                    raise _Refused(f"is based on the remote {name!r}, which is refused")
                return credential, path
            options = self._sections.get(name, {})
            if options.get(TYPE) != ALIAS:
                break
        raise _Refused(f"is based on the remote {name!r}, which is not a credential")


def _show(target: str) -> str:
    """Return ``target`` for a message. A connection string may contain a password and is not shown."""
    return "a connection string" if ":" in target else repr(target)
