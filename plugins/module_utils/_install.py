# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Install the engine: the files that the module was packed with, so that modules and command have the same version.

A new engine is written to its own folder and becomes current by one rename. A command that starts during an upgrade
therefore gets a complete engine. See systemd/engines.py for the removal of old engines.
"""

from __future__ import annotations

import ast
import compileall
import hashlib
import importlib.util
import os
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass
from typing import Any, Dict, Iterator, List, Mapping, Optional, Tuple

from ._engine.cli import main as command
from ._engine.common.errors import CloudsyncError, usage_error
from ._engine.common.files import atomic_write, make_directory, point_link, read_text, remove
from ._engine.common.flock import wait_lock
from ._engine.common.layout import Layout
from ._engine.common.processes import ToolError, run_tool
from ._engine.config.stored_tasks import list_tasks
from ._engine.health import textfile
from ._engine.systemd import engines, unit_names
from ._engine.systemd import unit_files as units
from ._engine.systemd.install import make_link
from ._engine.systemd.systemctl import is_running, systemctl
from ._interpreter import choose_interpreter

PACKAGE = command.__name__.rpartition(".cli.")[0]
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


def converge_installation(layout: Layout, wanted: Installation, present: bool, check_mode: bool) -> Tuple[View, View]:
    """Install or remove engine, command, units and the link to rclone; return the diff as (before, after).

    ``engine`` in the diff is the digest of the engine's files, "damaged" if they are not what was installed.
    """
    sources = collect_sources() if present else {}
    interpreter = choose_interpreter(layout, wanted.interpreter, check_mode) if present else ""
    before = _read_present(layout)
    rclone = before["rclone"] if wanted.rclone is None else wanted.rclone
    metrics = before["textfile"] if wanted.textfile is None else textfile.check_directory(wanted.textfile)
    after: View = {
        "engine": compute_digest(sources) if present else "",
        "files": _render_files(layout, interpreter, metrics) if present else {},
        "rclone": rclone if present else "",
        "textfile": metrics if present else "",
        "watched": present,
    }
    if before != after and not present:
        _refuse_while_used(layout)
    if before != after and not check_mode:
        if present:
            _install(layout, sources, interpreter, before, after)
        else:
            _remove(layout, before)
    return _shorten(before, after["files"]), _shorten(after, before["files"])


def _shorten(view: View, other: Mapping[str, str]) -> View:
    """Return ``view`` with the text of those files only that differ from ``other``."""
    files = {
        path: text if other.get(path) != text and path in other else "(present)" for path, text in view["files"].items()
    }
    return {**view, "files": files}


def _render_files(layout: Layout, interpreter: str, metrics: str) -> Dict[str, str]:
    """Return path and text of the files outside of the engine."""
    return {
        layout.command: COMMAND.format(interpreter=interpreter, current=layout.current_engine),
        _template(layout): units.render_service(layout),
        **units.render_common_units(layout, metrics and layout.root + metrics),
    }


def collect_sources() -> Dict[str, str]:
    """Return the engine's files that the command reaches, by path relative to the engine's package.

    The imports are followed in the sources, so that a module that a verb imports late is found without importing it.
    """
    sources: Dict[str, str] = {}
    waiting = [command.__name__[len(PACKAGE) + 1 :]]
    seen = set()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        for path, module in _locate(name):
            if path not in sources:
                sources[path] = _read_source(module)
                waiting += _list_imports(module[len(PACKAGE) + 1 :], sources[path])
    return sources


def _locate(name: str) -> Iterator[Tuple[str, str]]:
    """Return the files of the engine's module ``name`` and of the packages above it, each with its full module name."""
    parts = name.split(".") if name else []
    for depth in range(len(parts) + 1):
        module = ".".join([PACKAGE, *parts[:depth]])
        found = importlib.util.find_spec(module)
        if found is None:
            return
        if found.submodule_search_locations is None:
            yield "/".join(parts[:depth]) + ".py", module
            return
        yield "/".join([*parts[:depth], "__init__.py"]), module


def _read_source(module: str) -> str:
    found = importlib.util.find_spec(module)
    loader = found.loader if found is not None else None
    text = loader.get_source(module) if loader is not None and hasattr(loader, "get_source") else None
    # Python's own loaders give text, those of Ansible bytes.
    return text.decode() if isinstance(text, bytes) else text or ""


def _list_imports(name: str, source: str) -> List[str]:
    """Return the engine's modules that the module ``name`` imports, and possibly names that are not modules."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = name.split(".")[: -node.level]
            target = ".".join([*base, *(node.module.split(".") if node.module else [])])
            found += [target] if node.module else [".".join([*base, alias.name]) for alias in node.names]
            found += [f"{target}.{alias.name}" for alias in node.names] if node.module else []
    return found


def compute_digest(sources: Mapping[str, str]) -> str:
    """Return a digest of the engine's files, as 16 hexadecimal digits."""
    digest = hashlib.sha256()
    for path, text in sorted(sources.items()):
        digest.update(f"{path}\0{text}\0".encode())
    return digest.hexdigest()[:16]


def _template(layout: Layout) -> str:
    return f"{layout.unit_dir}/{unit_names.TEMPLATE}"


def _list_links(layout: Layout) -> Dict[str, str]:
    """Return the links that start units at boot, and the name of each unit."""
    wants = {"timers": unit_names.WATCH_TIMER_NAME, "sockets": unit_names.HELPER_SOCKET_NAME}
    return {f"{layout.unit_dir}/{kind}.target.wants/{name}": name for kind, name in wants.items()}


def _read_present(layout: Layout) -> View:
    texts = {path: read_text(path) for path in (layout.command, _template(layout), *units.render_common_units(layout))}
    return {
        "engine": _read_engine(layout),
        "files": {path: text for path, text in texts.items() if text is not None},
        "rclone": os.readlink(layout.rclone_link) if os.path.islink(layout.rclone_link) else "",
        "textfile": os.readlink(layout.textfile_link) if os.path.islink(layout.textfile_link) else "",
        "watched": all(map(os.path.islink, _list_links(layout))),
    }


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


def _install(layout: Layout, sources: Mapping[str, str], interpreter: str, before: View, after: View) -> None:
    make_directory(layout.engine_dir, 0o755)
    with wait_lock(engines.lock_path(layout)):
        if before["engine"] != after["engine"] or before["files"].get(layout.command) != after["files"][layout.command]:
            _switch_engine(layout, _write_engine(layout, sources, after["engine"], interpreter))
        for path, text in after["files"].items():
            if before["files"].get(path) != text:
                make_directory(os.path.dirname(path), 0o755)
                atomic_write(path, text.encode(), 0o755 if path == layout.command else 0o644)
        if before["rclone"] != after["rclone"]:
            point_link(layout.rclone_link, after["rclone"])
        if before["textfile"] != after["textfile"]:
            textfile.set_directory(layout, before["textfile"], after["textfile"])
        for link, name in _list_links(layout).items():
            make_link("../" + name, link)
        if is_running(layout):
            systemctl("daemon-reload")
            systemctl("restart", *_list_links(layout).values())
        _drain(layout)


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


def _refuse_while_used(layout: Layout) -> None:
    tasks = list_tasks(layout)
    if tasks:
        raise usage_error(
            f"The runner cannot be removed while this host has tasks: {', '.join(tasks)}. Remove them first "
            "(skyhaul.cloudsync.host_config with purge)."
        )


def _remove(layout: Layout, before: View) -> None:
    if is_running(layout) and before["watched"]:
        systemctl("stop", *_list_links(layout).values())
    if before["textfile"]:
        textfile.set_directory(layout, before["textfile"], "")
    # The command goes first: without it nothing starts from an engine that is being removed.
    for path in (layout.command, _template(layout), *_list_links(layout), *units.render_common_units(layout)):
        remove(path)
    shutil.rmtree(layout.engine_dir, ignore_errors=True)
    if is_running(layout):
        systemctl("daemon-reload")
