# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A fleet: the load at midnight, and the work of the control node by the number of hosts."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

import chart
import midnight
from measure import Taken, take
from root import CLONE, PLACE, Root, build_idle_tasks
from rows import IMAGES, Row

MIB = 1024 * 1024
FORKS = 20
TASKS = 20
# A run without a change lasts about a second. It asks S3 twice what the place is, twice for the owner mark, and once
# for a folder with up to 1,000 files.
RUN_REQUESTS = 5
# A playbook with many tasks for a thousand hosts takes too long here. Its time is linear, too.
HOSTS = {"report": (250, 500, 1_000), "preview": (100, 200, 400), "site": (50, 100, 200)}
VARIABLES = {
    "report": {"cloudsync_report_dir": str(PLACE / "report")},
    "preview": {},
    "site": {"cloudsync_rclone_install": "none", "cloudsync_cryptography_package": ""},
}


def bench(root: Root, is_quick: bool) -> Iterator[Row]:
    """Compute the load at midnight. Measure the playbooks with hosts that answer at once."""
    yield from _compute_midnight()
    answers = _record_answers(root)
    part = 10 if is_quick else 1
    took = {name: {count // part: _play(name, count // part, answers) for count in HOSTS[name]} for name in HOSTS}
    if not is_quick:
        _draw_plays(took)
    for name, each in took.items():
        yield _judge(name, each)


def _compute_midnight() -> Iterator[Row]:
    busiest = {spread: midnight.count_busiest(spread) for spread in midnight.SPREADS}
    title = f"{midnight.HOSTS:,} hosts with {midnight.TASKS} tasks at midnight: starts in the busiest second"
    ticks = {float(number): _name_spread(spread) for number, spread in enumerate(busiest)}
    starts = [(float(number), float(count)) for number, count in enumerate(busiest.values())]
    curves = {"starts": starts, "requests": [(place, RUN_REQUESTS * count) for place, count in starts]}
    chart.draw(IMAGES / "midnight.svg", title, "spread", ticks, curves, is_logarithmic=True)
    none, hour = busiest[0], busiest[midnight.HOUR]
    yield Row(
        "midnight",
        f"{midnight.HOSTS:,} hosts with {midnight.TASKS} tasks at midnight, `spread: 1h` (computed)",
        "no `spread`",
        "at most a hundredth",
        f"{hour} starts in the busiest second instead of {none:,}",
        hour / none,
        hour / none <= 0.01,
    )


def _name_spread(seconds: int) -> str:
    if not seconds:
        return "none"
    return f"{seconds // midnight.HOUR}h" if seconds >= midnight.HOUR else f"{seconds // midnight.MINUTE}m"


def _record_answers(root: Root) -> str:
    """Return the path of a file with the answers of a host with 20 tasks to each module of the playbooks."""
    root.declare(build_idle_tasks("fleet", TASKS))
    folder = PLACE / "answers"
    take([*root.build_call("task_info", {}), "--tree", str(folder)], root.environment)
    found = json.loads((folder / "localhost").read_text(encoding="utf-8"))
    # The other parts of the benchmark have declared tasks, too.
    found["tasks"] = [task for task in found["tasks"] if task["name"].startswith("fleet-")]
    answers = {
        "task_info": found,
        "setup": {"ansible_facts": {"ansible_architecture": "x86_64", "ansible_pkg_mgr": "apt", "ansible_env": {}}},
    }
    path = PLACE / "answers.json"
    path.write_text(json.dumps(answers), encoding="utf-8")
    return str(path)


def _play(name: str, count: int, answers: str) -> Taken:
    hosts = {f"host{number:04}": None for number in range(count)}
    variables = {"ansible_connection": "standin", "ansible_python_interpreter": "/usr/bin/python3"}
    inventory = PLACE / "fleet.json"
    inventory.write_text(json.dumps({"all": {"hosts": hosts, "vars": variables}}), encoding="utf-8")
    words = ["ansible-playbook", "-i", str(inventory), f"skyhaul.cloudsync.{name}", "-e", json.dumps(VARIABLES[name])]
    settings = {
        "ANSIBLE_CONNECTION_PLUGINS": str(CLONE / "tests" / "bench" / "connection_plugins"),
        "ANSIBLE_PIPELINING": "true",
        "ANSIBLE_FORKS": str(FORKS),
        "STANDIN_ANSWERS": answers,
    }
    return take(words, settings)


def _judge(name: str, took: Mapping[int, Taken]) -> Row:
    """Return the row of a playbook. The time is linear if a host takes as long among many as among few."""
    (fewest, first), (most, last) = min(took.items()), max(took.items())
    growth = (last.seconds / most) / (first.seconds / fewest)
    return Row(
        f"play-{name}-{most}",
        f"playbook `{name}` for {most:,} hosts with {TASKS} tasks, the control node alone",
        f"{fewest:,} hosts",
        "at most 1.1 times for each host",
        f"{growth:.2f} times. {last.seconds:.0f} s ({last.seconds / most * 1000:.0f} ms a host), "
        f"{last.memory / MIB:.0f} MiB",
        growth,
        growth <= 1.1,
    )


def _draw_plays(took: Mapping[str, Mapping[int, Taken]]) -> None:
    curves = {name: [(count, each.seconds) for count, each in one.items()] for name, one in took.items()}
    ticks = {float(count): f"{count:,}" for count in (0, *HOSTS["report"])}
    chart.draw(IMAGES / "playbooks.svg", "The work of the control node, in seconds", "hosts", ticks, curves)
