# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Find out whether a run is overdue. The schedule is the reference, so that a timer that never fires is noticed."""

from __future__ import annotations

import datetime
from typing import List, Optional

from .next_runs import find_next_runs
from .schedule import Schedule

GRACE = datetime.timedelta(minutes=10)
# An active run delays the slots that fall into it. Some delay is normal, if a run now and then takes longer.
ACTIVE_SLOTS = 3
ACTIVE_TIME = datetime.timedelta(hours=1)
MOST_SLOTS = 100


def find_overdue_slot(
    schedule: Schedule, reference: datetime.datetime, now: datetime.datetime
) -> Optional[datetime.datetime]:
    """Return the slot that should have started a run by ``now``, None if no run is overdue.

    ``reference`` is the start of the last run, or the time when the schedule was installed. The first slot after it is
    overdue when its spread and a grace period of ten minutes have passed.
    """
    return next(iter(_list_passed(schedule, reference, now, 1)), None)


def list_swallowed_slots(
    schedule: Schedule, started: datetime.datetime, now: datetime.datetime
) -> List[datetime.datetime]:
    """Return the slots that a run that is active since ``started`` kept from starting, at most MOST_SLOTS.

    The list is empty while the run has been active for less than an hour, or less than three slots.
    """
    if now - started < ACTIVE_TIME:
        return []
    passed = _list_passed(schedule, started, now, MOST_SLOTS)
    return passed if len(passed) >= ACTIVE_SLOTS else []


def _list_passed(
    schedule: Schedule, reference: datetime.datetime, now: datetime.datetime, count: int
) -> List[datetime.datetime]:
    latest = now - GRACE - datetime.timedelta(seconds=schedule.spread)
    return [slot for slot in find_next_runs(schedule, reference, count) if slot < latest]
