# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The packages are as docs/architecture.md says."""

from __future__ import annotations

import ast
import pathlib
import re
import subprocess
import sys

import pytest

CLONE = pathlib.Path(__file__).parents[2]
PLUGINS = CLONE / "plugins"
ENGINE = PLUGINS / "module_utils" / "_engine"
TEXT = (CLONE / "docs" / "architecture.md").read_text(encoding="utf-8")
MOST_FILES = 12
# Starts every process of the engine. Other modules call its functions.
STARTS_PROCESSES = "common/processes"


def allowed_imports():
    """What each package may import, as the table in docs/architecture.md says."""
    table = TEXT.split("| package | may import |\n| --- | --- |\n")[1].split("\n\n")[0]
    allowed = {}
    for line in table.splitlines():
        packages, imports = (cell.strip() for cell in line.strip("| ").split(" | "))
        for package in packages.split(", "):
            allowed[package] = set() if imports == "nothing" else set(imports.split())
    return allowed


ALLOWED = allowed_imports()


def modules(folder=ENGINE):
    """The modules below ``folder``, as ``runs/run``."""
    files = (path.relative_to(folder) for path in folder.rglob("*.py") if path.name != "__init__.py")
    return sorted(str(path.with_suffix("")) for path in files)


MODULES = modules()


def package_of(module):
    """The part of the architecture that a module belongs to: its folder, or itself (``host``)."""
    return module.split("/")[0]


def imports_of(module):
    """The engine modules that ``module`` imports, in the same spelling."""
    tree = ast.parse((ENGINE / (module + ".py")).read_text(encoding="utf-8"))
    here = module.split("/")[:-1]
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = here[: len(here) - (node.level - 1)]
            target = base + (node.module.split(".") if node.module else [])
            if "/".join(target) in MODULES:
                yield "/".join(target)
            else:
                yield from ("/".join([*target, alias.name]) for alias in node.names)


def absolute_imports_of(path):
    """The names of the modules that the file at ``path`` imports absolutely."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module


def test_the_table_and_the_tree_name_every_package():
    packages = {package_of(module) for module in MODULES}
    assert packages == set(ALLOWED)
    tree = TEXT.split("```text\n")[1].split("```")[0]
    named = set(re.findall(r"^ +(\w+)(?:/|\.py) +\S", tree, re.MULTILINE))
    assert packages - named == set()
    assert {path.name for path in (PLUGINS / "plugin_utils").iterdir() if path.is_dir()} - named <= {"__pycache__"}


def test_every_file_that_the_page_names_exists():
    named = re.findall(r"`([a-z0-9_/]+/[a-z0-9_]+\.py)`", TEXT)
    assert len(named) > 20
    assert [name for name in named if not (ENGINE / name).exists() and not (CLONE / name).exists()] == []


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_only_what_the_table_allows(module):
    package = package_of(module)
    for imported in imports_of(module):
        assert imported in MODULES, f"{module} imports {imported}, which does not exist"
        assert package_of(imported) in ALLOWED[package] | {package}, f"{module} imports {imported}"


def test_no_two_modules_import_each_other():
    graph = {module: set(imports_of(module)) for module in MODULES}
    while graph:
        free = [module for module, imported in graph.items() if not imported & graph.keys()]
        assert free, f"a cycle among {sorted(graph)}"
        for module in free:
            del graph[module]


def test_a_module_that_declares_tasks_is_sent_without_the_code_of_a_run():
    sent, left = set(), ["operations/apply"]
    while left:
        module = left.pop()
        sent.add(module)
        left += set(imports_of(module)) - sent
    assert {name for name in sent if package_of(name) in ("transfer", "snapshots")} == set()
    assert not sent & {"runs/run", "remote/session", "remote/open", "remote/live_config", "guards/sequence"}


def test_host_is_the_only_module_outside_the_packages():
    assert [module for module in MODULES if "/" not in module] == ["host"]


def test_no_package_has_more_files_than_a_reader_can_keep_in_mind():
    folders = [folder for folder in ENGINE.rglob("*") if folder.is_dir() and folder.name != "__pycache__"]
    sizes = {str(folder): len([f for f in folder.glob("*.py") if f.name != "__init__.py"]) for folder in folders}
    assert {name: size for name, size in sizes.items() if size > MOST_FILES} == {}


def test_the_package_files_are_empty_so_that_an_import_brings_no_siblings():
    full = [path for path in PLUGINS.rglob("__init__.py") if path.read_text(encoding="utf-8")]
    assert full == []


@pytest.mark.parametrize("module", MODULES)
def test_the_engine_does_not_know_ansible(module):
    imported = absolute_imports_of(ENGINE / (module + ".py"))
    assert [name for name in imported if name.split(".")[0].startswith("ansible")] == []


@pytest.mark.parametrize("module", MODULES)
def test_only_one_module_starts_processes(module):
    starts = "subprocess" in absolute_imports_of(ENGINE / (module + ".py"))
    assert starts == (module == STARTS_PROCESSES)


CHANGING = {"add", "append", "clear", "discard", "extend", "insert", "pop", "remove", "setdefault", "sort", "update"}


def find_changes_of_state(source):
    """Yield what changes an object of the module itself: it would outlive a call where a process serves many."""
    tree = ast.parse(source)
    assigned = [node for node in tree.body if isinstance(node, (ast.Assign, ast.AnnAssign))]
    targets = [target for node in assigned for target in getattr(node, "targets", None) or [node.target]]
    shared = {target.id for target in targets if isinstance(target, ast.Name)}
    for function in (node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.Lambda))):
        for node in ast.walk(function):
            if isinstance(node, ast.Global):
                yield f"global {', '.join(node.names)}"
            elif isinstance(node, ast.Subscript) and not isinstance(node.ctx, ast.Load):
                yield from (name for name in [getattr(node.value, "id", "")] if name in shared)
            elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") in CHANGING:
                yield from (name for name in [getattr(node.func.value, "id", "")] if name in shared)


@pytest.mark.parametrize(
    "source",
    [
        "SEEN = []\ndef f():\n    SEEN.append(1)",
        "SEEN: dict = {}\ndef f():\n    SEEN[1] = 2",
        "SEEN = {}\ndef f():\n    del SEEN[1]",
        "COUNT = 0\ndef f():\n    global COUNT\n    COUNT += 1",
    ],
)
def test_a_change_of_state_is_found(source):
    assert len([*find_changes_of_state(source)]) == 1


@pytest.mark.parametrize("folder", ["modules", "module_utils"])
def test_no_module_on_a_host_keeps_state_between_calls(folder):
    # mitogen runs many modules in one process.
    found = {str(path): [*find_changes_of_state(path.read_text("utf-8"))] for path in (PLUGINS / folder).rglob("*.py")}
    assert {path: names for path, names in found.items() if names} == {}


@pytest.mark.parametrize("module", modules(PLUGINS / "module_utils"))
def test_what_runs_on_hosts_does_not_need_the_control_node(module):
    text = (PLUGINS / "module_utils" / (module + ".py")).read_text(encoding="utf-8")
    assert "plugin_utils" not in text


def test_the_picture_of_the_packages_is_drawn_from_the_imports_of_today():
    drawn = subprocess.run(
        [sys.executable, str(CLONE / "docs" / "draw_packages.py"), "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert drawn.returncode == 0, drawn.stdout + drawn.stderr
