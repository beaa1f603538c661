# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Find out whether a run is overdue. The schedule is the reference, so that a timer that never fires is noticed."""

from __future__ import annotations

import datetime
from typing import Any, Mapping, Optional

from . import schedule as schedules
from .next_runs import find_next_runs

GRACE = datetime.timedelta(minutes=10)


def find_overdue_slot(
    schedule: Mapping[str, Any], reference: datetime.datetime, now: datetime.datetime
) -> Optional[datetime.datetime]:
    """Return the slot that should have started a run by ``now``, None if no run is overdue.

    ``reference`` is the start of the last run, or the time when the schedule was installed. The first slot after it is
    overdue when its spread and a grace period of ten minutes have passed.
    """
    parsed = schedules.parse(schedule)
    for slot in find_next_runs(parsed, reference, 1):
        if slot + datetime.timedelta(seconds=parsed.spread) + GRACE < now:
            return slot
    return None
