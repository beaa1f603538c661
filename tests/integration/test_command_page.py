# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""docs/command.md shows what the command prints.

After a change of the output, write the page again with CLOUDSYNC_WRITE_PAGE=PATH-OF-THE-PAGE, and look at it.
"""

from __future__ import annotations

import os
import pathlib
import re
import shlex

from harness import write_tree

PAGE = pathlib.Path(__file__).parents[2] / "docs" / "command.md"
BLOCK = re.compile(r"^```console\n# (cloudsync.*)\n((?:.*\n)*?)```$", re.MULTILINE)
RUN_ID = re.compile(r"[0-9]{8}T[0-9]{6}Z-[0-9a-f]{6}")


def prepare(machine, bucket, store):
    """Create a host on which one task succeeds, one fails, one is disabled, and one has never run."""
    base = {"credential": "store", "direction": "push", "mode": "sync"}
    nightly = {"cron": "30 2 * * *", "timezone": "Etc/UTC"}
    tasks = [
        {**base, "name": "www", "schedule": nightly, "drill": {"schedule": {"preset": "weekly"}, "files": 1}},
        {**base, "name": "documents", "schedule": nightly},
        {**base, "name": "mail", "schedule": nightly, "enabled": False},
        {**base, "name": "photos", "mode": "copy"},
    ]
    for task in tasks:
        write_tree(machine.data / task["name"], {"index.html": "It works.\n", "deep/style.css": "body {}\n"})
        task.update(path=str(machine.data / task["name"]), remote_path=f"{bucket.name}/{task['name']}")
    machine.declare([store], tasks)
    machine.run("www")
    machine.run("drill-www")
    machine.run("documents")
    (machine.data / "documents").rename(machine.data / "moved")
    machine.run("documents", 3, "not_found")
    write_tree(machine.data / "www", {"new.html": "New.\n", "index.html": "It still works.\n"})


def read_output(machine, bucket, command):
    """Return what the command prints, with the paths of a real host."""
    answer = machine.cloudsync(*shlex.split(command)[1:], TZ="UTC")
    text = answer.out.replace(str(machine.root), "").replace(bucket.name, "backup").replace(os.uname().nodename, "web1")
    # Where the temporary configuration is depends on the run.
    return re.sub(r"/run/cloudsync/live/\S+", "/run/cloudsync/live/...", text)


def mask(text):
    """Return the lines of ``text`` without what differs from run to run.

    That is times, IDs, numbers, the width of columns, and the order of files that are transferred at the same time.
    """
    known = re.sub(r"\.cloudsync-[0-9a-f]{5}", "SUFFIX", RUN_ID.sub("ID", text))
    return sorted(re.sub(r"[ -]+", " ", re.sub(r"[0-9.]+", "0", line)) for line in known.splitlines())


def test_the_page_shows_what_the_command_prints(machine, bucket, store):
    prepare(machine, bucket, store)
    written = os.environ.get("CLOUDSYNC_WRITE_PAGE")
    page, wrong = PAGE.read_text(encoding="utf-8"), []

    def compare(block):
        output = read_output(machine, bucket, block[1])
        if mask(output) != mask(block[2]):
            wrong.append((output, block[2]))
        return f"```console\n# {block[1]}\n{output}```"

    new = BLOCK.sub(compare, page)
    if written:
        pathlib.Path(written).write_text(new, encoding="utf-8")
        return
    assert len(BLOCK.findall(page)) == 7
    assert wrong == []
    for command in ("cloudsync", "cloudsync history documents"):
        (table,) = [text for words, text in BLOCK.findall(page) if words == command]
        assert max(map(len, table.splitlines())) <= 80
