# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import fcntl
import io
import os
import struct
import termios

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.cli.terminal import (
    Column,
    LiveLine,
    Terminal,
    draw_table,
    find_terminal,
    shorten,
)


@pytest.fixture(name="screen")
def fixture_screen():
    """A terminal of 50 columns, as a stream."""
    controller, side = os.openpty()
    fcntl.ioctl(side, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 50, 0, 0))
    with open(side, "w", encoding="utf-8") as stream:
        yield stream
    os.close(controller)


def test_a_terminal_has_its_own_width_and_colors(screen):
    assert find_terminal(screen, {}) == Terminal(50, True, True)
    assert find_terminal(screen, {"COLUMNS": "120"}).width == 120


@pytest.mark.parametrize("variable", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_a_terminal_can_be_without_colors(screen, variable):
    assert find_terminal(screen, variable) == Terminal(50, False, True)


@pytest.mark.parametrize("columns", ["", "wide", "-5", "0"])
def test_without_a_terminal_the_width_is_80(columns):
    assert find_terminal(io.StringIO(), {"COLUMNS": columns}) == Terminal(80, False, False)


def test_columns_are_aligned_without_trailing_blanks():
    columns = [Column("A", ["wide cell", "b"]), Column("LONG", ["1", ""])]
    assert draw_table(columns, Terminal()) == ["A          LONG", "wide cell  1", "b"]
    assert draw_table([Column("A", []), Column("B", [])], Terminal()) == ["A  B"]


def test_a_table_that_is_too_wide_has_shorter_texts_and_then_fewer_columns():
    columns = [
        Column("NAME", ["n" * 20], 10),
        Column("PATH", ["/srv/very/long/path"], 10, keeps_end=True),
        Column("SIZE", ["1.5 KiB"], rank=1),
        Column("NOTE", ["note"], rank=2),
    ]
    assert draw_table(columns, Terminal(60))[1] == "n" * 20 + "  /srv/very/long/path  1.5 KiB  note"
    assert draw_table(columns, Terminal(40))[1] == "nnnnnnnn...  ...long/path  1.5 KiB  note"
    assert draw_table(columns, Terminal(33))[1] == "nnnnnnnn...  ...ong/path  1.5 KiB"
    assert draw_table(columns, Terminal(24)) == ["NAME         PATH", "nnnnnnnn...  ...ong/path"]


def test_a_table_never_omits_what_may_not_be_shortened():
    assert draw_table([Column("ID", ["x" * 30])], Terminal(10))[1] == "x" * 30


def test_a_text_is_shortened_at_its_end_or_at_its_beginning():
    assert shorten("abcdefgh", 8) == "abcdefgh"
    assert shorten("abcdefgh", 6) == "abc..."
    assert shorten("abcdefgh", 6, keeps_end=True) == "...fgh"


def test_a_live_line_is_replaced_and_removed():
    stream = io.StringIO()
    live = LiveLine(stream, Terminal(10, False, True))
    live.show("a longer text\n")
    live.show("b")
    live.clear()
    live.clear()
    assert stream.getvalue() == "\r\x1b[2Ka long..." + "\r\x1b[2Kb\r\x1b[2K"


def test_without_a_terminal_there_is_no_live_line():
    stream = io.StringIO()
    live = LiveLine(stream, Terminal())
    live.show("text")
    live.clear()
    assert stream.getvalue() == ""
