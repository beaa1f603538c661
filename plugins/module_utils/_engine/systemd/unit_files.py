# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Render the units: one template service, and for each task a timer and a drop-in for its service."""

from __future__ import annotations

import os
from types import MappingProxyType
from typing import Any, Dict, List, Mapping, Optional, Sequence

from ..common.errors import EXIT_NOT_NOW
from ..common.layout import Layout
from ..config.seed_binding import HOST, UNBOUND
from ..config.tasks import Task, build_drill, find_path_inside, list_writes, task_to_dict
from ..schedule import schedule as schedules
from ..schedule.oncalendar import to_oncalendar
from .unit_names import HELPER_SOCKET_NAME, WATCH_TIMER_NAME, name_service

HEAD = "# Written by skyhaul.cloudsync. Changes are overwritten.\n"
STOP_SECONDS = 120

# A run transfers files as root, and sends notifications. It needs nothing else, and the drop-in of its task adds only
# what the options of the task require.
SANDBOX = """DevicePolicy=closed
KeyringMode=private
LimitCORE=0
LockPersonality=yes
MemoryDenyWriteExecute=yes
NoNewPrivileges=yes
PrivateDevices=yes
PrivateMounts=yes
PrivateTmp=yes
ProcSubset=pid
ProtectClock=yes
ProtectControlGroups=yes
ProtectHome=read-only
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
ProtectSystem=strict
RemoveIPC=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_NETLINK AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallErrorNumber=EPERM
SystemCallFilter=@system-service landlock_add_rule landlock_create_ruleset landlock_restrict_self
SystemCallFilter=~@privileged @resources
UMask=0077
"""

SERVICE = """[Unit]
Description=Cloud sync task %i
Documentation=https://github.com/skyhaul/cloudsync
Wants=network-online.target cloudsync-helper.socket
After=network-online.target nss-lookup.target cloudsync-helper.socket
# A shell or a playbook may start short runs in any number.
StartLimitIntervalSec=0

[Service]
Type=oneshot
# Outside the sandbox, because it creates the missing folder of a pull. It refuses the start for a slot that passed
# during a run that a user stopped. systemd skips a start without a failure for every other exit code, too. So only
# {not_now} skips it. If the gate fails, the run starts, and reports the cause in a record or as a failed unit.
ExecCondition=+/bin/sh -c '{command} gate %i; test $$? -ne {not_now}'
ExecStart={command} run %i
ExecStopPost=+-{command} sweep %i
# 75: skipped, because the task is already running. 143: stopped.
SuccessExitStatus=75 143
# Only the runner gets the signal to stop. It ends rclone and writes the record.
KillMode=mixed
TimeoutStartSec=infinity
TimeoutStopSec={stop_seconds}
SyslogIdentifier=cloudsync
# Temporary files of rclone. This folder is private to the unit.
Environment=TMPDIR=/var/tmp
# Hooks, mail programs and volume managers run in units of their own, outside of the sandbox.
Environment=CLOUDSYNC_HELPER={helper}
{sandbox}CapabilityBoundingSet=CAP_DAC_OVERRIDE CAP_DAC_READ_SEARCH
ReadWritePaths={writable}
"""

# Its notifications need the seed, which a TPM may protect.
WATCH_SERVICE = """[Unit]
Description=Check for overdue cloud sync runs
Documentation=https://github.com/skyhaul/cloudsync
Wants=network-online.target cloudsync-helper.socket
After=network-online.target nss-lookup.target cloudsync-helper.socket

[Service]
Type=oneshot
# Outside the sandbox, because the directory for metrics can belong to the user of node_exporter. The check then tells
# of a failure.
ExecStartPre=+-{command} publish
ExecStart={command} check --notify
TimeoutStartSec=15min
SyslogIdentifier=cloudsync
Environment=CLOUDSYNC_HELPER={helper}
{sandbox}CapabilityBoundingSet=
DeviceAllow=/dev/tpmrm0 rw
PrivateDevices=no
ReadWritePaths={writable}
"""
HELPER_SOCKET = """[Unit]
Description=Start the commands of cloud sync tasks
Documentation=https://github.com/skyhaul/cloudsync

[Socket]
ListenStream={helper}
Accept=yes
DirectoryMode=0700
SocketMode=0600
MaxConnections=1024

[Install]
WantedBy=sockets.target
"""
# Hooks, mail programs and volume managers run without restrictions, as in cron. Background processes of a hook go on.
# A run that a shutdown stops needs its hooks, too, so a shutdown must not prevent their start.
HELPER_SERVICE = """[Unit]
Description=A command of a cloud sync task
Documentation=https://github.com/skyhaul/cloudsync
CollectMode=inactive-or-failed
DefaultDependencies=no

[Service]
Slice=system.slice
ExecStart={command} assist
StandardInput=socket
StandardOutput=socket
StandardError=journal
KillMode=process
SyslogIdentifier=cloudsync
"""
WATCH_TIMER = """[Unit]
Description=Check for overdue cloud sync runs every 15 minutes

[Timer]
OnCalendar=*:0/15
RandomizedDelaySec=5min
FixedRandomDelay=yes
Unit=cloudsync-watch.service

[Install]
WantedBy=timers.target
"""

# A task that uses these folders of all users cannot have private ones.
SHARED = ("/tmp", "/var/tmp")  # noqa: S108
# The flag with which rclone restores owners.
METADATA = "--metadata"

# PrivateDevices= hides the TPM. With these settings all devices are visible, but only the TPM can be opened.
WITH_TPM = ("PrivateDevices=no", "DevicePolicy=closed", "DeviceAllow=/dev/tpmrm0 rw")


def render_service(layout: Layout) -> str:
    """Return the text of the template service, ``cloudsync@.service``."""
    return _render(layout, SERVICE)


def render_common_units(layout: Layout) -> Dict[str, str]:
    """Return path and text of the units that check for overdue runs, and of those that run the commands of tasks."""
    texts = {
        "cloudsync-watch.service": WATCH_SERVICE,
        WATCH_TIMER_NAME: WATCH_TIMER,
        HELPER_SOCKET_NAME: HELPER_SOCKET,
        "cloudsync-helper@.service": HELPER_SERVICE,
    }
    return {f"{layout.unit_dir}/{name}": _render(layout, text) for name, text in texts.items()}


def _render(layout: Layout, text: str) -> str:
    writable = " ".join("-" + path for path in (layout.config_dir, layout.state_dir, layout.log_dir, layout.run_dir))
    return HEAD + text.format(
        command=layout.command,
        not_now=EXIT_NOT_NOW,
        stop_seconds=STOP_SECONDS,
        writable=writable,
        sandbox=SANDBOX,
        helper=layout.run_dir + "/helper",
    )


def render_timer(task: Task) -> Optional[str]:
    """Return the timer of ``task``, None if the task is disabled or has no schedule."""
    if task.timer_schedule is None:
        return None
    schedule = schedules.parse(task.timer_schedule)
    lines = ["[Unit]", f"Description=Schedule of cloud sync task {task.name}", "", "[Timer]"]
    lines += ["OnCalendar=" + spec for spec in to_oncalendar(schedule)]
    lines += [f"Persistent={'yes' if schedule.catch_up else 'no'}", "AccuracySec=1s"]
    if schedule.spread:
        lines += [f"RandomizedDelaySec={schedule.spread}s", "FixedRandomDelay=yes"]
    lines += ["Unit=" + name_service(task.name), "", "[Install]", "WantedBy=timers.target", ""]
    return HEAD + "\n".join(lines)


def render_drop_in(task: Task, provider: str, attributes: Mapping[str, Any]) -> str:
    """Return the drop-in of the task's service: what its options need beyond the sandbox, and its limits.

    ``provider`` and ``attributes`` are those of the task's credential, because a remote can be on this host.
    """
    writes = list_writes(task_to_dict(task), provider, attributes)
    if task.is_drill:
        # A drill removes its folder. In a sandbox, a writable folder is a mount point, which cannot be removed.
        writes = [os.path.dirname(path) for path in writes]
    lines = ["[Service]", *_render_sandbox(task, writes), *_render_limits(task)]
    return HEAD + "\n".join(lines) + "\n"


def render_units(
    task: Task, provider: str = "", attributes: Mapping[str, Any] = MappingProxyType({})
) -> Dict[str, Optional[str]]:
    """Return the task's timer and drop-in, in the shape of install.read_units(). See render_drop_in()."""
    return {"timer": render_timer(task), "drop_in": render_drop_in(task, provider, attributes)}


def render_all_units(
    layout: Layout, task: Task, provider: str = "", attributes: Mapping[str, Any] = MappingProxyType({})
) -> Dict[str, Dict[str, Optional[str]]]:
    """Return render_units() of the task and of its drill, by name."""
    tasks = [task] if task.drill is None else [task, build_drill(layout, task)]
    return {each.name: render_units(each, provider, attributes) for each in tasks}


def render_seed_drop_in(bound: str) -> Optional[str]:
    """Return the drop-in of all services for a ``bound`` seed (one of seed_binding.KINDS), None if not needed."""
    if bound in (UNBOUND, HOST):
        return None
    return HEAD + "\n".join(("[Service]", *WITH_TPM, ""))


def _render_sandbox(task: Task, writes: Sequence[str]) -> List[str]:
    lines = []
    source = [task.restore.source] if task.restore is not None else []
    if any(find_path_inside(shared, path) is not None for shared in SHARED for path in (task.path, *source, *writes)):
        lines += ["PrivateTmp=no", "Environment=TMPDIR="]
    if writes:
        lines.append("CapabilityBoundingSet=CAP_FOWNER")
    if task.user != "root":
        lines += ["CapabilityBoundingSet=CAP_CHOWN CAP_KILL CAP_SETGID CAP_SETUID", "SystemCallFilter=@chown @setuid"]
    elif writes and METADATA in task.rclone_args:
        lines += ["CapabilityBoundingSet=CAP_CHOWN", "SystemCallFilter=@chown"]
    return lines + ["ReadWritePaths=" + _quote("-" + path) for path in writes]


def _quote(text: str) -> str:
    """Return ``text`` as one word of a unit file. Percent signs are specifiers, blanks and quotes would split it."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{escaped}"'


def _render_limits(task: Task) -> List[str]:
    limits = task.limits
    values: Dict[str, str] = {
        "Nice": str(limits.nice) if limits.nice else "",
        "IOWeight": str(limits.io_weight) if limits.io_weight else "",
        "MemoryMax": limits.memory_max,
        "CPUQuota": limits.cpu_quota,
    }
    return [f"{key}={value}" for key, value in values.items() if value]
