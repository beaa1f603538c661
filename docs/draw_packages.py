# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Draw the packages of the engine into docs/architecture.md, from the imports of today.

Usage: python docs/draw_packages.py [--check]      (--check: write nothing, exit 1 if the picture is out of date)

An arrow points to what a package imports. An import that a longer way of arrows already shows is left out.
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
    """Return which packages (or single files) of the engine each one imports."""
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


def leave_out_detours(graph: Graph) -> Graph:
    """Return ``graph`` without the arrows that a longer way already shows (its transitive reduction)."""

    def reach(package: str) -> set[str]:
        return {further for direct in graph[package] for further in (direct, *reach(direct))}

    return {
        package: {name for name in imported if not any(name in reach(other) for other in imported - {name})}
        for package, imported in graph.items()
    }


def draw(graph: Graph) -> str:
    """Return ``graph`` as a Mermaid flowchart, which GitHub and the documentation site show as a picture."""
    lines = ["```mermaid", "flowchart TD"]
    for package in graph:
        count = len([path for path in (ENGINE / package).rglob("*.py") if path.name != "__init__.py"]) or 1
        lines.append(f'  {package}["{package} ({count})"]')
    for package, imported in graph.items():
        lines += [f"  {package} --> {name}" for name in sorted(imported)]
    return "\n".join([*lines, "```", ""])


def main(arguments: list[str]) -> int:
    """Bring the picture in the page up to date, or check that it is; the exit code."""
    text = PAGE.read_text(encoding="utf-8")
    before, _begin, rest = text.partition(BEGIN)
    _picture, _end, after = rest.partition(END)
    wanted = before + BEGIN + draw(leave_out_detours(read_imports())) + END + after
    if wanted == text:
        return 0
    if "--check" in arguments:
        print(f"The picture in {PAGE} is out of date. Run: python docs/draw_packages.py", file=sys.stderr)
        return 1
    PAGE.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
