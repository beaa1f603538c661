# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Draw the packages of the engine and their imports into docs/architecture.md.

Usage: python docs/draw_packages.py [--check]      (--check: write nothing, exit 1 if the picture is out of date)

An arrow points to an imported package. An import is omitted if a path of other arrows leads to the same package.
"""

from __future__ import annotations

import ast
import pathlib
import sys

CLONE = pathlib.Path(__file__).resolve().parent.parent
ENGINE = CLONE / "plugins" / "module_utils" / "_engine"
PAGE = CLONE / "docs" / "architecture.md"
BEGIN, END = "<!-- drawn by docs/draw_packages.py -->\n", "<!-- end of the picture -->\n"
Graph = dict[str, set[str]]


def read_imports() -> Graph:
    """Return the packages of the engine with the packages that each one imports. A single file counts as a package."""
    graph: Graph = {}
    for path in sorted(ENGINE.rglob("*.py")):
        if path.name == "__init__.py":
            continue
        parts = path.relative_to(ENGINE).with_suffix("").parts
        imported = graph.setdefault(parts[0], set())
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.level:
                base = [*parts[: len(parts) - node.level], *(node.module or "").split(".")]
                targets = [base[0]] if base[0] else [alias.name for alias in node.names]
                imported.update(name for name in targets if name != parts[0])
    return graph


def reduce_graph(graph: Graph) -> Graph:
    """Return the transitive reduction of ``graph``: without the arrows that a path of other arrows implies."""

    def reach(package: str) -> set[str]:
        return {further for direct in graph[package] for further in (direct, *reach(direct))}

    return {
        package: {name for name in imported if not any(name in reach(other) for other in imported - {name})}
        for package, imported in graph.items()
    }


def draw(graph: Graph) -> str:
    """Return ``graph`` as a Mermaid flowchart. GitHub shows it as a picture."""
    lines = ["```mermaid", "flowchart TD"]
    for package in graph:
        count = len([path for path in (ENGINE / package).rglob("*.py") if path.name != "__init__.py"]) or 1
        lines.append(f'  {package}["{package} ({count})"]')
    for package, imported in graph.items():
        lines += [f"  {package} --> {name}" for name in sorted(imported)]
    return "\n".join([*lines, "```", ""])


def main(arguments: list[str]) -> int:
    """Update the picture in the page, or check it. Return the exit code."""
    text = PAGE.read_text(encoding="utf-8")
    before, _begin, rest = text.partition(BEGIN)
    _picture, _end, after = rest.partition(END)
    wanted = before + BEGIN + draw(reduce_graph(read_imports())) + END + after
    if wanted == text:
        return 0
    if "--check" in arguments:
        print(f"The picture in {PAGE} is out of date. Run: python docs/draw_packages.py", file=sys.stderr)
        return 1
    PAGE.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
