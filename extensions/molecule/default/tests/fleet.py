# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The test hosts: run commands, and read run records and timers of a host with systemd."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any, TypeVar

PODMAN = os.environ.get("MOLECULE_PODMAN_EXECUTABLE", "podman")
UNFINISHED = ("waiting", "running")
MINUTE = timedelta(minutes=1)
Seen = TypeVar("Seen")


def call(*command: str, check: bool = True, timeout: float = 180, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Run a command on this machine. A failure raises an error with its complete output."""
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=timeout, check=False)
    if check and done.returncode:
        raise AssertionError(f"{shlex.join(command)} exited {done.returncode}:\n{done.stdout}{done.stderr}")
    return done


def wait_until(look: Callable[[], Seen], what: str, seconds: float) -> Seen:
    """Call ``look()`` once a second until its result is true, and return that."""
    end = time.monotonic() + seconds
    while True:
        seen = look()
        if seen:
            return seen
        if time.monotonic() > end:
            raise AssertionError(f"timed out after {seconds:.0f} s: {what}. Last result: {seen!r}")
        time.sleep(1)


def now() -> datetime:
    """Return the time. The hosts share the clock of this machine."""
    return datetime.now(timezone.utc)


def slot_before(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0)


def wait_for_second(first: int, last: int) -> None:
    """Sleep until the second of the minute is in this range, so that there is time before the next minute."""
    while not first <= now().second <= last:
        time.sleep(0.5)


@dataclass(frozen=True)
class Run:
    """A run record, read from the disk of the host."""

    content: dict[str, Any]

    def __getattr__(self, name: str) -> Any:
        return self.content[name]

    @property
    def began(self) -> datetime:
        return datetime.fromisoformat(self.content["started"].replace("Z", "+00:00"))


class Host:
    """A host of the fleet."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return self.name

    def run(self, *command: str, check: bool = True, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return call(PODMAN, "exec", "--interactive", self.name, *command, check=check, stdin=stdin)

    def shell(self, text: str) -> str:
        return self.run("sh", "-c", text).stdout

    def tree(self, path: str) -> dict[str, str]:
        """Return the regular files below ``path``, without marks of the collection: relative path to SHA-256."""
        found = f"cd {path} && find . -type f ! -name '.cloudsync-*' -exec sha256sum {{}} +"
        lines = self.shell(found).splitlines()
        return {name: digest for digest, name in (line.split("  ", 1) for line in lines)}

    def runs(self, task: str) -> list[Run]:
        """Return the records of a task from the disk, oldest first."""
        texts = self.shell(f"cat /var/lib/cloudsync/{task}/runs/*.json 2>/dev/null || true")
        decoder, contents, at = json.JSONDecoder(), [], 0
        while at < len(texts.rstrip()):
            content, at = decoder.raw_decode(texts, at)
            contents.append(content)
            at += len(texts[at:]) - len(texts[at:].lstrip())
        return sorted((Run(content) for content in contents), key=lambda run: run.id)

    def runs_since(self, task: str, moment: datetime) -> list[Run]:
        return [run for run in self.runs(task) if run.began >= moment.replace(microsecond=0)]

    def is_active(self, task: str) -> bool:
        return self.unit(task, "ActiveState") in ("active", "activating", "deactivating")

    def unit(self, task: str, key: str) -> str:
        """Return a property of the service of a task from systemd."""
        return self.run("systemctl", "show", "--property", key, "--value", f"cloudsync@{task}.service").stdout.strip()

    def timer(self, task: str) -> tuple[datetime, datetime]:
        """Return the next start of the timer according to systemd, including the random delay, and the last start."""
        listed = json.loads(self.run("systemctl", "list-timers", "--all", "--output=json").stdout)
        (row,) = (row for row in listed if row["unit"] == f"cloudsync@{task}.timer")
        return tuple(datetime.fromtimestamp((row[key] or 0) / 1e6, timezone.utc) for key in ("next", "last"))

    def task(self, name: str) -> dict[str, Any]:
        """Return the task as the inventory declares it for this host."""
        (task,) = (task for task in variable(self.name, "cloudsync_tasks") if task["name"] == name)
        return task

    def declare(self, task: str, /, **changes: Any) -> bool:
        """Apply the task with some changed options, and return ``changed`` of the result."""
        options = {key: value for key, value in {**self.task(task), **changes}.items() if value is not None}
        answer = ansible(self.name, "skyhaul.cloudsync.task", options)
        return bool(answer["changed"])


def ansible(host: str, module: str, options: dict[str, Any], **variables: Any) -> dict[str, Any]:
    """Call a module on a host, and return its result."""
    with tempfile.TemporaryDirectory() as results:
        call(
            *("ansible", host, "--inventory", os.environ["FLEET_INVENTORY"], "--tree", results),
            *("--module-name", module, "--args", json.dumps(options), "--extra-vars", json.dumps(variables)),
        )
        with open(f"{results}/{host}") as result:
            return json.load(result)


def preview(schedules: list[Any], start: datetime) -> list[dict[str, Any]]:
    """Return the result of the lookup schedule_preview on the control node, for hosts in UTC."""
    lookup = "query('skyhaul.cloudsync.schedule_preview', *schedules, count=1, start=start, timezone='UTC')"
    options = {"msg": "{{ " + lookup + " }}"}
    start_text = start.isoformat(timespec="seconds")
    return ansible("localhost", "ansible.builtin.debug", options, schedules=schedules, start=start_text)["msg"]


def variable(host: str, name: str) -> Any:
    """Return a variable of the inventory for ``host``, from the file that verify.yml wrote."""
    with open(f"{os.environ['FLEET_VARIABLES']}/{host}.json") as variables:
        return json.load(variables)[name]
