# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write the reasons of runs into docs/reasons.md.

Usage: python docs/write_reasons.py      (ANSIBLE_COLLECTIONS_PATH or PYTHONPATH contains this collection)

The meanings and remedies come from plugins/plugin_utils/_reasons.py, the messages about rclone from the engine's tables
of symptoms, and the examples from docs/reliability.md. A test compares the page with build().
"""

from __future__ import annotations

import pathlib
import re

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.rclone.outcome import SYMPTOMS
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.rclone.symptoms import PLACE, TARGET, Symptom
from ansible_collections.skyhaul.cloudsync.plugins.plugin_utils._reasons import REASONS

HERE = pathlib.Path(__file__).resolve().parent
PAGE, FAULTS = HERE / "reasons.md", HERE / "reliability.md"
BEGIN, END = "<!-- written by docs/write_reasons.py -->\n", "<!-- end of the reasons -->\n"
# The fault in docs/reliability.md that shows a reason best.
EXAMPLES = {
    "auth": "The provider no longer accepts the refresh token.",
    "network": "The server closes connections.",
    "not_found": "The source of a push does not exist.",
    "empty_source": "The source of a push (sync) is empty.",
    "not_mounted": "The volume in guards.mounted of a push is not mounted.",
    "marker_missing": "The marker file .marker of a push is missing.",
    "max_delete": "A push (sync) would delete more than guards.max_delete: 2 allows.",
    "source_changed": "A folder of a push (sync) becomes a symbolic link.",
    "same_place": "A sync is declared between a folder and a SFTP server that serves it.",
    "foreign": "A push (sync) runs on a reinstalled host.",
    "crypt_password": "The encryption password of a pull (sync) is wrong.",
    "undecryptable": "An encrypted object is damaged at the provider.",
    "locked": "A task is started while it is active.",
    "hook": "A before hook fails.",
    "deletions_suppressed": "A file of a push (sync) grows during its transfer.",
    "restricted_content": "Dropbox blocks the download of a file.",
    "archived_object": "The objects of a pull (sync) are archived in GLACIER.",
    "quota": "The server accepts no more data.",
    "disk_full": "The destination of a pull is full.",
    "max_duration": "A run exceeds limits.max_duration.",
    "stopped": "A run is stopped during its transfer.",
    "interrupted": "SIGKILL ends a pull in the middle of a file.",
    "stalled": "The server hangs at once.",
    "drill": "A file of the copy is filled with zeros. A drill restores a sample.",
    "damaged": "The file of a task is edited on the host, for example to plant a hook.",
    "usage": "The server redirects.",
    "other": "Two names differ only in their Unicode form.",
}
ROW = re.compile(
    r"^\| (?P<fault>.+?) \| (?P<state>\w+), `(?P<reason>\w+)`: (?P<message>.*) \| .*? \| .*? \|$", re.MULTILINE
)


def read_examples() -> dict[str, dict[str, str]]:
    """Return the faults of docs/reliability.md that have a reason, by their sentence."""
    return {row["fault"]: row.groupdict() for row in ROW.finditer(FAULTS.read_text(encoding="utf-8"))}


def build() -> str:
    """Return the text of the page."""
    faults = read_examples()
    before, _begin, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    sections = (_build_section(reason, faults[EXAMPLES[reason]]) for reason in REASONS)
    return before + BEGIN + "\n" + "\n".join(sections) + "\n" + END + rest.partition(END)[2]


def _build_section(reason: str, example: dict[str, str]) -> str:
    if example["reason"] != reason:
        raise ValueError(f"The example of {reason} is one of {example['reason']}")
    text = f"## {reason}\n\n{REASONS[reason].meaning}\n\n**Remedy:** {REASONS[reason].remedy}\n\n"
    text += f"**Example:** {example['fault']}\n\n> `{example['state']}`, `{reason}`: {example['message']}\n"
    symptoms = [symptom for symptom in SYMPTOMS if symptom.reason == reason]
    if not symptoms:
        return text
    rows = dict.fromkeys(_build_row(symptom) for symptom in symptoms)
    return text + "\n| the message begins with | remedy |\n| --- | --- |\n" + "".join(rows)


def _build_row(symptom: Symptom) -> str:
    happened = symptom.happened.replace(PLACE, "").replace(TARGET, "").rstrip(":")
    return f"| {happened} | {symptom.advice or 'Do what the message says.'} |\n".replace("(|)", "(\\|)")


if __name__ == "__main__":
    PAGE.write_text(build(), encoding="utf-8")
