# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Build the documentation as one site: the guides, and the reference of modules, plugins and roles.

Usage: python docs/sphinx/build.py FOLDER

FOLDER is replaced. It gets the folders source and html. Every warning is an error, such as a link that leads nowhere
or a page that no table of contents has. ANSIBLE_COLLECTIONS_PATH has to contain this collection. No step needs a
network, and neither do the pages.
"""

from __future__ import annotations

import pathlib
import re
import shutil
import subprocess
import sys
import zlib

HERE = pathlib.Path(__file__).resolve().parent
CLONE = HERE.parent.parent
COLLECTION = "skyhaul.cloudsync"
PAGES = ("[!C]*.md", "CO*.md", "LICENSE", "docs/*.md", "docs/images/*")
# The places in Ansible's documentation that the reference links to, by role and name. Their inventory is large and on
# another server.
SETTINGS = "reference_appendices/config.html"
LABELS = {
    "label action_plugins": ("plugins/action.html", "Action plugins"),
    "label ansible_configuration_settings": (SETTINGS, "Ansible Configuration Settings"),
    "label common_return_values": ("reference_appendices/common_return_values.html", "Return Values"),
    "envvar ANSIBLE_HOME": (f"{SETTINGS}#envvar-ANSIBLE_HOME", "-"),
}
# Parts of the reference that are other on this site: a pattern and its replacement.
REPLACED = (
    # The theme shows the contents of a page at its side.
    (r"^\.\. contents::\n(?: +:.*\n)+", ""),
    # The sidebar has room for short names only.
    (r"^    (\w+)_(module|filter|lookup|role)$", r"    \1 (\2) <\1_\2>"),
    # The guides are a part of this site.
    (r"`([^`<]+) <https://github\.com/skyhaul/cloudsync/blob/main/([^>]+)\.md>`__", r":doc:`\1 </\2>`"),
)


def copy_pages(source: pathlib.Path) -> None:
    """Copy the pages to the paths that they have in the clone, so that their links lead to each other."""
    shutil.copyfile(HERE / "index.md", source / "index.md")
    for path in (path for pattern in PAGES for path in CLONE.glob(pattern)):
        copy = source / path.relative_to(CLONE)
        copy.parent.mkdir(parents=True, exist_ok=True)
        # The reference contains the changelog.
        copy.write_bytes(path.read_bytes().replace(b"CHANGELOG.md)", b"reference/changelog.rst)"))


def write_reference(folder: pathlib.Path) -> None:
    """Write the pages of all modules, plugins and roles."""
    folder.mkdir(mode=0o755)
    options = ("--use-current", "--squash-hierarchy", "--fail-on-error", "--no-add-antsibull-docs-version")
    subprocess.run(["antsibull-docs", "collection", *options, "--dest-dir", folder, COLLECTION], check=True)
    for path in folder.rglob("*.rst"):
        text = path.read_text(encoding="utf-8")
        for pattern, replacement in REPLACED:
            text = re.sub(pattern, replacement, text, flags=re.MULTILINE)
        path.write_text(text, encoding="utf-8")


def write_labels(path: pathlib.Path) -> None:
    """Write LABELS in the format of the extension intersphinx."""
    head = "# Sphinx inventory version 2\n# Project: Ansible\n# Version: latest\n# Compressed with zlib.\n"
    names = {tuple(label.split()): place for label, place in LABELS.items()}
    lines = "".join(f"{name} std:{role} -1 {page} {title}\n" for (role, name), (page, title) in names.items())
    path.write_bytes(head.encode() + zlib.compress(lines.encode()))


def find_foreign_parts(html: pathlib.Path) -> list[str]:
    """Return the scripts, styles and pictures that pages load from another server."""
    pattern = re.compile(
        r"<(?:script|img|object|iframe|link rel=\"stylesheet\")[^>]* (?:src|href|data)=\"(?:https?:)?//[^>]*>"
    )
    pages = sorted(html.rglob("*.html"))
    return [f"{page}: {part}" for page in pages for part in pattern.findall(page.read_text(encoding="utf-8"))]


def main(arguments: list[str]) -> int:
    """Build the site and return the exit code."""
    folder = pathlib.Path(arguments[0]).resolve()
    shutil.rmtree(folder, ignore_errors=True)
    source = folder / "source"
    source.mkdir(parents=True, mode=0o755)
    copy_pages(source)
    write_reference(source / "reference")
    write_labels(source / "ansible.inv")
    words = ("-m", "sphinx", "--quiet", "--fail-on-warning", "--conf-dir", HERE, "--doctree-dir", folder / "doctrees")
    built = subprocess.run([sys.executable, *words, source, folder / "html"], check=False).returncode
    foreign = find_foreign_parts(folder / "html")
    print(*foreign, sep="\n", end="\n" if foreign else "", file=sys.stderr)
    return built or int(bool(foreign))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
