# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""The moment of ``at``: a time, or the ID of a run."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import NamedTuple

from ..common.errors import usage_error
from ..common.text import parse_time
from .manifest import is_run_id


class Moment(NamedTuple):
    """``stamp`` sorts among the IDs of runs: after those that began by then. ``time`` is aware, in UTC."""

    stamp: str
    time: datetime


def read_start(run: str) -> datetime:
    """Return when the run with the ID ``run`` began, to the microsecond. See records.make_run_id()."""
    stamp, _dash, rest = run.partition("-")
    began = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc)
    return began + timedelta(microseconds=int(rest[:5], 16))


def parse_moment(text: str) -> Moment:
    """Return the moment in ``text``: ISO 8601 (without a zone: that of this host), or the ID of a run.

    A time to the second includes the runs that began in that second, because records show no more.
    """
    if is_run_id(text):
        return Moment(text, read_start(text))
    try:
        found = parse_time(text).astimezone(timezone.utc)
    except ValueError:
        raise usage_error(
            f"at is {text!r}. Use a time such as 2027-01-31T02:30:00+01:00, or the ID of a past run."
        ) from None
    if found > datetime.now(timezone.utc):
        raise usage_error(f"at is {text}, which is in the future. Use a time in the past, or the ID of a run.")
    end = f"{found.microsecond:05x}~" if found.microsecond else "~"
    return Moment(found.strftime("%Y%m%dT%H%M%SZ-") + end, found)
