# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Provide the argument specs that more than one module uses."""

from __future__ import annotations

from typing import Any, Dict

Spec = Dict[str, Dict[str, Any]]


def build_credential_spec() -> Spec:
    """Return the options of a credential."""
    return {
        "name": {"type": "str", "required": True},
        "provider": {"type": "str"},
        "attributes": {"type": "dict"},
        "secrets": {"type": "dict", "no_log": True},
        "description": {"type": "str"},
    }


def build_schedule_spec() -> Spec:
    """Return the options of a schedule."""
    return {
        "preset": {"type": "str", "choices": ["hourly", "daily", "weekly", "monthly"]},
        "cron": {"type": "str"},
        "minute": {"type": "str"},
        "hour": {"type": "str"},
        "day": {"type": "str"},
        "month": {"type": "str"},
        "weekday": {"type": "str"},
        "timezone": {"type": "str"},
        "begin": {"type": "str"},
        "end": {"type": "str"},
        "spread": {"type": "str"},
        "catch_up": {"type": "bool"},
    }


def build_task_spec() -> Spec:
    """Return the options of a stored task."""
    return {
        "name": {"type": "str", "required": True},
        "description": {"type": "str"},
        "schedule": {"type": "dict", "options": build_schedule_spec()},
        "enabled": {"type": "bool"},
        "drill": {
            "type": "dict",
            "options": {
                "schedule": {"type": "dict", "options": build_schedule_spec()},
                "files": {"type": "str"},
                "max_bytes": {"type": "str"},
                "scratch": {"type": "str"},
            },
        },
        "shard": {
            "type": "dict",
            "options": {"index": {"type": "int", "required": True}, "count": {"type": "int", "required": True}},
        },
        **build_transfer_spec(),
    }


def build_transfer_spec() -> Spec:
    """Return the options of a transfer.

    No option has a default here, because ``reverse_of`` must distinguish a set option from an omitted one. The engine
    applies the defaults.
    """
    return {
        "credential": {"type": "str"},
        "direction": {"type": "str", "choices": ["push", "pull"]},
        "mode": {"type": "str", "choices": ["sync", "copy", "move"]},
        "path": {"type": "str"},
        "remote_path": {"type": "str"},
        "provider_options": {"type": "dict"},
        "include": {"type": "list", "elements": "str"},
        "exclude": {"type": "list", "elements": "str"},
        "bandwidth": {
            "type": "list",
            "elements": "dict",
            "options": {"time": {"type": "str", "required": True}, "limit": {"type": "str", "required": True}},
        },
        "transfers": {"type": "int"},
        "follow_symlinks": {"type": "bool"},
        "create_empty_dirs": {"type": "bool"},
        "encryption": {"type": "dict", "options": build_encryption_spec()},
        "snapshot": {"type": "str", "choices": ["none", "auto", "zfs", "btrfs", "lvm"]},
        "guards": {"type": "dict", "options": _build_guards_spec()},
        "keep_deleted": {
            "type": "dict",
            "options": {"path": {"type": "str", "required": True}, "days": {"type": "int"}},
        },
        "hooks": {"type": "dict", "options": _build_hooks_spec()},
        "on_overlap": {"type": "str", "choices": ["skip", "wait"]},
        "limits": {"type": "dict", "options": _build_limits_spec()},
        "retries": {"type": "int"},
        "verify_after": {"type": "str", "choices": ["none", "size", "checksum"]},
        "notify": {"type": "list", "elements": "str", "no_log": True},
        "rclone_args": {"type": "list", "elements": "str"},
        "user": {"type": "str"},
        "reverse_of": {"type": "str"},
    }


def build_encryption_spec() -> Spec:
    """Return the options of rclone crypt."""
    return {
        "password": {"type": "str", "required": True, "no_log": True},
        "salt": {"type": "str", "no_log": True},
        "filenames": {"type": "str", "choices": ["standard", "obfuscate", "off"]},
        "directory_names": {"type": "bool"},
    }


def _build_guards_spec() -> Spec:
    return {
        "empty_source": {"type": "str", "choices": ["refuse", "allow"]},
        "mounted": {"type": "path"},
        "marker": {"type": "str"},
        "allow_root": {"type": "bool"},
        "max_delete": {"type": "str"},
        "owner": {"type": "str", "choices": ["refuse", "allow"]},
    }


def _build_hooks_spec() -> Spec:
    return {
        "before": {"type": "str"},
        "success": {"type": "str"},
        "failure": {"type": "str"},
        "always": {"type": "str"},
        "timeout": {"type": "str"},
    }


def _build_limits_spec() -> Spec:
    return {
        "max_duration": {"type": "str"},
        "max_stall": {"type": "str"},
        "nice": {"type": "int"},
        "io_weight": {"type": "int"},
        "memory_max": {"type": "str"},
        "cpu_quota": {"type": "str"},
    }
