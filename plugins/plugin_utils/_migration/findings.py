# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.


"""What moving in finds: declarations, their secrets apart from them, and what is left for a person to do."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from typing import Any, Dict, List, Mapping, Optional, Sequence, Set, Tuple

# What stands for a secret that is not known yet while the rest is checked.
STAND_IN = "still needed"
LONGEST_NAME = 63
ALL_OF_IT = "all of it"
SSH_NOTE = (
    "SFTP: nothing checked the servers' host keys so far. Put the lines that 'ssh-keyscan HOST' prints, once you have "
    "compared them with what their operators say, into the credential's known_hosts: until then runs are refused."
)


@dataclass(frozen=True)
class Secret:
    """A value for the vault file. None: it is still needed, and ``hint`` says what it is and where to look."""

    value: Optional[str]
    hint: str = ""


@dataclass(frozen=True)
class Reference:
    """In the public file: the variable of the vault file that has the value."""

    variable: str


@dataclass(frozen=True)
class Missing:
    """In the vault file: a value that is still needed. To use it has to fail, with ``hint``."""

    hint: str


@dataclass(frozen=True)
class Imported:
    """``public`` and ``vault`` are the variables of the two files. The sentences name things, never a secret."""

    public: Mapping[str, Any]
    vault: Mapping[str, Any]
    needed: Tuple[str, ...]
    left_out: Tuple[str, ...]
    notes: Tuple[str, ...]


class Names:
    """Gives names of credentials and tasks, or of variables, each once."""

    def __init__(self, separator: str = "-") -> None:
        self._separator = separator
        self._given: Set[str] = set()

    def unique(self, wanted: str) -> str:
        """``wanted``, or the first of wanted-2, wanted-3, ... that is free."""
        name, number = wanted, 1
        while name in self._given:
            number += 1
            ending = f"{self._separator}{number}"
            name = wanted[: LONGEST_NAME - len(ending)] + ending if self._separator == "-" else wanted + ending
        self._given.add(name)
        return name

    def from_text(self, text: str, fallback: str) -> str:
        """A free name as like to ``text`` as a name can be, or to ``fallback`` when nothing of it can stand."""
        plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii")
        name = re.sub(r"[^A-Za-z0-9._]*-[^A-Za-z0-9._]*|[^A-Za-z0-9._-]+", "-", plain)[:LONGEST_NAME]
        return self.unique(name.lstrip("._-").rstrip("-") or fallback)


@dataclass
class Findings:
    """What is collected while the source is read. Declarations hold each secret as a Secret, where it belongs.

    ``encryptions``: per crypt remote what a task over it needs.
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
        """List what can't be carried over; its ``value``, which may be a secret, goes into the vault file."""
        what = about if option == ALL_OF_IT else f"{about}: {option}"
        self.left_out.append(_printable(f"{what} {why}."))
        self.kept.append({"about": _printable(about), "option": option, "value": value})

    def need(self, about: str, sentence: str) -> None:
        """Something that a person has to do before, or in place of, what was there."""
        text = _printable(f"{about}: {sentence}")
        if text not in self.needed:
            self.needed.append(text)

    def note(self, sentence: str) -> None:
        """Something to know; each sentence stands once."""
        if _printable(sentence) not in self.notes:
            self.notes.append(_printable(sentence))

    def result(self) -> Imported:
        """The two files' variables, and the lists."""
        vault: Dict[str, Any] = {}
        split = _Split(vault)
        public: Dict[str, Any] = {
            "cloudsync_credentials": [split.named(each) for each in self.credentials],
            "cloudsync_tasks": [split.named(each) for each in self.tasks],
        }
        if self.encryptions:
            public["cloudsync_import_encryptions"] = {
                name: split.public(block, name) for name, block in self.encryptions.items()
            }
        if self.refused_credentials or self.refused_tasks:
            public["cloudsync_import_refused"] = {
                "credentials": [split.named(each) for each in self.refused_credentials],
                "tasks": [split.named(each) for each in self.refused_tasks],
            }
        if self.kept:
            vault["vault_cloudsync_import_left_out"] = self.kept
        return Imported(public, vault, tuple(self.needed), tuple(self.left_out), tuple(self.notes))


def clear(declared: Any) -> Any:
    """``declared`` with every secret in its place; one that is still needed is the STAND_IN."""
    if isinstance(declared, Secret):
        return STAND_IN if declared.value is None else declared.value
    if isinstance(declared, Mapping):
        return {key: clear(value) for key, value in declared.items()}
    if isinstance(declared, list):
        return [clear(value) for value in declared]
    return declared


def is_complete(declared: Any) -> bool:
    """Whether no secret in it is still needed."""
    if isinstance(declared, Secret):
        return declared.value is not None
    if isinstance(declared, Mapping):
        return all(is_complete(value) for value in declared.values())
    return not isinstance(declared, list) or all(is_complete(value) for value in declared)


class _Split:
    """Moves secrets out of declarations, into variables of ``vault``."""

    def __init__(self, vault: Dict[str, Any]) -> None:
        self._vault = vault
        self._names = Names("_")

    def named(self, declared: Mapping[str, Any]) -> Any:
        """The public form of a credential or a task."""
        return self.public(declared, declared["name"])

    def public(self, declared: Any, owner: str, path: Sequence[str] = ()) -> Any:
        """The public form of what stands at ``path`` in the declaration of ``owner``."""
        if isinstance(declared, Secret):
            words = [word for word in path if word not in ("attributes", "secrets")]
            variable = self._names.unique(re.sub(r"[^A-Za-z0-9_]", "_", "_".join(["vault_cloudsync", owner, *words])))
            self._vault[variable] = Missing(declared.hint) if declared.value is None else declared.value
            return Reference(variable)
        if isinstance(declared, Mapping):
            return {key: self.public(value, owner, [*path, key]) for key, value in declared.items()}
        return declared


def _printable(text: str) -> str:
    """On one line, as these sentences become comments of a YAML file."""
    return "".join(character if character.isprintable() else " " for character in text)
