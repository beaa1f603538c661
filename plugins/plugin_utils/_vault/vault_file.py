# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Read and write a file of Ansible Vault with one variable, a login."""

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
    """A text from outside, in which Ansible must not find templates."""


class _Dumper(yaml.SafeDumper):
    pass


class _Loader(yaml.SafeLoader):
    pass


_Dumper.add_representer(_Text, lambda dumper, text: dumper.represent_scalar(TAG, str(text), style="'"))
# Ansible's strings are subclasses of str.
_Dumper.add_multi_representer(str, yaml.SafeDumper.represent_str)
_Loader.add_constructor(TAG, lambda loader, node: str(node.value))


class VaultFile:
    """The file at ``path`` with ``variable``, encrypted with the vault password of the play.

    ``vault_id`` chooses among several passwords, as ``ansible-vault encrypt --encrypt-vault-id`` does.
    """

    def __init__(self, path: str, variable: str, vault_id: str) -> None:
        self._path = os.path.abspath(os.path.expanduser(path))
        self._variable = variable
        self._vault = Vault(self._path, vault_id)

    def read(self) -> Optional[Mapping[str, Any]]:
        """Return the value of the variable; None without a file. Any other file is refused and not changed."""
        try:
            with open(self._path, "rb") as stream:
                content = self._decrypt(stream.read())
        except FileNotFoundError:
            return None
        if list(content) != [self._variable] or not isinstance(content[self._variable], dict):
            raise usage_error(
                f"{self._path} exists, but does not contain only the variable {self._variable}. Nothing was changed. "
                "Set file to another path."
            )
        login: Mapping[str, Any] = content[self._variable]
        return login

    def _decrypt(self, ciphertext: bytes) -> Mapping[str, Any]:
        try:
            content = yaml.load(self._vault.decrypt(ciphertext), Loader=_Loader)  # noqa: S506
        except AnsibleError:
            raise usage_error(
                f"Cannot decrypt {self._path} with the vault password of this play. Nothing was changed. Use the "
                "password of the file, or set file to another path."
            ) from None
        except yaml.YAMLError:
            content = None
        return content if isinstance(content, dict) else {}

    def prepare(self) -> None:
        """Create the directory of the file, and check before the login that the file can be written."""
        directory = os.path.dirname(self._path)
        make_directory(directory, _get_mode(directory))
        if not os.access(directory, os.W_OK | os.X_OK):
            raise usage_error(f"Cannot write {self._path}: permission denied on directory {directory}.")

    def write(self, login: Mapping[str, Any]) -> None:
        """Replace the file. Its content is in clear only in memory."""
        safe = {group: _mark(value) for group, value in login.items()}
        text = HEAD + yaml.dump({self._variable: safe}, Dumper=_Dumper, sort_keys=False, width=float("inf"))
        atomic_write(self._path, self._vault.encrypt(text))

    @property
    def path(self) -> str:
        return self._path


def _get_mode(directory: str) -> int:
    try:
        return os.stat(directory).st_mode & 0o7777
    except FileNotFoundError:
        return 0o755


def _mark(value: Any) -> Any:
    return {name: _Text(text) for name, text in value.items()} if isinstance(value, Mapping) else value
