# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""The terminal: its width, its colors, tables that fit it, and one line that changes in place."""

from __future__ import annotations

import os
from typing import IO, Iterable, List, Mapping, NamedTuple, Sequence

from ..common.text import escape_controls

WIDTH = 80
RED, GREEN, YELLOW, CYAN = "31", "32", "33", "36"
GAP = "  "
OMITTED = "..."
ERASE_LINE = "\r\x1b[2K"


class Terminal(NamedTuple):
    """What the reader of the output can see. ``width`` is in characters."""

    width: int = WIDTH
    has_colors: bool = False
    is_tty: bool = False

    def paint(self, text: str, color: str) -> str:
        """Return ``text`` in ``color``, if this terminal shows colors."""
        return f"\x1b[{color}m{text}\x1b[0m" if self.has_colors and color else text


def find_terminal(stream: IO[str], environ: Mapping[str, str]) -> Terminal:
    """Return the terminal of ``stream``. ``COLUMNS`` overrides its width, and ``NO_COLOR`` (https://no-color.org)
    its colors.
    """
    is_tty = stream.isatty()
    width = int(environ["COLUMNS"]) if environ.get("COLUMNS", "").isdigit() else 0
    if not width and is_tty:
        try:
            width = os.get_terminal_size(stream.fileno()).columns
        except OSError:
            width = 0
    has_colors = is_tty and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"
    return Terminal(width or WIDTH, has_colors, is_tty)


class Column(NamedTuple):
    """One column of a table.

    ``least`` is the width to which its texts may be shortened, 0 for never. With ``keeps_end``, the beginning is
    omitted. Columns with the highest ``rank`` are left out first if the table is too wide, those with 0 never.
    """

    heading: str
    cells: Sequence[str]
    least: int = 0
    rank: int = 0
    keeps_end: bool = False
    colors: Sequence[str] = ()


def draw_table(columns: Sequence[Column], terminal: Terminal) -> List[str]:
    """Return the lines of a table that fits the terminal, without trailing blanks."""
    shown = [column._replace(cells=[escape_controls(str(cell)) for cell in column.cells]) for column in columns]
    while _measure(map(_find_least, shown)) > terminal.width and any(column.rank for column in shown):
        shown.remove(max(shown, key=lambda column: column.rank))
    widths = _fit(shown, terminal.width)
    lines = []
    for row in range(-1, len(shown[0].cells)):
        cells = []
        for column, width in zip(shown, widths):
            text = column.heading if row < 0 else column.cells[row]
            text = shorten(text, width, column.keeps_end).ljust(width)
            cells.append(terminal.paint(text, column.colors[row]) if column.colors and row >= 0 else text)
        lines.append(GAP.join(cells).rstrip())
    return lines


def _find_natural(column: Column) -> int:
    return max(map(len, (column.heading, *column.cells)))


def _find_least(column: Column) -> int:
    natural = _find_natural(column)
    return min(natural, max(column.least, len(column.heading))) if column.least else natural


def _measure(widths: Iterable[int]) -> int:
    found = list(widths)
    return sum(found) + len(GAP) * (len(found) - 1)


def _fit(columns: Sequence[Column], width: int) -> List[int]:
    """Return the width of each column. The widest of those that may be shortened gives way first."""
    widths, least = [_find_natural(column) for column in columns], [_find_least(column) for column in columns]
    while _measure(widths) > width:
        flexible = [index for index, each in enumerate(widths) if each > least[index]]
        if not flexible:
            break
        widths[max(flexible, key=lambda index: widths[index])] -= 1
    return widths


def shorten(text: str, width: int, keeps_end: bool = False) -> str:
    """Return ``text`` with at most ``width`` characters. Dots are in the place of what is omitted."""
    if len(text) <= width:
        return text
    kept = max(width - len(OMITTED), 0)
    return OMITTED + text[len(text) - kept :] if keeps_end else text[:kept] + OMITTED


class LiveLine:
    """One line of a terminal that changes in place. On anything else, show() does nothing."""

    def __init__(self, stream: IO[str], terminal: Terminal) -> None:
        self._stream = stream
        self._terminal = terminal
        self._is_shown = False

    @property
    def is_possible(self) -> bool:
        """Whether show() has an effect."""
        return self._terminal.is_tty

    def show(self, text: str) -> None:
        """Replace the line by ``text``, cut to the terminal's width."""
        if self.is_possible:
            # In the last column, some terminals would begin a new line.
            self._write(ERASE_LINE + shorten(escape_controls(text), self._terminal.width - 1))
            self._is_shown = True

    def clear(self) -> None:
        """Remove the line, so that other output can follow."""
        if self._is_shown:
            self._write(ERASE_LINE)
            self._is_shown = False

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()
