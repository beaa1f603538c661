# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every page of the documentation: its links lead somewhere, it is on the site, and pages for users name no tests."""

from __future__ import annotations

import pathlib
import re
import sys

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common import errors
from ansible_collections.skyhaul.cloudsync.plugins.plugin_utils import _reasons

HOME = pathlib.Path(__file__).parents[2]
sys.path.insert(0, str(HOME / "docs"))

import write_reasons

PAGES = [HOME / "README.md", *sorted(HOME.glob("docs/*.md")), *sorted(HOME.glob("roles/*/README.md"))]
FOR_USERS = [page for page in PAGES if page.name != "architecture.md"]


def name_of(page):
    return str(page.relative_to(HOME))


def find_anchors(page):
    """Return the anchors of a page's headings, as GitHub makes them."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_there_are_pages():
    assert len(PAGES) > 10


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_leads_to_a_page_and_a_heading(page):
    links = re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8"))
    broken = []
    for link in links:
        path, _hash, anchor = link.partition("#")
        if ":" in path:
            continue
        target = (page.parent / path).resolve() if path else page
        if not target.is_file() or (anchor and anchor not in find_anchors(target)):
            broken.append(link)
    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_page_is_linked_from_another_one(page):
    if page.parent.name == "docs":
        others = [other.read_text(encoding="utf-8") for other in PAGES if other != page]
        assert any(f"{page.name})" in text or f"{page.name}#" in text for text in others)


@pytest.mark.parametrize("page", FOR_USERS, ids=name_of)
def test_no_page_for_users_names_a_test(page):
    assert re.findall(r"\btest_\w+", page.read_text(encoding="utf-8")) == []


def test_every_guide_is_in_the_contents_of_the_site_and_in_the_list_for_other_sites():
    contents, others = ((HOME / name).read_text() for name in ("docs/sphinx/index.md", "docs/docsite/rst/guides.rst"))
    guides = {f"docs/{page.name}" for page in HOME.glob("docs/*.md")}
    tables = "".join(re.findall(r"^```{toctree}\n(.*?)^```$", contents, re.MULTILINE | re.DOTALL))
    assert set(re.findall(r"docs/[\w-]+\.md", tables)) == guides
    assert (
        set(re.findall(r"^\* `.+ <https://github\.com/skyhaul/cloudsync/blob/main/(\S+)>`__$", others, re.MULTILINE))
        == guides
    )


def test_every_reason_has_a_meaning_and_a_remedy():
    assert set(_reasons.REASONS) == errors.REASONS
    assert all(reason.meaning.endswith(".") and reason.remedy.endswith(".") for reason in _reasons.REASONS.values())


def test_the_page_of_the_reasons_is_up_to_date():
    assert write_reasons.PAGE.read_text(encoding="utf-8") == write_reasons.build(), "run: python docs/write_reasons.py"
