# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The house is as docs/architecture.md draws it."""

from __future__ import annotations

import ast
import fnmatch
import pathlib
import re

import pytest

HOME = pathlib.Path(__file__).parents[2]
ENGINE = HOME / "plugins" / "module_utils" / "_engine"


def rooms():
    """The floors of the table, lowest first, each with the patterns of its rooms."""
    text = (HOME / "docs" / "architecture.md").read_text()
    table = text.split("| floor | rooms |")[1].split("\n\n")[0]
    return [re.findall(r"`([^`]+)`", line.split("|")[2]) for line in table.splitlines()[2:]]


def floor_of(module):
    """The floor of an engine module such as ``run`` or ``rclone/logs``."""
    for number, patterns in enumerate(rooms()):
        for pattern in patterns:
            if fnmatch.fnmatch(module, pattern + "*" if pattern.endswith("/") else pattern):
                return number
    return None


def engine_modules():
    files = (path.relative_to(ENGINE) for path in ENGINE.rglob("*.py") if path.name != "__init__.py")
    return sorted(str(path.with_suffix("")) for path in files)


def imports_of(module):
    """The engine modules that ``module`` imports, in the same spelling."""
    tree = ast.parse((ENGINE / (module + ".py")).read_text())
    here = module.split("/")[:-1]
    known = set(engine_modules())
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = here[: len(here) - (node.level - 1)]
            target = base + (node.module.split(".") if node.module else [])
            if "/".join(target) in known:
                yield "/".join(target)
            else:
                yield from ("/".join([*target, alias.name]) for alias in node.names)


@pytest.mark.parametrize("module", engine_modules())
def test_every_room_has_a_floor_and_imports_none_above_it(module):
    floor = floor_of(module)
    assert floor is not None, f"{module} is missing in docs/architecture.md"
    for imported in imports_of(module):
        above = floor_of(imported)
        assert above is not None and above <= floor, f"{module} imports {imported}, from a floor above"


def test_no_two_rooms_import_each_other():
    graph = {module: set(imports_of(module)) for module in engine_modules()}
    while graph:
        free = [module for module, imported in graph.items() if not imported & graph.keys()]
        assert free, f"a circle among {sorted(graph)}"
        for module in free:
            del graph[module]


@pytest.mark.parametrize("module", engine_modules())
def test_the_engine_knows_no_ansible(module):
    assert "import ansible" not in (text := (ENGINE / (module + ".py")).read_text()) and "from ansible" not in text
