# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write the completions and the man page of the command ``cloudsync``, from its parser.

Run it in the folder of the collection, with the packages of docs/requirements.txt. The result is a Python file, so
that the module ``runner`` installs it with everything else: plugins/module_utils/_shell_files.py.
"""

from __future__ import annotations

import argparse
import os
import pathlib
import sys
from typing import TYPE_CHECKING, Iterator

import shtab
from argparse_manpage.manpage import Manpage

if TYPE_CHECKING:
    from collections.abc import Callable

TARGET = "plugins/module_utils/_shell_files.py"
PATHS = {
    "bash": "bash-completion/completions/cloudsync",
    "zsh": "zsh/site-functions/_cloudsync",
    "fish": "fish/vendor_completions.d/cloudsync.fish",
}
MAN_PATH = "man/man1/cloudsync.1"
# Only root can list the tasks.
LIST_TASKS = "ls ${CLOUDSYNC_ROOT}/etc/cloudsync/tasks 2>/dev/null | sed -n 's/\\.json$//p'"
PREAMBLE = {
    "bash": f'_cloudsync_tasks() {{ compgen -W "$({LIST_TASKS})" -- "$1"; }}',
    "zsh": f'_cloudsync_tasks() {{ compadd -- ${{(f)"$({LIST_TASKS})"}}; }}',
    "fish": f"function _cloudsync_tasks; {LIST_TASKS.replace('${CLOUDSYNC_ROOT}', '$CLOUDSYNC_ROOT')}; end",
}
TASK = {"bash": "_cloudsync_tasks", "zsh": "_cloudsync_tasks", "fish": "(_cloudsync_tasks)"}
MAN_END = r"""
.SH EXIT STATUS
.TP
\fB0\fR
success. For check: all is well.
.TP
\fB1\fR
the run failed. For check: there are problems.
.TP
\fB2\fR
wrong usage
.TP
\fB3\fR
a guard refused the run
.TP
\fB75\fR
the run was skipped, because the task is already running
.TP
\fB130\fR
interrupted by Ctrl\-C, for commands that only show something
.TP
\fB143\fR
the run was stopped
.SH ENVIRONMENT
.TP
\fBCOLUMNS\fR
the width of tables
.TP
\fBNO_COLOR\fR
if set, no colors are used
.SH FILES
.TP
\fI/etc/cloudsync\fR
the seed, the credentials and the tasks
.TP
\fI/var/log/cloudsync\fR
the log of each run
"""
HEAD = '''# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""The completions and the man page of the command ``cloudsync``. Written by docs/write_shell_files.py."""

from __future__ import annotations

# fmt: off
# Text by path below /usr/local/share.
TEXTS = {
'''
WIDTH = 90


def complete_values(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """Tell shtab which arguments are names of tasks or folders."""
    for verb in (parser, *find_verbs(parser)):
        for action in verb._actions:
            if action.dest == "task":
                action.complete = TASK  # type: ignore[attr-defined]
            elif action.dest == "to":
                action.complete = shtab.DIRECTORY  # type: ignore[attr-defined]
    return parser


def find_verbs(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    for action in parser._actions:
        if action.dest == "verb":
            yield from dict(action.choices or {}).values()


def write_man_page(parser: argparse.ArgumentParser) -> str:
    """Return the man page. It has no date, so that it changes only with the command."""
    text = str(Manpage(parser)).rstrip().replace(".SH COMMENTS\nexamples:\n", ".SH EXAMPLES\n.nf\n") + "\n.fi" + MAN_END
    return '.TH CLOUDSYNC "1" "" "skyhaul.cloudsync" "Cloud sync tasks"\n' + text.partition("\n")[2]


def render(build_parser: Callable[[], argparse.ArgumentParser]) -> str:
    """Return the content of TARGET."""
    # Without a terminal, argparse breaks the lines of the usage at 80 columns.
    os.environ["COLUMNS"] = "80"
    texts = {
        path: shtab.complete(complete_values(build_parser()), shell=shell, preamble=PREAMBLE)
        for shell, path in PATHS.items()
    }
    texts[MAN_PATH] = write_man_page(build_parser())
    return HEAD + "".join(f"    {path!r}: (\n{quote(text)}    ),\n" for path, text in texts.items()) + "}\n"


def quote(text: str) -> str:
    """Return ``text`` as lines of Python, none of them long."""
    lines = []
    for line in text.rstrip().splitlines(keepends=True):
        parts = [line[start : start + WIDTH] for start in range(0, len(line), WIDTH)]
        lines += [f"        {part!r}\n" for part in parts]
    return "".join(lines) + "        '\\n'\n"


if __name__ == "__main__":
    sys.path.insert(0, str(pathlib.Path("plugins/module_utils").resolve()))
    from _engine.cli.parser import build_parser

    pathlib.Path(TARGET).write_text(render(build_parser), encoding="utf-8")
