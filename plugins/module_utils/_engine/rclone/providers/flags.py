# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Decide which of rclone's flags a task may use in ``rclone_args``, and to which commands of a run they apply.

A flag that selects a place or weakens a guard must have an option of its own, because every command of a run needs it.
rclone's own schema decides which flags belong to a backend. All other flags have no effect on where a command acts.
"""

from __future__ import annotations

import fnmatch
import re
from typing import Any, Iterable, List, Mapping, Sequence, Tuple

from ...common.errors import usage_error
from ...common.processes import ToolError, run_tool
from ...common.validation import suggest_name
from ..binary import Rclone, build_clean_environment, run_quietly
from ..conf_file import BLANKS
from .schema import Provider
from .secret_options import find_secret_in_text, must_be_secret
from .truenas_names import get_rclone_name

FLAG = re.compile(r"\A--[a-z0-9][a-z0-9-]*\Z")
SECRET_FLAG = re.compile(
    r"-(2fa|access-grant|authorization|connection-string|cookies?|credentials|key|key-base64|key-pem|mnemonic"
    r"|pass|passphrase|password2?|sas-url|secret|token)\Z"
)
# Flags with such a name that have no secret: a file, and a switch.
NOT_SECRET = ("--client-key", "--use-cookies")
IN_ARGUMENTS = "Every user of the host can read a program's arguments."
# Patterns of rclone flags that a task may not use, and a sentence that says why, or what to use instead.
REFUSED_FLAGS = (
    ("config password-command", "The runner manages rclone's configuration."),
    ("cache-dir temp-dir cpuprofile memprofile", "The runner selects the folders that rclone writes to."),
    ("ask-password interactive", "A run cannot ask questions."),
    ("help version", "rclone would end without a transfer."),
    ("rc rc-* metrics-*", "Other users could connect to the port that it opens."),
    ("log-* syslog* use-json-log verbose quiet stats* progress*", "The runner reads rclone's log."),
    ("color human-readable", "The runner reads rclone's output."),
    ("dump*", "It would write secrets into the log."),
    ("daemon*", "The runner must wait for rclone to end."),
    ("dry-run", "Use check mode, or cloudsync run --dry-run."),
    ("ignore-errors", "A sync would delete files at the destination that cannot be read at the source."),
    ("delete-excluded", "An invalid filter could delete everything at the destination."),
    (
        "delete-before delete-during",
        "A sync must delete nothing at the destination before it has read the whole source.",
    ),
    ("compare-dest copy-dest", "Files in another folder would be missing at the destination."),
    ("name-transform", "Files would have other names at the destination than at the source."),
    ("backup-dir suffix*", "Use the option keep_deleted."),
    ("partial-suffix", "The runner finds its unfinished files by their suffix."),
    ("max-delete*", "Use the option guards.max_delete."),
    ("max-duration", "Use the option limits.max_duration."),
    ("bwlimit", "Use the option bandwidth."),
    ("transfers", "Use the option transfers."),
    ("retries retries-sleep", "Use the option retries."),
    ("filter* include* exclude exclude-from files-from*", "Use the options include and exclude."),
    ("copy-links", "Use the option follow_symlinks."),
    ("hash-filter", "Use the option shard."),
    ("create-empty-src-dirs", "Use the option create_empty_dirs."),
    ("client-pass", f"{IN_ARGUMENTS} Use a key file without a password that only the task's user can read."),
    ("sftp-known-hosts-file sftp-host-keys sftp-pin-host-key sftp-ssh", "Set the trusted host keys in the credential."),
)
# They select files, as include and exclude do: in every command that lists or transfers the files of a run.
SELECTION = (
    "exclude-if-present ignore-case links max-age max-depth max-size metadata-exclude* metadata-filter*"
    " metadata-include* min-age min-size one-file-system skip-links skip-specials"
)
# They would end or weaken the comparison after the transfer.
TRANSFER_ONLY = "cutoff-mode error-on-no-transfer ignore-size max-transfer size-only"
LOCAL = "local"
# The last blank of a pattern, also if it is escaped.
BLANK_END = re.compile(rf"\\?([{BLANKS}])\Z")
TRIAL_SECONDS = 120
# The source of the trial does not exist, so that rclone ends with 3 after it has accepted everything.
ACCEPTED = (0, 3)
LOG_LINE = re.compile(r"\A\d{4}/\d\d/\d\d \d\d:\d\d:\d\d +(?:[A-Z]+ *: *)?(.*)\Z")
PREAMBLE = re.compile(
    r"\A(?:Fatal error: |Failed to (?:\w+|initialise global options|load filters): |failed to reload \"\w+\" options: "
    r"|Attempt \d+/\d+ failed with \d+ errors? and: )+"
)
UNKNOWN_FLAG = re.compile(r"unknown flag: (--[A-Za-z0-9-]+)")
HELP_LINE = re.compile(r"^ +(?:-\w, )? *(--[a-z0-9][a-z0-9-]*)", re.MULTILINE)


def check_arguments(arguments: Sequence[Any]) -> Tuple[str, ...]:
    """Return ``--flag`` or ``--flag=value`` words that are valid for any provider. Refuse REFUSED_FLAGS and secrets.

    No error shows a value.
    """
    for argument in arguments:
        flag, _equals, value = str(argument).partition("=")
        if not FLAG.match(flag):
            raise usage_error(f"rclone_args has {flag.partition(' ')[0]!r}. Write each item as --flag or --flag=value.")
        reason = _find_refusal(flag, value)
        if reason:
            raise usage_error(f"rclone_args has {flag}, which is not allowed. {reason}")
    return tuple(str(argument) for argument in arguments)


def _find_refusal(flag: str, value: str) -> str:
    """Return why the argument is not allowed, empty if it is allowed."""
    for patterns, reason in REFUSED_FLAGS:
        if _matches(flag, patterns):
            return reason
    if SECRET_FLAG.search(flag) and flag not in NOT_SECRET:
        return f"{IN_ARGUMENTS} Put secrets into the credential."
    found = find_secret_in_text(value)
    if not found:
        return ""
    if flag.endswith("-proxy"):
        place = "Set HTTPS_PROXY in a file that only root can read, and name the file with EnvironmentFile= in a "
        return f"Its value contains {found}. {IN_ARGUMENTS} {place}drop-in of cloudsync@.service."
    if flag.startswith("--header"):
        place = "If the provider has the option headers, set it in the credential's secrets."
        return f"Its value contains {found}. {IN_ARGUMENTS} {place}"
    return f"Its value contains {found}. {IN_ARGUMENTS} Put secrets into the credential."


def _matches(flag: str, patterns: str) -> bool:
    return any(fnmatch.fnmatchcase(flag, "--" + pattern) for pattern in patterns.split())


def selects_files(argument: str) -> bool:
    """Whether the argument belongs to the commands that list or transfer the files of a run, and to no other one."""
    return _matches(argument.partition("=")[0], SELECTION)


def is_for_transfer(argument: str) -> bool:
    """Whether the argument belongs to the transfer and its plan, and to no other command."""
    return _matches(argument.partition("=")[0], TRANSFER_ONLY)


def check_shard(rclone: Rclone) -> None:
    """Refuse a sharded task if this rclone cannot select a shard."""
    if not rclone.has_hash_filter:
        raise usage_error(f"shard needs rclone 1.70 or later, but this host has {rclone.version_text}. Upgrade rclone.")


def check_backend_flags(arguments: Iterable[str], provider_name: str, providers: Mapping[str, Provider]) -> None:
    """Refuse the flags of a backend, which has options for them. ``providers`` are those of the installed rclone.

    The flags of the backend ``local`` are allowed. Every command of a run has a local side.
    """
    owners = {
        f"--{provider.prefix}-{option.name}".replace("_", "-"): (provider, option.name)
        for provider in providers.values()
        if provider.name != LOCAL
        for option in provider.options
    }
    for argument in arguments:
        flag = argument.partition("=")[0]
        if flag in owners:
            raise usage_error(f"rclone_args has {flag}, which is not allowed. {_advise(*owners[flag], provider_name)}")


def _advise(owner: Provider, option: str, provider_name: str) -> str:
    if owner.name == "crypt":
        return "Use the option encryption."
    if owner.name != get_rclone_name(provider_name):
        return f"It is an option of the provider {owner.name}, but the credential's provider is {provider_name}."
    if must_be_secret(owner, option):
        return f"Set {option!r} in the credential's secrets."
    return f"Set {option!r} in provider_options, or in the credential's attributes."


def build_pattern_rules(exclude: Sequence[str], include: Sequence[str]) -> List[str]:
    """Return the lines of a filter file: ``exclude``, then ``include``, because rclone applies the first match.

    With ``include``, everything else is excluded.
    """
    rules = ["- " + _keep_blank_end(pattern) for pattern in exclude]
    rules += ["+ " + _keep_blank_end(pattern) for pattern in include]
    return rules + (["- *"] if include else [])


def escape_path(path: str) -> str:
    """Return a pattern that matches ``path`` only."""
    escaped = re.sub(r"([\\*?\[\]{}])", r"\\\1", path)
    # A pattern is one line of a file, but a name can have line breaks.
    return _keep_blank_end(escaped.replace("\n", r"{{\n}}").replace("\r", r"{{\r}}"))


def build_path_patterns(paths: Iterable[str]) -> List[str]:
    """Return the patterns that select the files and folders ``paths``, with everything below these."""
    names = [escape_path(path.strip("/")) for path in paths]
    return [pattern for name in names for pattern in (f"/{name}", f"/{name}/**")]


def _keep_blank_end(pattern: str) -> str:
    """Return ``pattern`` in a form that keeps its last character: rclone removes blanks at the end of a line."""
    return BLANK_END.sub(r"[\1]", pattern)


def find_complaint(rclone: Rclone, mode: str, arguments: Sequence[str], filters: Iterable[str]) -> str:
    """Let rclone parse the arguments and the lines of a filter file. Return what it says against them, or nothing.

    ``mode`` is sync, copy or move. rclone contacts no provider and reads no file.
    """
    command = [mode, "--dry-run", "--retries", "1", "--filter-from", "-", "--", ":memory:a", ":memory:b"]
    lines = "".join(f"{line}\n" for line in filters).encode("utf-8", "surrogateescape")
    try:
        done = run_tool(
            [rclone.path, "--config", "", *arguments, *command],
            TRIAL_SECONDS,
            lines or b"\n",
            build_clean_environment(),
        )
    except ToolError:
        return ""  # a slow host is no reason to refuse: the run reports the error
    return "" if done.exit_code in ACCEPTED else _extract_complaint(rclone, done.stderr)


def _extract_complaint(rclone: Rclone, text: str) -> str:
    said = [found.group(1).strip() for found in map(LOG_LINE.match, text.splitlines()) if found]
    sentence = PREAMBLE.sub("", next((line for line in reversed(said) if line), text.strip()[-200:]))
    unknown = UNKNOWN_FLAG.search(sentence)
    if not unknown:
        return sentence.rstrip(".") + "."
    known = HELP_LINE.findall(run_quietly(rclone.path, "help", "flags"))
    return f"This rclone has no flag {unknown.group(1)}.{suggest_name(unknown.group(1), known)}"
