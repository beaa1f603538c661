# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.


"""Turn a cloud sync task of TrueNAS into a task."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from typing import Any, Dict, List, Mapping, Optional, Tuple

from ...module_utils._engine.common.errors import CloudsyncError
from ...module_utils._engine.config.task_checks import check_bandwidth
from ...module_utils._engine.rclone.providers.flags import check_arguments
from ...module_utils._engine.rclone.providers.traits import is_bucket_based
from ...module_utils._engine.rclone.providers.truenas_names import get_rclone_name
from ...module_utils._engine.schedule import schedule as schedules
from .checking import Providers, add_task
from .findings import ALL_OF_IT, Findings, Names, Secret
from .truenas_providers import HIDDEN, UNSET, translate_task

# The state of the task, and fields that TrueNAS derives from its path.
NOT_NEEDED = ("id", "job", "locked", "dataset", "relative_path")
FIELDS = {"minute": "minute", "hour": "hour", "dom": "day", "month": "month", "dow": "weekday"}
WINDOW = ("begin", "end")
POOL = re.compile(r"\A/mnt/[^/]+/*\Z")
# TrueNAS excludes these from every push of a whole pool.
POOL_EXCLUDES = tuple(
    pattern for name in ("ix-applications", "ix-apps") for pattern in ("/" + name, "/" + name + "/**")
)
VARIABLE = re.compile(r"\bCLOUD_SYNC_([A-Z0-9_]+)")
VARIABLES = {
    "ID": "CLOUDSYNC_TASK",
    "DESCRIPTION": "CLOUDSYNC_DESCRIPTION",
    "DIRECTION": "CLOUDSYNC_DIRECTION (push or pull, in lower case)",
    "TRANSFER_MODE": "CLOUDSYNC_MODE (sync, copy or move, in lower case)",
    "PATH": "CLOUDSYNC_PATH (the task's own path: no hook runs while there is a snapshot)",
    "BUCKET": "CLOUDSYNC_REMOTE_PATH (bucket and folder)",
    "FOLDER": "CLOUDSYNC_REMOTE_PATH (bucket and folder)",
}
# Flags of TrueNAS's args that have an option here.
LISTS = {"--include": "include", "--exclude": "exclude"}
# Without these flags, a run transfers and deletes the same.
ABOUT_OUTPUT = re.compile(
    r"-[vqP]+|--(verbose|quiet|progress|stats(-.+)?|log-.+|use-json-log|syslog.*|human-readable|no-console)"
)
# Their values may be logins, and rclone_args are public.
HEADERS = ("--header", "--header-download", "--header-upload")


@dataclass(frozen=True)
class Source:
    """An imported credential. ``name`` is empty if its provider is not supported."""

    name: str
    type_name: str
    accepted: bool = False
    skip_region: bool = False


def read_task(
    found: Findings,
    names: Names,
    entry: Mapping[str, Any],
    source: Optional[Source],
    providers: Providers,
    timezone: str,
) -> None:
    """Add the task that ``entry`` describes to ``found``."""
    given = {key: value for key, value in entry.items() if key not in (*NOT_NEEDED, "credentials")}
    title = str(given.pop("description", None) or "")
    about = f"The task {title or entry.get('id')!r}"
    if source is None or not source.name:
        why = "has no credential in the export" if source is None else "has a credential that cannot be imported"
        found.leave_out(about, ALL_OF_IT, entry, why)
        return
    task = _Task(found, about, given, source)
    name = names.choose_for(title, f"task-{entry.get('id')}")
    declared = {"name": name, **({"description": title} if title not in ("", name) else {}), **task.read(timezone)}
    for option, value in given.items():
        found.leave_out(about, option, value, "is not supported")
    if not source.accepted:
        found.need(about, f"its credential {source.name} is refused. Both are in cloudsync_import_refused.")
        found.refused_tasks.append(declared)
    elif task.lost:
        found.need(
            about,
            f"its args {', '.join(task.lost)} cannot be imported. Without them, a run could transfer or delete more "
            "files. Complete the task in cloudsync_import_refused, then move it to cloudsync_tasks.",
        )
        found.refused_tasks.append(declared)
    else:
        add_task(found, declared, get_rclone_name(source.type_name), providers)


class _Task:
    """Read the fields of ``given``, and remove each from it.

    ``lost`` has the flags of args that may restrict the runs and cannot be imported.
    """

    def __init__(self, found: Findings, about: str, given: Dict[str, Any], source: Source) -> None:
        self._found = found
        self._about = about
        self._given = given
        self._source = source
        self.lost: List[str] = []
        self._is_push = str(given.get("direction")) == "PUSH"

    def _take(self, name: str) -> Any:
        return self._given.pop(name, None)

    def read(self, timezone: str) -> Dict[str, Any]:
        """Return the options of the task without its name and description. Options that are not set are omitted."""
        attributes = self._take("attributes") or {}
        place = translate_task(self._found, self._about, self._source.type_name, attributes, self._source.skip_region)
        path = str(self._take("path") or "")
        options: Dict[str, Any] = {
            "credential": self._source.name,
            "direction": str(self._take("direction")).lower(),
            "mode": str(self._take("transfer_mode")).lower(),
            "path": path.rstrip("/") or path,
            "remote_path": place.remote_path,
            "provider_options": dict(place.provider_options),
            "include": list(self._take("include") or ()),
            "exclude": [*(self._take("exclude") or ()), *self._list_pool_excludes(path)],
            "schedule": self._build_schedule(timezone),
            "bandwidth": self._build_bandwidth(),
            "transfers": self._take("transfers"),
            "follow_symlinks": self._take("follow_symlinks"),
            "create_empty_dirs": self._take("create_empty_src_dirs"),
            "encryption": self._build_encryption(),
            "snapshot": "auto" if self._take_snapshot() else None,
            "hooks": self._build_hooks(),
        }
        options["guards"] = self._build_guards(options)
        options["rclone_args"] = self._read_arguments(options)
        kept = {key: value for key, value in options.items() if value or key == "remote_path"}
        if self._given.pop("enabled", True) is False:
            kept["enabled"] = False
        return kept

    def _list_pool_excludes(self, path: str) -> Tuple[str, ...]:
        return POOL_EXCLUDES if self._is_push and POOL.match(path) else ()

    def _build_guards(self, options: Mapping[str, Any]) -> Dict[str, Any]:
        depth = len([part for part in options["remote_path"].split("/") if part])
        if options["mode"] != "sync" or depth >= (2 if is_bucket_based(self._source.type_name) else 1):
            return {}
        self._found.note(
            f"{self._about} syncs with the root of a bucket or remote, as in TrueNAS. Therefore guards.allow_root is "
            "set. A folder in remote_path is safer."
        )
        return {"allow_root": True}

    def _build_schedule(self, timezone: str) -> Optional[Dict[str, Any]]:
        given = dict(self._take("schedule") or {})
        if not given:
            return None
        wanted: Dict[str, Any] = {
            "cron": " ".join(str(given.pop(name, "*") or "*").replace(" ", "") for name in FIELDS),
            **{name: given.pop(name) for name in WINDOW if given.get(name) is not None},
            **({"timezone": timezone} if timezone else {}),
        }
        if (wanted.get("begin"), wanted.get("end")) == ("00:00", "23:59"):
            del wanted["begin"], wanted["end"]
        for name, value in given.items():
            if name not in WINDOW:
                self._found.leave_out(self._about, "schedule." + name, value, "is not supported")
        try:
            wanted["cron"] = schedules.to_dict(schedules.parse(wanted))["cron"]
        except CloudsyncError as error:
            self._found.leave_out(
                self._about,
                "schedule",
                wanted,
                f"cannot be imported, so the task only starts manually. {error.message[:-1]}",
            )
            return None
        return wanted

    def _build_bandwidth(self) -> List[Dict[str, str]]:
        slots = [
            {"time": str(slot.get("time")), "limit": _format_rate(slot.get("bandwidth"))}
            for slot in self._take("bwlimit") or ()
        ]
        try:
            return [{"time": slot.time, "limit": slot.limit} for slot in check_bandwidth(slots)]
        except CloudsyncError as error:
            self._found.leave_out(self._about, "bwlimit", slots, f"cannot be imported. {error.message[:-1]}")
            return []

    def _build_encryption(self) -> Dict[str, Any]:
        is_on, names = self._take("encryption"), self._take("filename_encryption")
        secrets = {option: self._take("encryption_" + option) for option in ("password", "salt")}
        if not is_on:
            for option, value in secrets.items():
                if value not in UNSET and value != HIDDEN:
                    self._found.leave_out(
                        self._about, "encryption_" + option, value, "is not used, because encryption is off"
                    )
            return {}
        given = {
            option: Secret(value if value != HIDDEN else None, self._build_hint("encryption_" + option))
            for option, value in secrets.items()
            if value not in UNSET
        }
        if secrets["salt"] == HIDDEN:
            self._found.need(
                self._about, "TrueNAS did not show its encryption_salt. If it had none, remove salt from encryption."
            )
        return {**given, "filenames": "standard" if names else "off"}

    def _build_hint(self, option: str) -> str:
        return f"{self._about}: TrueNAS did not show its {option}"

    def _take_snapshot(self) -> bool:
        wanted = bool(self._take("snapshot"))
        if wanted:
            self._found.note(
                f"{self._about} takes a snapshot. If its path is not on ZFS, btrfs or LVM, remove the option snapshot, "
                "or its runs fail."
            )
            if self._given.get("pre_script"):
                self._found.note(f"{self._about}: hooks.before runs before the snapshot, not after it.")
        return wanted

    def _build_hooks(self) -> Dict[str, Secret]:
        hooks: Dict[str, Secret] = {}
        for moment, option in (("before", "pre_script"), ("success", "post_script")):
            text = str(self._take(option) or "").strip()
            if text:
                # In the vault file, because a script may contain secrets.
                hooks[moment] = Secret(text + "\n" if "\n" in text else text)
                self._advise_variables("hooks." + moment, text)
        return hooks

    def _advise_variables(self, hook: str, text: str) -> None:
        for name in sorted(set(VARIABLE.findall(text))):
            advice = "Hooks do not get it, because it may be a secret"
            if name == "SNAPSHOT":
                advice = "Remove it: no hook runs while there is a snapshot"
            elif name in VARIABLES:
                advice = f"Use {VARIABLES[name]}"
            self._found.need(self._about, f"{hook} uses CLOUD_SYNC_{name}. {advice}.")

    def _read_arguments(self, options: Dict[str, Any]) -> List[str]:
        """Return the args that stay arguments. Others are added to ``options``, or listed as left out."""
        text = str(self._take("args") or "")
        try:
            words = shlex.split(text)
        except ValueError:
            self._found.leave_out(
                self._about, "args", text, "cannot be split into words, because a quote is not closed"
            )
            self.lost.append("(all)")
            return []
        kept: List[str] = []
        for argument in _join_flags(words):
            flag, _equals, value = argument.partition("=")
            why = _find_refusal(argument)
            if flag in LISTS and value:
                options[LISTS[flag]].append(value)
            elif flag == "--max-delete" and value.isdecimal():
                options["guards"]["max_delete"] = value
            elif why:
                self._found.leave_out(self._about, "args", argument, f"cannot be imported completely. {why}")
                if not ABOUT_OUTPUT.fullmatch(flag):
                    self.lost.append(flag if flag.startswith("-") else "(a word without a flag)")
            else:
                kept.append(argument)
        return kept


def _find_refusal(argument: str) -> str:
    """Return why an argument is not valid in rclone_args; empty if it is valid. Only the flag is shown."""
    flag = argument.partition("=")[0]
    if not flag.startswith("-"):
        return "A word does not belong to any flag"
    if flag in HEADERS:
        return f"{flag} may contain a login, and all users of a host can read the arguments of a program"
    try:
        check_arguments([argument])
    except CloudsyncError as error:
        return error.message[:-1]
    return ""


def _join_flags(words: List[str]) -> List[str]:
    """Join each flag and its value into one word."""
    joined: List[str] = []
    for word in words:
        if not word.startswith("-") and joined and "=" not in joined[-1]:
            joined[-1] += "=" + word
        else:
            joined.append(word)
    return joined


def _format_rate(bandwidth: Any) -> str:
    """Return bytes per second (null for no limit) in rclone's units."""
    if not bandwidth:
        return "off"
    for unit, size in (("G", 1 << 30), ("M", 1 << 20), ("K", 1 << 10)):
        if isinstance(bandwidth, int) and bandwidth % size == 0:
            return f"{bandwidth // size}{unit}"
    return f"{bandwidth}B"
