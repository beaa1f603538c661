# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Install the engine: the files that the module was packed with, so that modules and command have the same version.

A new engine is written to its own folder and becomes current by one rename. A command that starts during an upgrade
therefore gets a complete engine. See systemd/engines.py for the removal of old engines.
"""

from __future__ import annotations

import compileall
import os
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Dict, Iterable, List, Mapping, NamedTuple, Optional, Sequence

from . import _shell_files
from ._engine.common.errors import CloudsyncError
from ._engine.common.files import atomic_write, make_directory, point_link, read_text
from ._engine.common.flock import wait_lock
from ._engine.common.layout import Layout
from ._engine.common.processes import ToolError, run_tool
from ._engine.config.credential_store import store_lock
from ._engine.config.stored_tasks import list_tasks
from ._engine.health import textfile
from ._engine.host import Host
from ._engine.systemd import engines, unit_names
from ._engine.systemd import unit_files as units
from ._engine.systemd.install import UnitChange, apply_units, make_link, read_units
from ._engine.systemd.stored_units import plan_stored_units
from ._engine.systemd.systemctl import is_running, systemctl
from ._interpreter import choose_interpreter
from ._sources import collect_sources, compute_digest

# How long an upgrade waits for commands that still run from the old engine. Longer ones leave it to the next upgrade,
# or to the recovery that systemd starts after each run.
DRAIN_SECONDS = 5.0
COMPILE_SECONDS = 120
COMMAND = """#!{interpreter} -I
# Written by skyhaul.cloudsync. Changes are overwritten.
import fcntl
import os
import sys

CURRENT = {current!r}


def hold_engine():
    # Resolved once: an upgrade that flips the link does not change what this process imports. The shared lock, held
    # until this process ends, keeps its engine from being removed.
    while True:
        engine = os.path.realpath(CURRENT)
        try:
            descriptor = os.open(engine, os.O_RDONLY)
            fcntl.flock(descriptor, fcntl.LOCK_SH)
        except FileNotFoundError:
            if os.path.realpath(CURRENT) == engine:
                sys.exit("cloudsync: " + CURRENT + " is missing. Install it with the module skyhaul.cloudsync.runner.")
            continue
        if os.path.realpath(CURRENT) == engine:
            return engine
        os.close(descriptor)


sys.path.insert(0, hold_engine())
from _engine.cli.main import main

sys.exit(main())
"""


@dataclass(frozen=True)
class Installation:
    """What to install.

    ``interpreter`` runs the command; None keeps the existing one if it works. ``rclone`` is the target of the link;
    None leaves the link as it is, and an empty text removes it, so that the rclone on PATH is used. ``textfile`` is the
    directory for metrics. None keeps the setting, and an empty text removes it with the file.
    """

    interpreter: Optional[str]
    rclone: Optional[str]
    textfile: Optional[str] = None


View = Dict[str, Any]


class Outcome(NamedTuple):
    """The diff of a call. ``left`` are the paths that a removal keeps, each with what it contains."""

    before: View
    after: View
    left: Sequence[Dict[str, str]] = ()
    warnings: Sequence[str] = ()


class _Present(NamedTuple):
    """What an installed runner has, and what of it differs now. ``units`` are the changes of the tasks' units."""

    before: View
    after: View
    sources: Dict[str, str]
    interpreter: str
    units: List[UnitChange]


def converge_installation(host: Host, wanted: Installation, check_mode: bool) -> Outcome:
    """Install engine, command, units and the link to rclone, and give each stored task its timer.

    ``engine`` in the diff is the digest of the engine's files, "damaged" if they are not what was installed.
    """
    layout = host.layout
    warnings: List[str] = []
    sources = collect_sources()
    interpreter = choose_interpreter(layout, wanted.interpreter, check_mode)
    units = _plan_units(host, warnings)
    metrics = read_textfile(layout) if wanted.textfile is None else textfile.check_directory(wanted.textfile)
    files = {**render_files(layout, interpreter), **_render_seed_drop_in(host)}
    before = read_installed(layout, files)
    rclone = before["rclone"] if wanted.rclone is None else wanted.rclone
    after: View = {"engine": compute_digest(sources), "files": files, "rclone": rclone}
    after.update(textfile=metrics, watched=True)
    before["tasks"] = {change.task: read_units(layout, change.task) for change in units}
    after["tasks"] = {change.task: {"timer": change.timer, "drop_in": change.drop_in} for change in units}
    if before != after and not check_mode:
        _install(layout, _Present(before, after, sources, interpreter, units))
    return Outcome(shorten_files(before, after["files"]), shorten_files(after, before["files"]), warnings=warnings)


def shorten_files(view: View, other: Mapping[str, str]) -> View:
    """Return ``view`` with the text of those files only that differ from ``other``."""
    files = {
        path: text if other.get(path) != text and path in other else "(present)" for path, text in view["files"].items()
    }
    return {**view, "files": files}


def render_files(layout: Layout, interpreter: str) -> Dict[str, str]:
    """Return path and text of all files outside of the engine. A removal removes the same files."""
    return {
        layout.command: COMMAND.format(interpreter=interpreter, current=layout.current_engine),
        f"{layout.unit_dir}/{unit_names.TEMPLATE}": units.render_service(layout),
        **units.render_common_units(layout),
        **{f"{layout.root}/usr/local/share/{path}": text for path, text in _shell_files.TEXTS.items()},
    }


def _render_seed_drop_in(host: Host) -> Dict[str, str]:
    """Return path and text of the drop-in that a bound seed needs, if the seed can be read."""
    with suppress(CloudsyncError, OSError):
        text = units.render_seed_drop_in(host.seed.bound) if host.has_seed else None
        return {unit_names.locate_seed_drop_in(host.layout): text} if text is not None else {}
    return {}


def _plan_units(host: Host, warnings: List[str]) -> List[UnitChange]:
    """Return the units that the stored tasks lack, after a removal for example."""
    found: List[UnitChange] = []
    for name in list_tasks(host.layout):
        try:
            found += plan_stored_units(host.layout, host.seed, name)
        except CloudsyncError as error:
            warnings.append(f"The timer of task {name} was not checked: {error.message}")
    return found


def list_links(layout: Layout) -> Dict[str, str]:
    """Return the links that start units at boot, and the name of each unit."""
    wants = {"timers": unit_names.WATCH_TIMER_NAME, "sockets": unit_names.HELPER_SOCKET_NAME}
    return {f"{layout.unit_dir}/{kind}.target.wants/{name}": name for kind, name in wants.items()}


def read_installed(layout: Layout, paths: Iterable[str]) -> View:
    """Return the existing state: the engine, the files among ``paths``, the link to rclone and the active units."""
    texts = {path: read_text(path) for path in paths}
    return {
        "engine": _read_engine(layout),
        "files": {path: text for path, text in texts.items() if text is not None},
        "rclone": os.readlink(layout.rclone_link) if os.path.islink(layout.rclone_link) else "",
        "textfile": read_textfile(layout),
        "watched": all(map(os.path.islink, list_links(layout))),
    }


def read_textfile(layout: Layout) -> str:
    """Return the directory for metrics, without CLOUDSYNC_ROOT. Empty if there is none."""
    return os.readlink(layout.textfile_link) if os.path.islink(layout.textfile_link) else ""


def _read_engine(layout: Layout) -> str:
    """Return the digest of the files of the current engine, or "damaged" if it differs from the folder's name."""
    name = engines.find_current(layout)
    folder = f"{layout.engine_dir}/{name}/_engine"
    if not name or not os.path.isdir(folder):
        return ""
    sources = {}
    for directory, _directories, names in os.walk(folder):
        for path in (f"{directory}/{found}" for found in names if found.endswith(".py")):
            with open(path, encoding="utf-8", errors="replace") as stream:
                sources[os.path.relpath(path, folder)] = stream.read()
    digest = compute_digest(sources)
    return digest if name.startswith(engines.PREFIX + digest) else "damaged"


def _install(layout: Layout, wanted: _Present) -> None:
    before, after = wanted.before, wanted.after
    make_directory(layout.engine_dir, 0o755)
    with wait_lock(engines.lock_path(layout)):
        if before["engine"] != after["engine"] or before["files"].get(layout.command) != after["files"][layout.command]:
            _switch_engine(layout, _write_engine(layout, wanted.sources, after["engine"], wanted.interpreter))
        for path, text in after["files"].items():
            if before["files"].get(path) != text:
                make_directory(os.path.dirname(path), 0o755)
                atomic_write(path, text.encode(), 0o755 if path == layout.command else 0o644)
        if before["rclone"] != after["rclone"]:
            point_link(layout.rclone_link, after["rclone"])
        if before["textfile"] != after["textfile"]:
            textfile.set_directory(layout, before["textfile"], after["textfile"])
        for link, name in list_links(layout).items():
            make_link("../" + name, link)
        if is_running(layout):
            systemctl("daemon-reload")
            systemctl("restart", *list_links(layout).values())
        _drain(layout)
    if wanted.units:
        with store_lock(layout):
            apply_units(layout, wanted.units)


def _write_engine(layout: Layout, sources: Mapping[str, str], digest: str, interpreter: str) -> str:
    """Write an engine with its byte code, and return the name of its folder. Nothing uses it yet."""
    temporary = tempfile.mkdtemp(prefix=f"{engines.PREFIX}{digest}.", dir=layout.engine_dir)
    make_directory(temporary, 0o755)
    for path, text in sources.items():
        target = f"{temporary}/_engine/{path}"
        make_directory(os.path.dirname(target), 0o755)
        atomic_write(target, text.encode(), 0o644)
    # The sandbox of the units prevents Python from writing its cache later.
    _compile(temporary, interpreter)
    return os.path.basename(temporary)


def _compile(folder: str, interpreter: str) -> None:
    if os.path.realpath(interpreter) == os.path.realpath(sys.executable):
        compileall.compile_dir(folder, quiet=2)
        return
    words = [interpreter, "-I", "-m", "compileall", "-qq", folder]
    try:
        run_tool(words, COMPILE_SECONDS)
    except ToolError as error:
        raise CloudsyncError("usage", f"Cannot run the interpreter {interpreter}: {error.message}") from None


def _switch_engine(layout: Layout, name: str) -> None:
    """Make the engine current, by one rename."""
    point_link(layout.current_engine, name)


def _drain(layout: Layout) -> None:
    """Remove old engines as soon as the commands that started from them have ended, within DRAIN_SECONDS."""
    deadline = time.monotonic() + DRAIN_SECONDS
    while not engines.remove_unused(layout) and time.monotonic() < deadline:
        time.sleep(0.1)
