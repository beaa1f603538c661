# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Render the units: one template service, and for each task a timer and a drop-in for its service."""

from __future__ import annotations

from typing import Dict, List, Optional

from ..common.errors import EXIT_NOT_NOW
from ..common.layout import Layout
from ..config.seed_binding import HOST, UNBOUND
from ..config.tasks import MOVE, Task
from ..notify.targets import parse_target
from ..schedule import schedule as schedules
from ..schedule.oncalendar import to_oncalendar
from .unit_names import WATCH_TIMER_NAME, name_service

HEAD = "# Written by skyhaul.cloudsync. Changes are overwritten.\n"
STOP_SECONDS = 120

SERVICE = """[Unit]
Description=Cloud sync task %i
Documentation=https://github.com/skyhaul/cloudsync
Wants=network-online.target
After=network-online.target nss-lookup.target

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
UMask=0022

CapabilityBoundingSet=CAP_CHOWN CAP_DAC_OVERRIDE CAP_DAC_READ_SEARCH CAP_FOWNER CAP_KILL CAP_SETGID CAP_SETUID
LockPersonality=yes
NoNewPrivileges=yes
PrivateDevices=yes
PrivateTmp=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectSystem=strict
ReadWritePaths={writable}
RestrictAddressFamilies=AF_INET AF_INET6 AF_NETLINK AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
"""

# Less restricted than a run, because notifications send mail and start units. It does not access data of tasks.
WATCH_SERVICE = """[Unit]
Description=Check for overdue cloud sync runs
Documentation=https://github.com/skyhaul/cloudsync
Wants=network-online.target
After=network-online.target nss-lookup.target

[Service]
Type=oneshot
ExecStart={command} check --notify
TimeoutStartSec=15min
SyslogIdentifier=cloudsync
ProtectControlGroups=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectSystem=full
ReadWritePaths=-{config}
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

# Hooks, sendmail and snapshots run the operator's own commands, without restrictions, as in cron.
UNCONFINED = (
    "CapabilityBoundingSet=~",
    "DeviceAllow=",
    "DevicePolicy=auto",
    "NoNewPrivileges=no",
    "PrivateDevices=no",
    "PrivateTmp=no",
    "ProtectClock=no",
    "ProtectControlGroups=no",
    "ProtectHostname=no",
    "ProtectKernelLogs=no",
    "ProtectKernelModules=no",
    "ProtectKernelTunables=no",
    "ProtectSystem=no",
    "RestrictAddressFamilies=",
    "RestrictNamespaces=no",
    "RestrictSUIDSGID=no",
)


# PrivateDevices= hides the TPM. With these settings all devices are visible, but only the TPM can be opened.
WITH_TPM = ("PrivateDevices=no", "DevicePolicy=closed", "DeviceAllow=/dev/tpmrm0 rw")


def render_service(layout: Layout) -> str:
    """Return the text of the template service, ``cloudsync@.service``."""
    writable = " ".join("-" + path for path in (layout.config_dir, layout.state_dir, layout.log_dir, layout.run_dir))
    return HEAD + SERVICE.format(
        command=layout.command, not_now=EXIT_NOT_NOW, stop_seconds=STOP_SECONDS, writable=writable
    )


def render_watch_units(layout: Layout) -> Dict[str, str]:
    """Return path and text of the two units that check for overdue runs."""
    return {
        f"{layout.unit_dir}/cloudsync-watch.service": HEAD
        + WATCH_SERVICE.format(command=layout.command, config=layout.config_dir),
        f"{layout.unit_dir}/{WATCH_TIMER_NAME}": HEAD + WATCH_TIMER,
    }


def render_timer(task: Task) -> Optional[str]:
    """Return the timer of ``task``, None if the task is disabled or has no schedule."""
    if not task.enabled or task.schedule is None:
        return None
    schedule = schedules.parse(task.schedule)
    lines = ["[Unit]", f"Description=Schedule of cloud sync task {task.name}", "", "[Timer]"]
    lines += ["OnCalendar=" + spec for spec in to_oncalendar(schedule)]
    lines += [f"Persistent={'yes' if schedule.catch_up else 'no'}", "AccuracySec=1s"]
    if schedule.spread:
        lines += [f"RandomizedDelaySec={schedule.spread}s", "FixedRandomDelay=yes"]
    lines += ["Unit=" + name_service(task.name), "", "[Install]", "WantedBy=timers.target", ""]
    return HEAD + "\n".join(lines)


def render_drop_in(task: Task) -> str:
    """Return the drop-in of the task's service: writable paths, limits, and no sandbox if the task runs commands."""
    lines = ["[Service]", *_render_sandbox(task), *_render_limits(task)]
    return HEAD + "\n".join(lines) + "\n"


def render_units(task: Task) -> Dict[str, Optional[str]]:
    """Return the task's timer and drop-in, in the shape of install.read_units()."""
    return {"timer": render_timer(task), "drop_in": render_drop_in(task)}


def render_seed_drop_in(bound: str) -> Optional[str]:
    """Return the drop-in of all services for a ``bound`` seed (one of seed_binding.KINDS), None if not needed."""
    if bound in (UNBOUND, HOST):
        return None
    return HEAD + "\n".join(("[Service]", *WITH_TPM, ""))


def _render_sandbox(task: Task) -> List[str]:
    mails = any(parse_target(target).kind == "mail" for target in task.notify)
    if task.hooks.has_any() or task.snapshot != "none" or mails:
        return list(UNCONFINED)
    writes = [task.path] if not task.is_push or task.mode == MOVE else []
    if task.keep_deleted is not None and not task.is_push:
        writes.append(task.keep_deleted.path)
    return ["ReadWritePaths=" + _quote("-" + path) for path in writes]


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
