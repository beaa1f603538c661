# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Classify the end of an rclone command: a state, a reason, and a sentence with what to do next."""

from __future__ import annotations

import re
import signal
from dataclasses import dataclass
from typing import Callable, Iterable, Mapping, Optional, Sequence, Tuple

from ..common.text import format_count, format_size, list_some
from .access_symptoms import ACCESS_SYMPTOMS, CHECK_ENDPOINT, WEB_PAGE
from .archived_objects import advise_restore
from .binary import Version
from .causes import ADVICE, find_address, find_cause
from .data_symptoms import DATA_SYMPTOMS
from .error_text import PARTIAL, find_main_problem, is_own_file, redact, unwrap
from .log_lines import Message, Stats
from .symptoms import AMBIGUOUS, NOT_DELETING, PLACE, TARGET, UNSAVED, Symptom, find_symptom, strip_names, strip_places

SUCCESS = "success"
FAILED = "failed"
ABORTED = "aborted"
NOTHING = "Nothing had to be transferred."
NOT_FOUND_EXITS = (3, 4)
# The symptoms of data come first: a provider may also answer "403" for a full account.
SYMPTOMS = (*DATA_SYMPTOMS, *ACCESS_SYMPTOMS)
# How the errors begin whose object is one file. The object of other errors is a whole remote.
ABOUT_A_FILE = re.compile(
    r"\A(Failed to |Listing error|Skipping undecryptable |Source and destination exist|partial file |Couldn't "
    r"|corrupted on transfer)"
)


@dataclass(frozen=True)
class Finished:
    """An rclone command that ended.

    ``exit_code`` is negative after a signal. ``stopped``: it was stopped. ``timed_out``: it reached its time limit.
    ``stalled``: it made no progress for this number of seconds, and was ended.
    ``errors``: see log_lines.remember(). ``remote_path``, ``path``: the task's options of these names. ``target``: the
    path of a pull.
    """

    exit_code: int
    stopped: bool = False
    timed_out: bool = False
    stalled: float = 0.0
    stats: Optional[Stats] = None
    errors: Tuple[Message, ...] = ()
    version: Version = (0, 0, 0)
    remote_path: str = ""
    path: str = ""
    target: str = ""

    @property
    def places(self) -> Tuple[str, ...]:
        """The paths whose names are not part of an error."""
        return (self.path, self.remote_path)


@dataclass(frozen=True)
class Outcome:
    """``state`` is success, failed or aborted; ``reason`` one of errors.REASONS, empty after a success."""

    state: str
    reason: str
    message: str


WEB_PAGE_ANSWER = Outcome(FAILED, "network", f"{WEB_PAGE}. {CHECK_ENDPOINT}")


def needs_probe(finished: Finished) -> bool:
    """Whether rclone hid the cause.

    From 1.61 on, rclone mistakes a folder in S3 for a file if any look-up of it fails, such as a refused login. A
    listing of the bucket's root shows the cause: pass it to classify().
    """
    return finished.exit_code != 0 and any(AMBIGUOUS.search(message.text) for message in finished.errors)


def classify(finished: Finished, probe: Optional[Finished] = None) -> Outcome:
    """Return the outcome of ``finished``.

    ``probe``: a listing of the remote's root after it, if needs_probe() asks for one.
    """
    if finished.stopped:
        return Outcome(ABORTED, "stopped", _join("The run was stopped.", _describe_progress(finished.stats)))
    if finished.timed_out:
        return Outcome(FAILED, "max_duration", _describe_timeout(finished))
    if finished.stalled:
        happened = f"The transfer {describe_stall(finished.stalled)}"
        return Outcome(
            FAILED, "stalled", _join(happened, _describe_progress(finished.stats), "The next run continues.")
        )
    symptom, shown = find_symptom(SYMPTOMS, finished.errors, finished.places)
    if symptom is not None and (finished.exit_code != 0 or symptom.reason == "undecryptable"):
        return Outcome(FAILED, symptom.reason, _describe_symptom(symptom, shown, finished))
    if finished.exit_code == 0:
        return _succeed(finished)
    if needs_probe(finished):
        return _classify_hidden(probe)
    return _classify_exit_code(finished)


def _join(*sentences: str) -> str:
    return " ".join(sentence for sentence in sentences if sentence)


def _succeed(finished: Finished) -> Outcome:
    unsaved = any(UNSAVED.match(error.text) for error in finished.errors)
    warning = "rclone could not save the refreshed token, so the next login may fail. Check the free space in /run."
    return Outcome(SUCCESS, "", _join(_describe_counts(finished.stats), warning if unsaved else ""))


def _describe_counts(stats: Optional[Stats]) -> str:
    if stats is None or not (stats.transfers or stats.deletes or stats.renames):
        return NOTHING
    moved = f"{format_count(stats.transfers, 'file')} transferred ({format_size(stats.bytes)})"
    parts = [moved] if stats.transfers else []
    # A transfer into keep_deleted counts as a rename, too.
    parts += [f"{format_count(stats.renames, 'file')} renamed"] if stats.renames and not stats.transfers else []
    parts += [f"{format_count(stats.deletes, 'file')} deleted"] if stats.deletes else []
    return ", ".join(parts) + "."


def _describe_progress(stats: Optional[Stats]) -> str:
    if stats is None:
        return ""
    if not (stats.transfers or stats.deletes):
        return "No file was completed."
    return f"Completed: {_describe_counts(stats)}"


def _describe_timeout(finished: Finished) -> str:
    return _join(
        "The run took longer than limits.max_duration and was ended.",
        _describe_progress(finished.stats),
        "The next run continues. If this happens at every run, allow more time.",
    )


def describe_stall(seconds: float) -> str:
    """Return the end of a sentence about a command that was ended, and what to do."""
    return (
        f"made no progress for {seconds:.0f} s and was ended. Check the network and the provider's status. If the "
        "provider needs longer pauses, raise limits.max_stall."
    )


def _describe_symptom(symptom: Symptom, shown: Sequence[Message], finished: Finished) -> str:
    cause = _find_first(find_cause, (strip_names(message, finished.places) for message in shown))
    cause = cause if symptom.has_cause else ""
    address = _find_first(find_address, (strip_places(message, finished.places) for message in shown))
    happened = symptom.happened.replace(PLACE, f" at {address}" if address else "")
    happened = happened.replace(TARGET, f" at {finished.target}" if finished.target else "")
    raw = ""
    if happened.endswith(":"):
        happened += " " + (cause or unwrap(shown[0].text).rstrip("."))
    elif cause:
        happened += f" ({cause})"
    elif symptom.has_cause:
        raw = _quote(shown[0])
    files = _name_files(shown, symptom.file) if symptom.names_files else ""
    kept = symptom.names_files and _describe_suppressed_deletions(finished)
    return _join(
        f"{happened}.",
        f"Files: {files}." if files else "",
        "Nothing was deleted at the destination." if kept else "",
        advise_restore(shown, finished.remote_path) if symptom.reason == "archived_object" else "",
        symptom.advice,
        raw,
    )


def _find_first(find: Callable[[str], str], texts: Iterable[str]) -> str:
    """Return what ``find`` finds in the first of ``texts`` in which it finds anything."""
    return redact(next(filter(None, map(find, texts)), ""))


def _quote(message: Optional[Message]) -> str:
    """Return rclone's own words as the last sentence of a message; empty if there are none."""
    said = unwrap(message.text).rstrip(".") if message else ""
    return f"rclone reported: {said}." if said else ""


def _name_files(messages: Sequence[Message], file: str = "") -> str:
    names = dict.fromkeys(_find_file(message, file) for message in messages)
    return list_some([name for name in names if name and not is_own_file(name)])


def _find_file(message: Message, file: str) -> str:
    """Return the file that ``message`` is about: where the pattern ``file`` finds it, else its object."""
    found = re.search(file, message.text) if file else None
    if found:
        return found.group(1)
    return PARTIAL.sub("", message.object) if ABOUT_A_FILE.match(message.text) else ""


def _describe_suppressed_deletions(finished: Finished) -> bool:
    return any(NOT_DELETING.match(message.text) for message in finished.errors)


def _classify_hidden(probe: Optional[Finished]) -> Outcome:
    if probe is not None and probe.exit_code != 0:
        return classify(probe)
    if probe is not None:
        return Outcome(
            FAILED, "usage", "The remote path is a file, but a task needs a folder. Name the folder that has the file."
        )
    return Outcome(
        FAILED,
        "other",
        "rclone could not read the remote path. It is a file, or the provider refused access or did not answer. Run "
        "'cloudsync verify' with the task's credential to find the cause.",
    )


def _classify_exit_code(finished: Finished) -> Outcome:
    reason, describe = EXITS.get(finished.exit_code, ("other", _describe_other))
    if reason == "other" and _describe_suppressed_deletions(finished):
        reason, describe = "deletions_suppressed", _describe_suppressed
    state = SUCCESS if not reason else FAILED
    return Outcome(state, reason, describe(finished))


def _find_cause(finished: Finished) -> Tuple[str, str]:
    """Return the cause of the main problem, and rclone's own words as a sentence if that has none."""
    problem = find_main_problem(finished.errors)
    cause = redact(find_cause(strip_names(problem, finished.places))) if problem else ""
    return cause, "" if cause else _quote(problem)


def _describe_suppressed(finished: Finished) -> str:
    cause, raw = _find_cause(finished)
    files = _name_files(finished.errors)
    return _join(
        f"Some files could not be transferred{f' ({cause})' if cause else ''}, so nothing was deleted at the "
        "destination.",
        f"Files: {files}." if files else "",
        "Correct the cause or exclude these files. If they change all the time, use a snapshot.",
        raw,
    )


def _describe_other(finished: Finished) -> str:
    cause, raw = _find_cause(finished)
    files = _name_files(finished.errors)
    advice = ADVICE.get(cause, "Read the log of the run for the details.")
    return _join(
        f"rclone failed with exit code {finished.exit_code}{f' ({cause})' if cause else ''}.",
        f"Files: {files}." if files else "",
        advice,
        raw,
    )


def _describe_missing(_finished: Finished) -> str:
    return "The source does not exist. Check the task's path and remote_path."


def _describe_wrong_usage(finished: Finished) -> str:
    return f"rclone rejected the task's options: {_tell_cause(finished)}. Check rclone_args."


def _describe_temporary(finished: Finished) -> str:
    cause = _tell_cause(finished)
    return f"The transfer failed with a temporary error: {cause}. It is retried at the next scheduled run."


def _tell_cause(finished: Finished) -> str:
    """Return the cause of the main problem, or else rclone's own words, or else the exit code."""
    problem = find_main_problem(finished.errors)
    said = unwrap(problem.text).rstrip(".") if problem else ""
    return _find_cause(finished)[0] or said or f"exit code {finished.exit_code}"


def _describe_window_end(finished: Finished) -> str:
    return _join(
        "The limit of time or data in the task's rclone_args was reached before all files were transferred.",
        _describe_progress(finished.stats),
        "The next run continues.",
    )


def _describe_nothing(_finished: Finished) -> str:
    return NOTHING


def _describe_kill(finished: Finished) -> str:
    number = -finished.exit_code if finished.exit_code < 0 else finished.exit_code - 128
    if number == signal.SIGKILL:
        advice = "Probably memory ran out. Raise limits.memory_max, or lower transfers."
    else:
        advice = "The next run continues."
    return f"Another process ended rclone with signal {number}. {advice}"


# An empty reason is a success.
EXITS: Mapping[int, Tuple[str, Callable[[Finished], str]]] = {
    2: ("usage", _describe_wrong_usage),
    **dict.fromkeys(NOT_FOUND_EXITS, ("not_found", _describe_missing)),
    5: ("network", _describe_temporary),
    8: ("max_duration", _describe_window_end),
    9: ("", _describe_nothing),
    10: ("max_duration", _describe_window_end),
    **dict.fromkeys((-1, -2, -9, -13, -15, 129, 130, 137, 141, 143), ("interrupted", _describe_kill)),
}
