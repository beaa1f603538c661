# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Credentials: how to log in to one account, secrets only as ciphertext at rest.

A value that rclone refreshed (an OAuth token) is kept beside the declared one, never over it: so a playbook that
still carries the first token changes nothing, and one that carries a new token wins.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Dict, List, Mapping, Optional

from .errors import usage_error
from .files import make_directory, names_in, read_object, remove, write_json
from .layout import Layout, checked_name
from .locks import Lock, wait_lock
from .rclone.aliases import rclone_name
from .rclone.config import config_value
from .rclone.section import on_one_line
from .rclone.traits import state_options
from .seed import Place, Seed, load_seed
from .suggest import refuse_unknown_keys

SCHEMA = 1
OPTIONS = ("name", "provider", "attributes", "secrets", "description")
STORED = (*OPTIONS, "refreshed")
USER_ATTRIBUTES = ("apple_id", "email", "user", "username")
SET = "(set)"
NEW_VALUE = "(new value)"


@dataclass(frozen=True)
class Credential:
    """One credential in memory, secrets in clear. All values are as rclone's configuration spells them."""

    name: str
    provider: str
    description: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    refreshed: Mapping[str, str] = field(default_factory=dict)

    def current_secrets(self) -> Dict[str, str]:
        """The secrets to log in with now: a refreshed one replaces the declared one."""
        return {**self.secrets, **self.refreshed}


def parse_credential(declared: Mapping[str, Any]) -> Credential:
    """The credential that ``declared`` (the options of the ``credential`` module) asks for."""
    name = checked_name("credential", declared.get("name") or "")
    refuse_unknown_keys(f"The credential {name}", declared, OPTIONS)
    provider = declared.get("provider")
    if not provider:
        raise usage_error(f"The credential {name} needs a provider, such as s3, b2 or sftp.")
    return Credential(
        name=name,
        provider=str(provider),
        description=declared.get("description") or "",
        attributes=_values(declared.get("attributes")),
        secrets=_values(declared.get("secrets")),
    )


def _values(given: Optional[Mapping[str, Any]]) -> Dict[str, str]:
    # On one line, as rclone has it: save_refreshed() compares what was declared with what a run began with.
    return {key: on_one_line(config_value(value)) for key, value in (given or {}).items() if value is not None}


def list_credentials(layout: Layout) -> List[str]:
    """The names of the stored credentials."""
    return names_in(layout.credentials_dir)


def read_credential(layout: Layout, name: str) -> Optional[Dict[str, Any]]:
    """The stored form (ciphertexts, as in the file), None when there is none."""
    return read_object(layout.credential(name), SCHEMA, "credential", name, STORED)


def load_credential(layout: Layout, seed: Seed, name: str) -> Credential:
    """The stored credential, decrypted; its absence is an error."""
    stored = read_credential(layout, name)
    if stored is None:
        known = ", ".join(list_credentials(layout)) or "none"
        raise usage_error(f"There is no credential {name!r} on this host (there are: {known}).")
    return unseal(layout, seed, stored)


def unseal(layout: Layout, seed: Seed, stored: Mapping[str, Any]) -> Credential:
    """Decrypt the stored form."""
    name = stored["name"]

    def opened(group: str) -> Dict[str, str]:
        return {key: seed.decrypt(text, _place(layout, name, group, key)) for key, text in stored[group].items()}

    return Credential(
        name,
        stored["provider"],
        stored["description"],
        stored["attributes"],
        opened("secrets"),
        opened("refreshed"),
    )


def _place(layout: Layout, name: str, group: str, key: str) -> Place:
    return Place("credential", name, f"{group}.{key}", layout.credential(name))


def seal(layout: Layout, seed: Seed, credential: Credential) -> Dict[str, Any]:
    """The stored form, every secret encrypted in its place."""

    def sealed(group: str, values: Mapping[str, str]) -> Dict[str, str]:
        return {key: seed.encrypt(text, _place(layout, credential.name, group, key)) for key, text in values.items()}

    return {
        "schema": SCHEMA,
        "name": credential.name,
        "provider": credential.provider,
        "description": credential.description,
        "attributes": dict(credential.attributes),
        "secrets": sealed("secrets", credential.secrets),
        "refreshed": sealed("refreshed", credential.refreshed),
    }


def declare(before: Optional[Credential], wanted: Credential) -> Credential:
    """``wanted`` with the refreshed values that still belong to what it declares."""
    if before is None or rclone_name(before.provider) != rclone_name(wanted.provider):
        return wanted
    # What rclone got by logging in with the declared secrets (a session) belongs to them all.
    same_login = before.secrets == wanted.secrets and all(
        before.attributes.get(key) == wanted.attributes.get(key) for key in USER_ATTRIBUTES
    )
    kept = {
        key: value
        for key, value in before.refreshed.items()
        if (before.secrets[key] == wanted.secrets.get(key) if key in before.secrets else same_login)
    }
    return replace(wanted, refreshed=kept)


def public_view(credential: Credential) -> Dict[str, Any]:
    """What may be shown: everything but the secrets, of which only the names."""
    return {
        "name": credential.name,
        "provider": credential.provider,
        "description": credential.description,
        "attributes": dict(sorted(credential.attributes.items())),
        "secrets": sorted(credential.secrets),
    }


def stored_view(stored: Mapping[str, Any]) -> Dict[str, Any]:
    """public_view of a stored credential, without the seed."""
    return public_view(
        Credential(stored["name"], stored["provider"], stored["description"], stored["attributes"], stored["secrets"])
    )


def info(layout: Layout, name: Optional[str]) -> List[Dict[str, Any]]:
    """The public views of all credentials, or of the one named; empty when it does not exist."""
    names = [checked_name("credential", name)] if name else list_credentials(layout)
    stored = [read_credential(layout, each) for each in names]
    return [stored_view(each) for each in stored if each is not None]


def diff_view(credential: Optional[Credential], other: Optional[Credential]) -> Dict[str, Any]:
    """public_view with each secret as a word that differs from ``other``'s exactly when the secrets do."""
    if credential is None:
        return {}
    others = other.secrets if other else {}
    view = public_view(credential)
    view["secrets"] = {
        key: SET if others.get(key, value) == value else NEW_VALUE for key, value in sorted(credential.secrets.items())
    }
    return view


def store_lock(layout: Layout) -> Lock:
    """Held for the moment in which a stored object is read, changed and written."""
    return wait_lock(layout.run_dir + "/locks/store")


def save_credential(layout: Layout, seed: Seed, credential: Credential) -> None:
    """Write it; the caller holds store_lock()."""
    make_directory(layout.config_dir)
    make_directory(layout.credentials_dir)
    write_json(layout.credential(credential.name), seal(layout, seed, credential))


def remove_credential(layout: Layout, name: str) -> None:
    """Forget it; the caller holds store_lock() and has checked that no task uses it."""
    remove(layout.credential(name))


def save_refreshed(layout: Layout, name: str, expected: Mapping[str, str], refreshed: Mapping[str, str]) -> bool:
    """Keep the configuration values that rclone refreshed from ``expected``; whether anything was written.

    A value that is no longer the ``expected`` one was meanwhile declared anew, and stays; so does a removal.
    """
    with store_lock(layout):
        # Read now: the seed may have been rotated since the run began.
        seed = load_seed(layout)
        stored = read_credential(layout, name)
        if stored is None:
            return False
        now = unseal(layout, seed, stored)
        current = {**now.attributes, **now.current_secrets()}
        kept = {
            key: refreshed[key]
            for key in state_options(now.provider)
            if key in refreshed and current.get(key) == expected.get(key)
        }
        if not kept:
            return False
        save_credential(layout, seed, replace(now, refreshed={**now.refreshed, **kept}))
        return True
