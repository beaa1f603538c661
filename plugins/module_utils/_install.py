# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Putting the engine onto a host: the very files that this module arrived with, so that both are always the same."""

from __future__ import annotations

import compileall
import os
import shutil
import sys
from dataclasses import dataclass
from typing import Any, Dict, Optional, Tuple

from ._engine.cli import main as command
from ._engine.common.errors import usage_error
from ._engine.common.files import atomic_write, make_directory, read_text, remove
from ._engine.common.layout import Layout
from ._engine.config.task_store import list_tasks
from ._engine.systemd import install as systemd
from ._engine.systemd import unit_files as units
from ._engine.systemd.systemctl import is_running, systemctl

PACKAGE = command.__name__.rpartition(".cli.")[0]
COMMAND = """#!{interpreter} -I
# Written by skyhaul.cloudsync; changes are overwritten.
import sys

sys.path.insert(0, {engine_dir!r})
from _engine.cli.main import main

sys.exit(main())
"""


@dataclass(frozen=True)
class Installation:
    """``interpreter`` runs the command (None: the one that runs this module); ``rclone`` empty = the one on PATH."""

    interpreter: Optional[str]
    rclone: str


View = Dict[str, Any]


def converge_installation(layout: Layout, wanted: Installation, present: bool, check_mode: bool) -> Tuple[View, View]:
    """Install or remove engine, command, template unit and the link to rclone; the diff as (before, after)."""
    files = _files(layout, wanted) if present else {}
    link = wanted.rclone if present else ""
    before, after = _present(layout), {"files": files, "rclone": link, "watched": present}
    if before != after and not present:
        _refuse_while_used(layout)
    if before != after and not check_mode:
        if present:
            _install(layout, files, link, before)
        else:
            if is_running(layout) and before["watched"]:
                systemctl("stop", units.WATCH_TIMER_NAME)
            _remove(layout)
        if is_running(layout):
            systemctl("daemon-reload")
            if present:
                systemctl("restart", units.WATCH_TIMER_NAME)
    return _shown(before, files), _shown(after, before["files"])


def _shown(view: View, other: Dict[str, str]) -> View:
    """The diff names the files; of those that differ it shows the lines."""
    files = {
        path: text if other.get(path) != text and path in other else "(present)" for path, text in view["files"].items()
    }
    return {**view, "files": files}


def _files(layout: Layout, wanted: Installation) -> Dict[str, str]:
    interpreter = wanted.interpreter or sys.executable
    files = {f"{layout.engine_dir}/_engine/{name}": text for name, text in _engine_sources().items()}
    files[layout.command] = COMMAND.format(interpreter=interpreter, engine_dir=layout.engine_dir)
    files[_template(layout)] = units.render_service(layout)
    return {**files, **units.render_watch_units(layout)}


def _engine_sources() -> Dict[str, str]:
    """The engine's files, relative to its package; ``command`` stands above every room, so all of them are loaded."""
    sources = {}
    for name, module in list(sys.modules.items()):
        if name != PACKAGE and not name.startswith(PACKAGE + "."):
            continue
        relative = name[len(PACKAGE) + 1 :].replace(".", "/")
        if hasattr(module, "__path__"):
            path = "/".join(part for part in (relative, "__init__.py") if part)
        else:
            path = relative + ".py"
        loader = module.__spec__.loader if module.__spec__ else None
        text = loader.get_source(name) if loader is not None and hasattr(loader, "get_source") else None
        # Python's own loaders give text, those of Ansible bytes.
        sources[path] = text.decode() if isinstance(text, bytes) else text or ""
    return sources


def _template(layout: Layout) -> str:
    return f"{layout.unit_dir}/{units.TEMPLATE}"


def _present(layout: Layout) -> View:
    paths = [layout.command, _template(layout), *units.render_watch_units(layout)]
    for directory, _directories, names in os.walk(layout.engine_dir + "/_engine"):
        paths += [f"{directory}/{name}" for name in names if name.endswith(".py")]
    files = {path: read_text(path) for path in paths}
    link = os.readlink(layout.rclone_link) if os.path.islink(layout.rclone_link) else ""
    return {
        "files": {path: text for path, text in files.items() if text is not None},
        "rclone": link,
        "watched": os.path.islink(_watch_link(layout)),
    }


def _watch_link(layout: Layout) -> str:
    """The link that makes the watch start at boot."""
    return f"{layout.unit_dir}/timers.target.wants/{units.WATCH_TIMER_NAME}"


def _install(layout: Layout, files: Dict[str, str], link: str, before: View) -> None:
    for path, text in files.items():
        make_directory(os.path.dirname(path), 0o755)
        if before["files"].get(path) != text:
            atomic_write(path, text.encode(), 0o755 if path == layout.command else 0o644)
    for path in set(before["files"]) - set(files):
        remove(path)
    if before["rclone"] != link:
        remove(layout.rclone_link)
        if link:
            os.symlink(link, layout.rclone_link)
    systemd.make_link("../" + units.WATCH_TIMER_NAME, _watch_link(layout))
    # The unit's sandbox keeps Python from writing its cache later.
    compileall.compile_dir(layout.engine_dir, quiet=2)


def _refuse_while_used(layout: Layout) -> None:
    tasks = list_tasks(layout)
    if tasks:
        raise usage_error(
            f"The runner can't be removed while there are tasks: {', '.join(tasks)}. Remove them first "
            "(skyhaul.cloudsync.host_config with purge)."
        )


def _remove(layout: Layout) -> None:
    shutil.rmtree(layout.engine_dir, ignore_errors=True)
    remove(layout.command)
    for path in (_template(layout), _watch_link(layout), *units.render_watch_units(layout)):
        remove(path)
