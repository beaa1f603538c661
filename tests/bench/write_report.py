# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write the report of packed answers, as the role does after all hosts have answered.

usage: write_report.py COLLECTIONS ANSWERS FOLDER
"""

from __future__ import annotations

import datetime
import json
import pathlib
import sys


def main() -> None:
    collections, answers, folder = sys.argv[1:]
    sys.path.insert(0, collections)
    from ansible_collections.skyhaul.cloudsync.plugins.plugin_utils._report.answers import unpack_answer
    from ansible_collections.skyhaul.cloudsync.plugins.plugin_utils._report.files import write_report
    from ansible_collections.skyhaul.cloudsync.plugins.plugin_utils._report.fleet import build_fleet

    with open(answers, encoding="utf-8") as stream:
        found = [json.loads(line) for line in stream]
    now = datetime.datetime.now(datetime.timezone.utc)
    fleet = build_fleet(((host, unpack_answer(answer)) for host, answer in found), now)
    write_report(fleet, "Cloud sync", pathlib.Path(folder))


if __name__ == "__main__":
    main()
