# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rows of docs/benchmarks.md: what was measured, and whether it reaches its target."""

from __future__ import annotations

import dataclasses
import json
import pathlib
import platform
import subprocess
from collections.abc import Sequence

BEGIN = "<!-- written by make bench -->"
END = "<!-- end of the results -->"
CLONE = pathlib.Path(__file__).resolve().parents[2]
PAGE = CLONE / "docs" / "benchmarks.md"
IMAGES = CLONE / "docs" / "images"
WORSE = 1.15


@dataclasses.dataclass(frozen=True)
class Row:
    """One measurement.

    ``name`` identifies it in the next results. ``value`` is the number that the target limits, smaller is better.
    ``why`` is a sentence for a target that is missed.
    """

    name: str
    what: str
    reference: str
    target: str
    measured: str
    value: float
    is_reached: bool
    why: str = ""

    @property
    def verdict(self) -> str:
        return "yes" if self.is_reached else " ".join(filter(None, ("no.", self.why)))


def write(rows: Sequence[Row], is_whole: bool) -> None:
    """Replace the results in the page. If ``rows`` are not all, the page keeps the others, in their order."""
    head, old, tail = _split_page()
    new = {row.name: row for row in rows}
    kept = {} if is_whole else {row.name: row for row in _read_rows(old)}
    PAGE.write_text(f"{head}{BEGIN}\n{_render(list({**kept, **new}.values()))}{END}{tail}", encoding="utf-8")


def list_worse(rows: Sequence[Row]) -> list[str]:
    """Return a sentence for each of ``rows`` that is worse than in the page."""
    earlier = {row.name: row.value for row in _read_rows(_split_page()[1])}
    return [
        f"{row.what}: {row.measured} (the page has {earlier[row.name]:.3g})"
        for row in rows
        if row.name in earlier and row.value > WORSE * earlier[row.name] and row.value - earlier[row.name] > 0.01
    ]


def _split_page() -> tuple[str, str, str]:
    """Return what precedes the results, the results, and what follows them."""
    head, _begin, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    old, _end, tail = rest.partition(END)
    return head, old, tail


def _render(rows: Sequence[Row]) -> str:
    lines = [
        "",
        _describe_machine(),
        "",
        "| what | reference | target | measured | reached |",
        "| --- | --- | --- | --- | --- |",
        *(f"| {row.what} | {row.reference} | {row.target} | {row.measured} | {row.verdict} |" for row in rows),
        "",
        *(f"<!-- {json.dumps(dataclasses.asdict(row))} -->" for row in rows),
        "",
    ]
    return "\n".join(lines)


def _read_rows(text: str) -> list[Row]:
    return [Row(**json.loads(line[5:-4])) for line in text.splitlines() if line.startswith("<!-- {")]


def _describe_machine() -> str:
    processor = next(
        (
            line.partition(":")[2].strip()
            for line in _read("/proc/cpuinfo").splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    memory = int(_read("/proc/meminfo").split()[1]) / 1024 / 1024
    count = _read("/proc/cpuinfo").count("\nprocessor") + 1
    return (
        f"Measured with {_version('rclone', 'version')}, {_version('ansible', '--version')} and Python "
        f"{platform.python_version()}, on Linux {platform.release().split('-')[0]} with {count} processors "
        f"({processor}) and {memory:.0f} GiB."
    )


def _read(path: str) -> str:
    return pathlib.Path(path).read_text(encoding="utf-8")


def _version(*command: str) -> str:
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.splitlines()[0].replace("[", "").replace("]", "")
