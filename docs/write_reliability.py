# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write the table of injected faults into docs/reliability.md.

Usage: python docs/write_reliability.py FOLDER [--check]

FOLDER contains the results of the integration tests (.build/faults), one file for each fault. With --check, write
nothing, and exit with 1 if the page differs. The messages are not compared, because they quote other programs.
"""

from __future__ import annotations

import json
import pathlib
import sys

PAGE = pathlib.Path(__file__).resolve().parent / "reliability.md"
BEGIN, END = "<!-- written by docs/write_reliability.py -->\n", "<!-- end of the table -->\n"
HEAD = "| fault | record of the run | lost | how you learn of it |\n| --- | --- | --- | --- |\n"


def read_rows(folder: pathlib.Path) -> dict[str, str]:
    """Return the results as rows of the table, by fault."""
    results = [json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("*.json")]
    return {found["fault"]: _format_row(found) for found in sorted(results, key=lambda found: found["fault"])}


def _format_row(found: dict[str, str]) -> str:
    said = found["state"] + (f", `{found['reason']}`" if found["reason"] else "")
    message = f": {found['message']}" if found["message"] else ""
    cells = (found["fault"], said + message, found["lost"], found["heard"])
    return "| " + " | ".join(cell.replace("\n", " ").replace("|", "\\|") for cell in cells) + " |\n"


def _drop_message(row: str) -> str:
    """Return a row without the message of its record."""
    fault, said, *rest = row.split(" | ")
    return " | ".join([fault, said.partition(": ")[0], *rest])


def main(arguments: list[str]) -> int:
    """Write the page, or compare it with the results. Return the exit code."""
    rows = read_rows(pathlib.Path(arguments[0]))
    text = PAGE.read_text(encoding="utf-8")
    before, _begin, rest = text.partition(BEGIN)
    table, _end, after = rest.partition(END)
    if "--check" in arguments:
        written = {_drop_message(line) for line in table.removeprefix(HEAD).splitlines(keepends=True)}
        found = {_drop_message(row) for row in rows.values()}
        for line in sorted(written ^ found):
            print(f"{'missing' if line in found else 'not found by a test'}: {line}", end="", file=sys.stderr)
        if written != found:
            print(f"{PAGE} is out of date. Run: python docs/write_reliability.py {arguments[0]}", file=sys.stderr)
        return int(written != found)
    PAGE.write_text(before + BEGIN + HEAD + "".join(rows.values()) + END + after, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
