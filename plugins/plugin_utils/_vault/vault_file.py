# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""A file of variables under Ansible Vault that holds one variable, a login."""

from __future__ import annotations

import os
from typing import Any, Mapping, Optional

import yaml
from ansible.errors import AnsibleError

from ...module_utils._engine.common.errors import usage_error
from ...module_utils._engine.common.files import atomic_write, make_directory
from .vault import Vault

HEAD = "# Written by skyhaul.cloudsync.authorize. Its attributes and secrets are those of a credential.\n"
TAG = "!unsafe"


class _Text(str):
    """A text that came from elsewhere: Ansible must not take anything in it for a template."""


class _Dumper(yaml.SafeDumper):
    pass


class _Loader(yaml.SafeLoader):
    pass


_Dumper.add_representer(_Text, lambda dumper, text: dumper.represent_scalar(TAG, str(text), style="'"))
# Ansible's strings are str with something on top.
_Dumper.add_multi_representer(str, yaml.SafeDumper.represent_str)
_Loader.add_constructor(TAG, lambda loader, node: str(node.value))


class VaultFile:
    """``path`` holds ``variable``, encrypted with the password that the play was started with.

    ``vault_id`` chooses among several passwords, as ``ansible-vault encrypt --encrypt-vault-id`` does.
    """

    def __init__(self, path: str, variable: str, vault_id: str) -> None:
        self._path = os.path.abspath(os.path.expanduser(path))
        self._variable = variable
        self._vault = Vault(self._path, vault_id)

    def read(self) -> Optional[Mapping[str, Any]]:
        """The value of the variable, None when there is no file yet; any other file is refused and stays."""
        try:
            with open(self._path, "rb") as stream:
                content = self._opened(stream.read())
        except FileNotFoundError:
            return None
        if list(content) != [self._variable] or not isinstance(content[self._variable], dict):
            raise usage_error(
                f"{self._path} exists and holds something else than {self._variable} alone. It is left as it is: name "
                "another file."
            )
        login: Mapping[str, Any] = content[self._variable]
        return login

    def _opened(self, ciphertext: bytes) -> Mapping[str, Any]:
        try:
            content = yaml.load(self._vault.decrypt(ciphertext), Loader=_Loader)  # noqa: S506
        except AnsibleError:
            raise usage_error(
                f"{self._path} exists and can't be decrypted with the vault password of this play. It is left as it "
                "is: use its password, or name another file."
            ) from None
        except yaml.YAMLError:
            content = None
        return content if isinstance(content, dict) else {}

    def prepare(self) -> None:
        """See, before anybody logs in, that the file can be written; its directory is made."""
        directory = os.path.dirname(self._path)
        make_directory(directory, _mode_of(directory))
        if not os.access(directory, os.W_OK | os.X_OK):
            raise usage_error(f"{self._path} can't be written: {directory} is not yours to write in.")

    def write(self, login: Mapping[str, Any]) -> None:
        """Replace the file. In clear the content is only in memory."""
        safe = {group: _marked(value) for group, value in login.items()}
        text = HEAD + yaml.dump({self._variable: safe}, Dumper=_Dumper, sort_keys=False, width=float("inf"))
        atomic_write(self._path, self._vault.encrypt(text))

    @property
    def path(self) -> str:
        return self._path


def _mode_of(directory: str) -> int:
    try:
        return os.stat(directory).st_mode & 0o7777
    except FileNotFoundError:
        return 0o755


def _marked(value: Any) -> Any:
    return {name: _Text(text) for name, text in value.items()} if isinstance(value, Mapping) else value
