# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Render a report as one HTML page: no script, no external content, light and dark, cards on a narrow screen."""

from __future__ import annotations

import datetime
from html import escape
from typing import Any, List, Mapping, Optional, Sequence

from ...module_utils._engine.common.text import format_size
from .fleet import FAILED, LEVELS, parse_moment

# With this policy a browser runs and loads nothing, even if a text were not escaped.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
STYLE = """
:root { color-scheme: light dark; --page: #f6f7f9; --card: #fff; --text: #1c2026; --faint: #5c6572; --line: #dde1e7;
  --problem: #b3261e; --running: #1a56b0; --pending: #7a5a00; --fine: #1f6f3d; --disabled: #5c6572; }
@media (prefers-color-scheme: dark) { :root { --page: #14171b; --card: #1d2126; --text: #e6e9ee; --faint: #9aa4b1;
  --line: #333a43; --problem: #ff8a80; --running: #8ab8ff; --pending: #e6c35c; --fine: #7fd49b; --disabled: #9aa4b1; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.25rem; max-width: 100rem; background: var(--page); color: var(--text);
  font: 0.95rem/1.45 system-ui, sans-serif; }
h1 { margin: 0; font-size: 1.4rem; } h2 { margin: 1.75rem 0 0.5rem; font-size: 1.1rem; }
p { margin: 0.25rem 0; } .faint, small { color: var(--faint); } small { display: block; font-size: 0.8rem; }
ul.totals { display: flex; flex-wrap: wrap; gap: 0.6rem; margin: 1rem 0; padding: 0; list-style: none; }
.totals li { min-width: 6.5rem; padding: 0.5rem 0.8rem; border: 1px solid var(--line); border-radius: 0.5rem;
  background: var(--card); } .totals b { display: block; font-size: 1.5rem; line-height: 1.2; }
table { width: 100%; border-collapse: collapse; background: var(--card); border: 1px solid var(--line); }
th, td { padding: 0.45rem 0.7rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top;
  overflow-wrap: anywhere; } thead th { color: var(--faint); font-size: 0.8rem; font-weight: 600; }
tbody th { min-width: 8rem; font-weight: 600; } td.task { min-width: 10rem; } td.state { min-width: 9rem; }
td.message { min-width: 16rem; width: 100%; } td.time, td.count { white-space: nowrap; overflow-wrap: normal; }
tbody tr { border-left: 0.3rem solid var(--level); }
.state b, .totals b { color: var(--level); }
.problem { --level: var(--problem); } .running { --level: var(--running); } .pending { --level: var(--pending); }
.fine { --level: var(--fine); } .disabled { --level: var(--disabled); } .none { --level: var(--faint); }
@media (max-width: 76rem) { body { padding: 0.75rem; } table { display: block; border: 0; background: none; }
  thead { display: none; }
  tbody { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(24rem, 100%), 1fr)); gap: 0.75rem; }
  tbody tr { display: block; padding: 0.4rem 0; background: var(--card);
    border: 1px solid var(--line); border-left: 0.3rem solid var(--level); border-radius: 0.4rem; }
  tbody th, td { display: grid; grid-template-columns: 5.5rem 1fr; gap: 0.5rem; padding: 0.15rem 0.8rem; border: 0; }
  td:empty { display: none; } tbody th, td.task, td.state, td.message { width: auto; min-width: 0; }
  tbody th::before, td::before { content: attr(data-label); color: var(--faint); font-weight: 400; } }
"""
PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<header>
<h1>{title}</h1>
<p>{summary}</p>
<p class="faint">As of {generated}. Times are in UTC.</p>
</header>
<ul class="totals">
{totals}
</ul>
<main>
{sections}
</main>
</body>
</html>
"""
HEADINGS = (
    "Host",
    "Task",
    "State",
    "Message",
    "Last run",
    "Duration",
    "Transferred",
    "Next run",
    "Last proven restore",
)
HOST_WORDS = {"unreachable": "unreachable", "failed": "failed", "not_asked": "not asked"}
UNITS = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))


def render_page(report: Mapping[str, Any], title: str) -> str:
    """Render the page for the result of build_report(). Every text is escaped here."""
    now = parse_moment(report["generated"]) or datetime.datetime.now(datetime.timezone.utc)
    silent = [host for host in report["hosts"] if host["state"] != "answered"]
    bare = [host["host"] for host in report["hosts"] if host["state"] == "answered" and not host["tasks"]]
    sections = [
        _render_silent_hosts(silent),
        _render_unhealthy_hosts([host for host in report["hosts"] if host["problems"]]),
        _render_tasks(report["tasks"], now),
        _render_bare_hosts(bare),
    ]
    return PAGE.format(
        policy=POLICY,
        style=STYLE,
        title=escape(title),
        summary=escape(report["summary"]),
        generated=_render_time(report["generated"]),
        totals="\n".join(_render_totals(report["totals"])),
        sections="\n".join(section for section in sections if section),
    )


def _render_totals(totals: Mapping[str, int]) -> List[str]:
    """Render the numbers of hosts and tasks, then the problems, in the colour of their level if there are any."""
    shown = [("hosts", "hosts", "none"), ("silent", "without an answer", "problem"), ("tasks", "tasks", "none")]
    shown += [("failed", "failed", "problem"), ("overdue", "overdue", "problem")]
    shown += [(level, level, level) for level in LEVELS[1:]]
    return [
        f'<li class="{level if totals[key] else "none"}"><b>{totals[key]}</b> {word}</li>' for key, word, level in shown
    ]


def _render_silent_hosts(hosts: Sequence[Mapping[str, Any]]) -> str:
    if not hosts:
        return ""
    rows = [
        _render_row(
            "problem",
            _render_head("Host", host["host"]),
            _render_cell("State", "state", f"<b>{HOST_WORDS[host['state']]}</b>"),
            _render_message("Message", host["message"]),
        )
        for host in hosts
    ]
    return _render_section("Hosts that did not answer", ("Host", "State", "Message"), rows)


def _render_unhealthy_hosts(hosts: Sequence[Mapping[str, Any]]) -> str:
    if not hosts:
        return ""
    rows = [
        _render_row(
            "problem",
            _render_head("Host", host["host"]),
            _render_message("Problem", problem),
        )
        for host in hosts
        for problem in host["problems"]
    ]
    return _render_section("Hosts with problems", ("Host", "Problem"), rows)


def _render_tasks(tasks: Sequence[Mapping[str, Any]], now: datetime.datetime) -> str:
    if not tasks:
        return "<h2>Tasks</h2>\n<p>No host has a task.</p>"
    return _render_section("Tasks, problems first", HEADINGS, [_render_task(task, now) for task in tasks])


def _render_bare_hosts(hosts: Sequence[str]) -> str:
    if not hosts:
        return ""
    return f"<h2>Hosts without a task</h2>\n<p>{escape(', '.join(hosts))}</p>"


def _render_section(heading: str, columns: Sequence[str], rows: Sequence[str]) -> str:
    head = "".join(f'<th scope="col">{column}</th>' for column in columns)
    body = "\n".join(rows)
    return f"<h2>{heading}</h2>\n<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>"


def _render_row(kind: str, *cells: str) -> str:
    return f'<tr class="{kind}">{"".join(cells)}</tr>'


def _render_task(task: Mapping[str, Any], now: datetime.datetime) -> str:
    host, name, state, message, last_run, duration, moved, next_run, proven = HEADINGS
    does = f"{task['direction']} {task['mode']}" + (": " + task["description"] if task["description"] else "")
    cells = [
        _render_head(host, task["host"]),
        _render_cell(name, "task", f"<span>{escape(task['task'])}{_render_small(does)}</span>"),
        _render_cell(state, "state", _render_state(task)),
        _render_message(message, task["message"], _name_log(task)),
        _render_cell(last_run, "time", _render_when(task["started"], now)),
        _render_cell(duration, "count", "" if task["duration"] is None else _format_length(task["duration"])),
        _render_cell(moved, "count", _render_moved(task)),
        _render_cell(next_run, "time", _render_when(task["next"], now) if task["enabled"] else ""),
        _render_cell(proven, "time", _render_proven(task, now)),
    ]
    return _render_row(escape(task["level"]), *cells)


def _render_proven(task: Mapping[str, Any], now: datetime.datetime) -> str:
    """Render when a drill last succeeded, and the state of the last one if it did not."""
    if not task["drill_state"]:
        return ""
    failed = task["drill_state"] if task["drill_state"] not in ("success", "pending") else ""
    return _render_when(task["last_proven"], now, failed) or f"<span>never{_render_small(failed)}</span>"


def _render_head(label: str, text: str) -> str:
    return f'<th scope="row" data-label="{label}">{escape(text)}</th>'


def _render_cell(label: str, kind: str, content: str) -> str:
    """Render a cell. ``content`` is HTML with at most one element."""
    return f'<td class="{kind}" data-label="{label}">{content}</td>'


def _render_message(label: str, text: str, more: str = "") -> str:
    return _render_cell(label, "message", f"<span>{escape(text)}{_render_small(more)}</span>")


def _render_state(task: Mapping[str, Any]) -> str:
    """Render the state, its reason and further facts."""
    word = task["state"]
    if task["percent"] is not None:
        word += f" {task['percent']}%"
    notes = [task["reason"]] if task["reason"] else []
    if task["overdue_since"]:
        word += ", overdue"
        notes.append(f"since {_format_clock(task['overdue_since'])}")
    if not task["enabled"]:
        notes.append("disabled")
    return f"<span><b>{escape(word)}</b>{_render_small(', '.join(notes))}</span>"


def _name_log(task: Mapping[str, Any]) -> str:
    """Return the path of the log of a failed task."""
    return f"Log: {task['log']}" if task["log"] and task["state"] in FAILED else ""


def _render_moved(task: Mapping[str, Any]) -> str:
    if task["started"] is None:
        return ""
    counts = f"{task['transfers']} file{'' if task['transfers'] == 1 else 's'}"
    if task["deletes"]:
        counts += f", {task['deletes']} deleted"
    return f"<span>{escape(format_size(task['bytes']))}{_render_small(counts)}</span>"


def _render_small(text: str) -> str:
    return f"<small>{escape(text)}</small>" if text else ""


def _render_when(text: Optional[str], now: datetime.datetime, more: str = "") -> str:
    """Render a time, and how far it is from now, and ``more``."""
    time = parse_moment(text)
    if text is None or time is None:
        return ""
    seconds = int((time - now).total_seconds())
    distance = "in " + _format_length(seconds) if seconds > 0 else _format_length(-seconds) + " ago"
    return f"<span>{_render_time(text)}{_render_small(', '.join(filter(None, (distance, more))))}</span>"


def _render_time(text: str) -> str:
    return f'<time datetime="{escape(text)}">{_format_clock(text)}</time>'


def _format_clock(text: str) -> str:
    """Return a time in UTC, to the minute."""
    time = parse_moment(text)
    return time.astimezone(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M") if time else ""


def _format_length(seconds: int) -> str:
    """Return the largest unit and the one after it: "2 d 3 h", "5 min"."""
    for index, (size, unit) in enumerate(UNITS):
        if seconds >= size or size == 1:
            text = f"{seconds // size} {unit}"
            rest = UNITS[index + 1 : index + 2]
            more = [(seconds % size // smaller, word) for smaller, word in rest]
            return " ".join([text, *(f"{amount} {word}" for amount, word in more if amount)])
    return ""
