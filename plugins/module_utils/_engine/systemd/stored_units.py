# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Find the units that are on the host, and those that its stored tasks need."""

from __future__ import annotations

import os
from typing import List

from ..common.files import list_names
from ..common.layout import NAME, Layout
from ..config.credential_store import read_credential
from ..config.seed import Seed
from ..config.task_store import load_task
from .install import UnitChange, plan_units
from .unit_files import render_all_units
from .unit_names import locate_drop_in, locate_enabled_link, locate_timer, name_service


def list_names_with_units(layout: Layout) -> List[str]:
    """Return the names of the tasks and drills that have a timer, a link to one, or a drop-in."""
    start = name_service("").partition(".")[0]
    units = [*list_names(layout.unit_dir, ".timer"), *list_names(layout.unit_dir, ".service.d")]
    units += list_names(layout.unit_dir + "/timers.target.wants", ".timer")
    names = {unit[len(start) :] for unit in units if unit.startswith(start)}
    locate = (locate_timer, locate_enabled_link, locate_drop_in)
    return sorted(
        name for name in names if NAME.match(name) and any(os.path.lexists(each(layout, name)) for each in locate)
    )


def plan_stored_units(layout: Layout, seed: Seed, name: str) -> List[UnitChange]:
    """Return what has to change, so that the stored task ``name`` and its drill have their units."""
    task = load_task(layout, seed, name)
    credential = read_credential(layout, task.credential) or {"provider": "", "attributes": {}}
    wanted = render_all_units(layout, task, credential["provider"], credential["attributes"])
    return plan_units(layout, name, wanted)
