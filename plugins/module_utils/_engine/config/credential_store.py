# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Read and write credentials in /etc/cloudsync, under one lock, with secrets encrypted."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from ..common.errors import CloudsyncError, Edited, usage_error
from ..common.files import list_names, make_directory, read_object, remove, write_json
from ..common.flock import Lock, wait_lock
from ..common.layout import Layout, check_name
from ..rclone.providers.traits import list_state_options
from ..rclone.providers.truenas_names import normalize_name
from .credentials import SCHEMA, STORED, Credential, build_stored_view
from .seed import Place, Seed, load_seed

KIND = "credential"


def list_credentials(layout: Layout) -> List[str]:
    """Return the names of the stored credentials."""
    return list_names(layout.credentials_dir)


def read_credential(layout: Layout, name: str) -> Optional[Dict[str, Any]]:
    """Return the stored form (ciphertexts, as in the file), None if the credential does not exist."""
    stored = read_object(layout.credential(name), SCHEMA, KIND, name, STORED)
    if stored is None or stored["schema"] == SCHEMA:
        return stored
    return {**stored, "provider": normalize_name(str(stored["provider"]))}


def load_credential(layout: Layout, seed: Seed, name: str) -> Credential:
    """Return the stored credential, decrypted. Raise a usage error if it does not exist."""
    stored = read_credential(layout, name)
    if stored is None:
        known = ", ".join(list_credentials(layout)) or "none"
        raise usage_error(f"Credential {name} does not exist on this host. Existing credentials: {known}.")
    return unseal(layout, seed, stored)


def unseal(layout: Layout, seed: Seed, stored: Mapping[str, Any]) -> Credential:
    """Return the credential in the stored form, decrypted. Raise Edited if it is not as it was stored."""
    path = layout.credential(stored["name"])
    return seed.open_object(KIND, path, stored, lambda: decrypt_unchecked(layout, seed, stored))


def decrypt_unchecked(layout: Layout, seed: Seed, stored: Mapping[str, Any]) -> Credential:
    """Return the credential in the stored form, of which only the secrets are authentic."""
    name = stored["name"]

    def opened(group: str) -> Dict[str, str]:
        return {key: seed.decrypt(text, _locate(layout, name, group, key)) for key, text in stored[group].items()}

    return Credential(
        name,
        stored["provider"],
        stored["description"],
        stored["attributes"],
        opened("secrets"),
        opened("refreshed"),
    )


def open_readable(layout: Layout, seed: Seed, stored: Optional[Mapping[str, Any]]) -> Optional[Credential]:
    """Return unseal(), without the secrets if they cannot be decrypted. A run reports that. None for None."""
    if stored is None:
        return None
    try:
        return unseal(layout, seed, stored)
    except CloudsyncError:
        return Credential(stored["name"], stored["provider"], stored["description"], stored["attributes"])


def load_former(layout: Layout, seed: Seed, wanted: Credential) -> Tuple[Optional[Credential], bool]:
    """Return the credential that ``wanted`` replaces, None if it does not exist, and whether it was edited.

    Of an edited one, only values that the seed authenticates are returned: secrets, and refreshed values of them.
    """
    stored = read_credential(layout, wanted.name)
    if stored is None:
        return None, False
    try:
        return unseal(layout, seed, stored), False
    except Edited:
        found = decrypt_unchecked(layout, seed, stored)
        refreshed = {key: value for key, value in found.refreshed.items() if key in found.secrets}
        return Credential(wanted.name, wanted.provider, secrets=found.secrets, refreshed=refreshed), True


def _locate(layout: Layout, name: str, group: str, key: str) -> Place:
    return Place(KIND, name, f"{group}.{key}", layout.credential(name))


def seal(layout: Layout, seed: Seed, credential: Credential) -> Dict[str, Any]:
    """Return the stored form, with every secret encrypted and a code."""

    def sealed(group: str, values: Mapping[str, str]) -> Dict[str, str]:
        return {key: seed.encrypt(text, _locate(layout, credential.name, group, key)) for key, text in values.items()}

    content = {
        "schema": SCHEMA,
        "name": credential.name,
        "provider": credential.provider,
        "description": credential.description,
        "attributes": dict(credential.attributes),
        "secrets": sealed("secrets", credential.secrets),
        "refreshed": sealed("refreshed", credential.refreshed),
    }
    return seed.add_code(KIND, content)


def list_public_views(layout: Layout, name: Optional[str]) -> List[Dict[str, Any]]:
    """Return the public views of all credentials, or of ``name`` only. Empty if it does not exist."""
    names = [check_name("credential", name)] if name else list_credentials(layout)
    stored = [read_credential(layout, each) for each in names]
    return [build_stored_view(each) for each in stored if each is not None]


def store_lock(layout: Layout) -> Lock:
    """Return the lock to hold while stored objects are read, changed and written."""
    return wait_lock(layout.run_dir + "/locks/store")


def save_credential(layout: Layout, seed: Seed, credential: Credential) -> None:
    """Write the credential. The caller holds store_lock()."""
    make_directory(layout.config_dir)
    make_directory(layout.credentials_dir)
    write_json(layout.credential(credential.name), seal(layout, seed, credential))


def remove_credential(layout: Layout, name: str) -> None:
    """Remove the credential. The caller holds store_lock() and has checked that no task uses it."""
    remove(layout.credential(name))


def save_refreshed(
    layout: Layout, name: str, expected: Sequence[Mapping[str, str]], refreshed: Mapping[str, str]
) -> bool:
    """Save the configuration values that rclone refreshed. Return whether anything was written.

    ``expected``: all values that the use of the credential has begun with or saved. A stored value that is not among
    them was declared again since then, and is kept. A removed credential stays removed.
    """
    with store_lock(layout):
        # Read again: the seed may have been rotated since the run began.
        seed = load_seed(layout)
        stored = read_credential(layout, name)
        if stored is None:
            return False
        now = unseal(layout, seed, stored)
        current = {**now.attributes, **now.merge_secrets()}
        kept = {
            key: refreshed[key]
            for key in list_state_options(now.provider)
            if key in refreshed
            and current.get(key) != refreshed[key]
            and any(current.get(key) == values.get(key) for values in expected)
        }
        if not kept:
            return False
        save_credential(layout, seed, replace(now, refreshed={**now.refreshed, **kept}))
        return True
