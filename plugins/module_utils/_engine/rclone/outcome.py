# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""What the end of an rclone command means: a state, a reason, and a sentence with what to do next."""

from __future__ import annotations

import os
import re
import signal
from dataclasses import dataclass
from typing import Callable, List, Mapping, Optional, Sequence, Tuple

from ..common.text import format_size, list_some
from .binary import Version
from .error_text import main_sentence, unwrapped
from .log_lines import Message, Stats
from .symptoms import AMBIGUOUS, NOT_DELETING, UNSAVED, Symptom, find_symptom

SUCCESS = "success"
FAILED = "failed"
ABORTED = "aborted"
ARCHIVED = re.compile(r'bucket="(?P<bucket>[^"]*)", key="(?P<key>[^"]*)"')
AZURE_ARCHIVED = re.compile(r"BlobArchived|archived blob|archive tier", re.IGNORECASE)
# How the errors begin whose object is one file; other errors have a whole remote for object.
ABOUT_A_FILE = re.compile(
    r"\A(Failed to |Listing error|Skipping undecryptable |Source and destination exist|partial file |Couldn't )"
)
PARTIAL = re.compile(r"\.[0-9a-f]{8}\.partial\Z")


@dataclass(frozen=True)
class Finished:
    """An rclone command that ended. ``exit_code`` is negative after a signal; ``stopped``: somebody asked for the
    end; ``timed_out``: its time was over; ``errors``: see logs.remember; ``remote_path``: what the task calls that.
    """

    exit_code: int
    stopped: bool = False
    timed_out: bool = False
    stats: Optional[Stats] = None
    errors: Tuple[Message, ...] = ()
    version: Version = (0, 0, 0)
    remote_path: str = ""


@dataclass(frozen=True)
class Outcome:
    """``state`` is success, failed or aborted; ``reason`` one of errors.REASONS, empty after a success."""

    state: str
    reason: str
    message: str


def needs_probe(finished: Finished) -> bool:
    """Whether rclone hid the cause: from 1.61 on, S3 takes the folder for a file when any look-up of it fails, a
    refused login included. Listing the bucket's root says what is wrong: hand that to classify.
    """
    return finished.exit_code != 0 and any(AMBIGUOUS.search(message.text) for message in finished.errors)


def classify(finished: Finished, probe: Optional[Finished] = None) -> Outcome:
    """What ``finished`` means. ``probe``: a listing of the remote's root after it, when needs_probe asks for one."""
    if finished.stopped:
        return Outcome(ABORTED, "stopped", f"The run was stopped. {_progress(finished.stats)}".rstrip())
    if finished.timed_out:
        return Outcome(
            FAILED,
            "max_duration",
            f"The run took longer than limits.max_duration and was ended. {_progress(finished.stats)} The next run "
            "goes on with the rest; allow more time if that happens every time.".replace("  ", " "),
        )
    symptom, shown = find_symptom(finished.errors)
    if symptom is not None and (finished.exit_code != 0 or symptom.reason == "undecryptable"):
        return Outcome(FAILED, symptom.reason, _message(symptom, shown, finished))
    if finished.exit_code == 0:
        return _success(finished)
    if needs_probe(finished):
        return _hidden(finished, probe)
    return _by_exit_code(finished)


def _success(finished: Finished) -> Outcome:
    message = _done(finished.stats)
    if any(UNSAVED.match(error.text) for error in finished.errors):
        message += (
            " But rclone could not save the refreshed token; the next login may fail. Check the free space in /run."
        )
    return Outcome(SUCCESS, "", message)


def _done(stats: Optional[Stats]) -> str:
    if stats is None or not (stats.transfers or stats.deletes or stats.renames):
        return "Nothing had to be transferred."
    parts = [f"{_files(stats.transfers)} transferred ({format_size(stats.bytes)})"] if stats.transfers else []
    # A transfer into keep_deleted counts as a rename, too.
    parts += [f"{_files(stats.renames)} renamed"] if stats.renames and not stats.transfers else []
    parts += [f"{_files(stats.deletes)} deleted"] if stats.deletes else []
    return ", ".join(parts) + "."


def _progress(stats: Optional[Stats]) -> str:
    if stats is None:
        return ""
    return f"Until then: {_done(stats)}" if stats.transfers or stats.deletes else "No file was finished."


def _files(count: int) -> str:
    return "1 file" if count == 1 else f"{count} files"


def _message(symptom: Symptom, shown: Sequence[Message], finished: Finished) -> str:
    said = "" if not symptom.quotes else f": {unwrapped(shown[0].text).rstrip('.')}"
    sentences = [f"{symptom.happened}{said}."]
    files = _named(shown, symptom.file) if symptom.names_files else ""
    sentences += [f"Files: {files}."] if files else []
    sentences += [_restore_line(shown, finished)] if symptom.reason == "archived_object" else []
    sentences.append(symptom.advice)
    if symptom.names_files and _kept_deletions(finished):
        sentences.append("Until then nothing is deleted at the destination.")
    return " ".join(sentence for sentence in sentences if sentence)


def _named(messages: Sequence[Message], file: str = "") -> str:
    names: List[str] = []
    for message in messages:
        name = _named_by(message, file)
        if name and name not in names:
            names.append(name)
    return list_some(names)


def _named_by(message: Message, file: str) -> str:
    """The file that ``message`` is about: where the pattern ``file`` finds it, else its object."""
    found = re.search(file, message.text) if file else None
    if found:
        return found.group(1)
    return PARTIAL.sub("", message.object) if ABOUT_A_FILE.match(message.text) else ""


def _restore_line(shown: Sequence[Message], finished: Finished) -> str:
    """What to run, by whoever has the account in a configuration of his own; for a run's folder, or the one object."""
    found = [match for match in (ARCHIVED.search(message.text) for message in shown) if match]
    keys = {match.group("key") for match in found}
    place = finished.remote_path.strip("/")
    if found:
        folder = keys.pop() if len(keys) == 1 else os.path.commonpath(["/" + key for key in keys]).strip("/")
        place = "/".join(part for part in (found[0].group("bucket"), folder) if part)
    if not place:
        return "Restore them at the provider, or exclude them."
    is_azure = any(AZURE_ARCHIVED.search(message.text) for message in shown)
    return (
        "Restore them with: rclone {0} '{1}'{2} (REMOTE is this account in your own rclone configuration); that takes "
        "hours. Or exclude them.".format(
            "settier Hot" if is_azure else "backend restore",
            f"REMOTE:{place}".replace("'", "'\\''"),
            "" if is_azure else " -o priority=Standard -o lifetime=7",
        )
    )


def _kept_deletions(finished: Finished) -> bool:
    return any(NOT_DELETING.match(message.text) for message in finished.errors)


def _hidden(finished: Finished, probe: Optional[Finished]) -> Outcome:
    if probe is not None and probe.exit_code != 0:
        return classify(probe)
    if probe is not None:
        return Outcome(
            FAILED, "usage", "The remote path is a file, and a task needs a folder: name the folder that it is in."
        )
    return Outcome(
        FAILED,
        "other",
        "rclone could not look at the remote path: it is a file, or the provider refused or did not answer. "
        "'cloudsync verify' with the task's credential says which.",
    )


def _by_exit_code(finished: Finished) -> Outcome:
    reason, explain = EXITS.get(finished.exit_code, ("other", _other))
    if reason == "other" and _kept_deletions(finished):
        reason, explain = "deletions_suppressed", _suppressed
    state = SUCCESS if not reason else FAILED
    return Outcome(state, reason, explain(finished))


def _suppressed(finished: Finished) -> str:
    files = _named(finished.errors)
    return (
        "Some files could not be transferred, so nothing was deleted at the destination: "
        f"{main_sentence(finished.errors).rstrip('.')}{f' (files: {files})' if files else ''}. Correct that, exclude "
        "them, or use a snapshot where they change all the time."
    )


def _other(finished: Finished) -> str:
    files = _named(finished.errors)
    said = main_sentence(finished.errors).rstrip(".")
    advice = (
        "Give the task's user access to it, or run the task as another user."
        if "permission denied" in said
        else "The log of the run has all that it said."
    )
    return (
        f"rclone failed with exit code {finished.exit_code}: "
        f"{said or 'it gave no reason'}{f' (files: {files})' if files else ''}. {advice}"
    )


def _not_found(finished: Finished) -> str:
    return (
        f"The source does not exist: {main_sentence(finished.errors).rstrip('.') or 'directory not found'}. Check the "
        "task's path and remote_path."
    )


def _wrong_usage(finished: Finished) -> str:
    return (
        f"rclone does not take what the task asks for: {main_sentence(finished.errors).rstrip('.') or 'exit code 2'}. "
        "Correct the task's rclone_args."
    )


def _unreachable(finished: Finished) -> str:
    return "The transfer failed for a passing reason: {0}. The next run tries again.".format(
        main_sentence(finished.errors).rstrip(".") or "rclone's exit code 5"
    )


def _window_over(finished: Finished) -> str:
    return (
        "The time or amount that the task's rclone_args allow was reached before everything was transferred. "
        f"{_progress(finished.stats)} The next run goes on with the rest.".replace("  ", " ")
    )


def _nothing_new(_finished: Finished) -> str:
    return "Nothing had to be transferred."


def _killed(finished: Finished) -> str:
    number = -finished.exit_code if finished.exit_code < 0 else finished.exit_code - 128
    advice = (
        "Probably the kernel did, for lack of memory: raise limits.memory_max, or lower transfers."
        if number == signal.SIGKILL
        else "The next run goes on with the rest."
    )
    return f"rclone was ended from outside by signal {number}. {advice}"


# An empty reason is a success.
EXITS: Mapping[int, Tuple[str, Callable[[Finished], str]]] = {
    2: ("usage", _wrong_usage),
    3: ("not_found", _not_found),
    4: ("not_found", _not_found),
    5: ("network", _unreachable),
    8: ("max_duration", _window_over),
    9: ("", _nothing_new),
    10: ("max_duration", _window_over),
    **dict.fromkeys((-1, -2, -9, -13, -15, 129, 130, 137, 141, 143), ("interrupted", _killed)),
}


NOT_FOUND_EXITS = (3, 4)
