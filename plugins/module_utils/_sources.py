# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Collect the files of the engine that the command needs, from the files that the module was packed with."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
from typing import Dict, Iterator, List, Mapping, Tuple

from ._engine.cli import main as command

PACKAGE = command.__name__.rpartition(".cli.")[0]


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
