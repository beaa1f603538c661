# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Preview the next runs of a schedule on the host itself."""

from __future__ import annotations

import datetime
from typing import Any, Dict

from ..common.errors import usage_error
from . import schedule as schedules
from .describe import describe
from .next_runs import find_next_runs
from .oncalendar import to_oncalendar


def preview(schedule: schedules.Schedule, count: int) -> Dict[str, Any]:
    """Return the same dict as the lookup ``schedule_preview``, with this host's clock and time zone."""
    if count < 1:
        raise usage_error(f"count is {count}. Use 1 or more.")
    now = datetime.datetime.now(datetime.timezone.utc)
    return {
        "cron": schedule.cron.text,
        "description": describe(schedule),
        "timezone": schedule.timezone,
        "oncalendar": to_oncalendar(schedule),
        "runs": [run.isoformat() for run in find_next_runs(schedule, now, count)],
    }


def format_text(found: Dict[str, Any]) -> str:
    """Return the preview as text: the expression, its description, and each run in its time zone and in UTC."""
    lines = [f"{found['cron']}  {found['description']}", *(f"OnCalendar={line}" for line in found["oncalendar"])]
    for run in found["runs"]:
        moment = datetime.datetime.fromisoformat(run)
        in_utc = moment.astimezone(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
        lines.append(f"{moment.strftime('%a %Y-%m-%d %H:%M %z')}  ({in_utc})")
    return "\n".join(lines)
