# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.


"""Collect the results of an import: definitions, their secrets separately, and what remains to be done by hand."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from typing import Any, Dict, List, Mapping, Optional, Sequence, Set, Tuple

# A placeholder for an unknown secret while the rest is checked.
PLACEHOLDER = "still needed"
LONGEST_NAME = 63
ALL_OF_IT = "all of it"
SSH_NOTE = (
    "SFTP: so far nothing checked the servers' host keys. Run 'ssh-keyscan HOST', compare the keys with those that the "
    "servers' operators give you, and put the lines into the credential's known_hosts. Until then runs are refused."
)


@dataclass(frozen=True)
class Secret:
    """A value for the vault file. None: it is still needed, and ``hint`` says what it is and where to find it."""

    value: Optional[str]
    hint: str = ""


@dataclass(frozen=True)
class Reference:
    """A reference in the public file to the variable of the vault file that has the value."""

    variable: str


@dataclass(frozen=True)
class Missing:
    """A value in the vault file that is still needed. Using it fails with ``hint``."""

    hint: str


@dataclass(frozen=True)
class Imported:
    """``public`` and ``vault`` are the variables of the two files. The sentences never contain a secret."""

    public: Mapping[str, Any]
    vault: Mapping[str, Any]
    needed: Tuple[str, ...]
    left_out: Tuple[str, ...]
    notes: Tuple[str, ...]


class Names:
    """Choose unique names for credentials and tasks, or for variables."""

    def __init__(self, separator: str = "-") -> None:
        self._separator = separator
        self._given: Set[str] = set()

    def choose(self, wanted: str) -> str:
        """Return ``wanted``, or the first of wanted-2, wanted-3, ... that is not used yet."""
        name, number = wanted, 1
        while name in self._given:
            number += 1
            ending = f"{self._separator}{number}"
            name = wanted[: LONGEST_NAME - len(ending)] + ending if self._separator == "-" else wanted + ending
        self._given.add(name)
        return name

    def choose_for(self, text: str, fallback: str) -> str:
        """Return an unused name that resembles ``text``, or ``fallback`` if none of its characters is valid."""
        plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii")
        name = re.sub(r"[^A-Za-z0-9._]*-[^A-Za-z0-9._]*|[^A-Za-z0-9._-]+", "-", plain)[:LONGEST_NAME]
        return self.choose(name.lstrip("._-").rstrip("-") or fallback)


@dataclass
class Findings:
    """The results so far. Definitions contain each secret as a Secret, in its place.

    ``encryptions``: for each crypt remote, the options of a task that uses it.
    """

    credentials: List[Dict[str, Any]] = field(default_factory=list)
    tasks: List[Dict[str, Any]] = field(default_factory=list)
    encryptions: Dict[str, Dict[str, Any]] = field(default_factory=dict)
    refused_credentials: List[Dict[str, Any]] = field(default_factory=list)
    refused_tasks: List[Dict[str, Any]] = field(default_factory=list)
    needed: List[str] = field(default_factory=list)
    left_out: List[str] = field(default_factory=list)
    notes: List[str] = field(default_factory=list)
    kept: List[Dict[str, Any]] = field(default_factory=list)

    def leave_out(self, about: str, option: str, value: Any, why: str) -> None:
        """List an option that cannot be imported. Its ``value``, which may be a secret, goes into the vault file."""
        what = about if option == ALL_OF_IT else f"{about}: {option}"
        self.left_out.append(_make_printable(f"{what} {why}."))
        self.kept.append({"about": _make_printable(about), "option": option, "value": value})

    def need(self, about: str, sentence: str) -> None:
        """List something that has to be done by hand."""
        text = _make_printable(f"{about}: {sentence}")
        if text not in self.needed:
            self.needed.append(text)

    def note(self, sentence: str) -> None:
        """List something to know. Equal sentences are listed once."""
        if _make_printable(sentence) not in self.notes:
            self.notes.append(_make_printable(sentence))

    def build_result(self) -> Imported:
        """Return the variables of the two files, and the lists."""
        vault: Dict[str, Any] = {}
        split = _Split(vault)
        public: Dict[str, Any] = {
            "cloudsync_credentials": [split.hide_named(each) for each in self.credentials],
            "cloudsync_tasks": [split.hide_named(each) for each in self.tasks],
        }
        if self.encryptions:
            public["cloudsync_import_encryptions"] = {
                name: split.hide(block, name) for name, block in self.encryptions.items()
            }
        if self.refused_credentials or self.refused_tasks:
            public["cloudsync_import_refused"] = {
                "credentials": [split.hide_named(each) for each in self.refused_credentials],
                "tasks": [split.hide_named(each) for each in self.refused_tasks],
            }
        if self.kept:
            vault["vault_cloudsync_import_left_out"] = self.kept
        return Imported(public, vault, tuple(self.needed), tuple(self.left_out), tuple(self.notes))


def reveal_secrets(declared: Any) -> Any:
    """Return ``declared`` with the value of each secret; one that is still needed is the PLACEHOLDER."""
    if isinstance(declared, Secret):
        return PLACEHOLDER if declared.value is None else declared.value
    if isinstance(declared, Mapping):
        return {key: reveal_secrets(value) for key, value in declared.items()}
    if isinstance(declared, list):
        return [reveal_secrets(value) for value in declared]
    return declared


def is_complete(declared: Any) -> bool:
    """Whether all secrets in ``declared`` have a value."""
    if isinstance(declared, Secret):
        return declared.value is not None
    if isinstance(declared, Mapping):
        return all(is_complete(value) for value in declared.values())
    return not isinstance(declared, list) or all(is_complete(value) for value in declared)


class _Split:
    """Move secrets from definitions into variables of ``vault``."""

    def __init__(self, vault: Dict[str, Any]) -> None:
        self._vault = vault
        self._names = Names("_")

    def hide_named(self, declared: Mapping[str, Any]) -> Any:
        """Return the public form of a credential or a task."""
        return self.hide(declared, declared["name"])

    def hide(self, declared: Any, owner: str, path: Sequence[str] = ()) -> Any:
        """Return the public form of the value at ``path`` in the definition of ``owner``."""
        if isinstance(declared, Secret):
            words = [word for word in path if word not in ("attributes", "secrets")]
            variable = self._names.choose(re.sub(r"[^A-Za-z0-9_]", "_", "_".join(["vault_cloudsync", owner, *words])))
            self._vault[variable] = Missing(declared.hint) if declared.value is None else declared.value
            return Reference(variable)
        if isinstance(declared, Mapping):
            return {key: self.hide(value, owner, [*path, key]) for key, value in declared.items()}
        return declared


def _make_printable(text: str) -> str:
    """Return ``text`` on one line, because the sentences become comments in a YAML file."""
    return "".join(character if character.isprintable() else " " for character in text)
