# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Upgrade the objects that an older version stored without a code.

An object without a code is accepted only while the seed says that there may be such objects. After all of them were
upgraded, an edited object cannot pass as an old one.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Any, Callable, Tuple

from ..common.errors import CloudsyncError, Damaged
from ..common.layout import Layout
from .credential_store import list_credentials, read_credential, save_credential, unseal
from .seed import CODE_SCHEMA, Seed, read_seed, save_seed
from .stored_tasks import list_onetimes, list_tasks, read_onetime, read_task
from .task_store import save_onetime, save_task, unseal_task

KINDS: Tuple[Tuple[Callable[..., Any], ...], ...] = (
    (list_credentials, read_credential, unseal, save_credential),
    (list_tasks, read_task, unseal_task, save_task),
    (list_onetimes, read_onetime, unseal_task, save_onetime),
)


def upgrade_objects(layout: Layout, seed: Seed) -> Seed:
    """Add codes to the objects without one. Return the seed, which is changed if all objects have codes now.

    An object that cannot be decrypted is not changed. The caller holds credential_store.store_lock().
    """
    if seed.has_codes:
        return seed
    complete = True
    for list_all, read, open_stored, save in KINDS:
        for name in list_all(layout):
            try:
                stored = read(layout, name)
                if stored is not None and stored["schema"] < CODE_SCHEMA:
                    save(layout, seed, open_stored(layout, seed, stored))
            except CloudsyncError:
                complete = False
    if complete:
        seed = replace(seed, has_codes=True)
        save_seed(layout, seed)
    return seed


def upgrade_store(layout: Layout) -> None:
    """Upgrade the objects of an older version, if the seed can be read. The caller holds store_lock()."""
    with suppress(Damaged):
        seed = read_seed(layout)
        if seed is not None:
            upgrade_objects(layout, seed)
