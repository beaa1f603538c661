# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Preview 1,000 schedules: ``python preview.py ours|croniter``."""

from __future__ import annotations

import datetime
import sys

import zoneinfo

COUNT, ZONE = 50, "Europe/Berlin"
CRONS = [f"{number % 60} {number % 24} {'*' if number % 3 else 1 + number % 28} * *" for number in range(1000)]


def preview_with_lookup() -> int:
    from ansible.plugins.loader import init_plugin_loader, lookup_loader

    init_plugin_loader()
    lookup = lookup_loader.get("skyhaul.cloudsync.schedule_preview")
    return sum(len(found["runs"]) for found in lookup.run(CRONS, {}, count=COUNT, timezone=ZONE))


def preview_with_croniter() -> int:
    # The loader of Ansible is in both, because every playbook has it already.
    from ansible.plugins.loader import init_plugin_loader
    from croniter import croniter

    init_plugin_loader()
    total = 0
    for cron in CRONS:
        runs = croniter(cron, datetime.datetime.now(zoneinfo.ZoneInfo(ZONE)))
        total += len([runs.get_next(datetime.datetime).isoformat() for _run in range(COUNT)])
    return total


if __name__ == "__main__":
    sys.exit({"ours": preview_with_lookup, "croniter": preview_with_croniter}[sys.argv[1]]() != COUNT * len(CRONS))
