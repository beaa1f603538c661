# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""The paths of all files and directories on a host."""

from __future__ import annotations

import os
import re
from typing import Mapping, NamedTuple

from .errors import usage_error

NAME = re.compile(r"\A[A-Za-z0-9][A-Za-z0-9._-]{0,62}\Z")
LONGEST_NAME = 63
# A drill is a task of its own, whose name begins with it.
DRILL = "drill-"


def check_name(kind: str, name: str) -> str:
    """Return ``name`` if it is valid for a credential or task (``kind``): it becomes a file name and a unit name."""
    if not isinstance(name, str) or not NAME.match(name):
        raise usage_error(
            f"{kind.capitalize()} name {name!r} is invalid. Use 1 to 63 letters, digits, '.', '_' and '-', beginning "
            "with a letter or digit."
        )
    return name


class Layout(NamedTuple):
    """The paths of a host. ``root`` is empty on a real host. ``CLOUDSYNC_ROOT`` puts all paths below another root."""

    root: str = ""

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Layout:
        """Return the layout below ``CLOUDSYNC_ROOT``, or that of the real host."""
        root = environ.get("CLOUDSYNC_ROOT", "").rstrip("/")
        if root and not os.path.isabs(root):
            raise usage_error(f"CLOUDSYNC_ROOT is {root!r}. Use an absolute path.")
        return cls(root)

    @property
    def is_real_host(self) -> bool:
        """Whether systemd may be used. It may not be under CLOUDSYNC_ROOT."""
        return not self.root

    @property
    def config_dir(self) -> str:
        return self.root + "/etc/cloudsync"

    @property
    def seed(self) -> str:
        return self.config_dir + "/seed"

    @property
    def credentials_dir(self) -> str:
        return self.config_dir + "/credentials"

    def credential(self, name: str) -> str:
        return f"{self.credentials_dir}/{check_name('credential', name)}.json"

    @property
    def tasks_dir(self) -> str:
        return self.config_dir + "/tasks"

    @property
    def purged_dir(self) -> str:
        return self.config_dir + "/purged"

    def task(self, name: str) -> str:
        return f"{self.tasks_dir}/{check_name('task', name)}.json"

    def build_onetime_task(self, name: str) -> str:
        """Return the path of the task of a one-time run. The next boot removes it."""
        return f"{self.run_dir}/onetime/{check_name('task', name)}.json"

    @property
    def state_dir(self) -> str:
        return self.root + "/var/lib/cloudsync"

    def task_state_dir(self, task: str) -> str:
        return f"{self.state_dir}/{check_name('task', task)}"

    def drill_scratch(self, task: str, parent: str) -> str:
        """Return the folder in which the drill of ``task`` restores files: in ``parent``, or if it is empty, here."""
        return f"{parent}/.cloudsync-{DRILL}{task}" if parent else f"{self.task_state_dir(DRILL + task)}/scratch"

    @property
    def machine_id(self) -> str:
        return self.root + "/etc/machine-id"

    @property
    def former_hosts(self) -> str:
        """The hosts that this one replaces. No task can have that name, because it begins with a dot."""
        return self.state_dir + "/.former-hosts"

    @property
    def log_dir(self) -> str:
        return self.root + "/var/log/cloudsync"

    def task_log_dir(self, task: str) -> str:
        return f"{self.log_dir}/{check_name('task', task)}"

    @property
    def run_dir(self) -> str:
        return self.root + "/run/cloudsync"

    @property
    def unit_dir(self) -> str:
        return self.root + "/etc/systemd/system"

    @property
    def command(self) -> str:
        return self.root + "/usr/local/bin/cloudsync"

    @property
    def engine_dir(self) -> str:
        return self.root + "/usr/local/lib/cloudsync"

    @property
    def current_engine(self) -> str:
        """The link to the engine that the command runs."""
        return self.engine_dir + "/current"

    @property
    def rclone_link(self) -> str:
        """The link to the rclone that the ``runner`` role installed or was configured with. Without it, use PATH."""
        return self.engine_dir + "/rclone"

    @property
    def textfile_link(self) -> str:
        """The link to the directory of node_exporter's textfile collector. Without it, no metrics are written."""
        return self.engine_dir + "/textfile"
