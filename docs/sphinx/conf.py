# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The settings of Sphinx for the documentation site: see build.py."""

from __future__ import annotations

import pathlib

import yaml

GALAXY = yaml.safe_load((pathlib.Path(__file__).parents[2] / "galaxy.yml").read_text(encoding="utf-8"))

project = f"{GALAXY['namespace']}.{GALAXY['name']}"
author = GALAXY["authors"][0]
project_copyright = author
release = GALAXY["version"]
language = "en"

extensions = ["myst_parser", "sphinx.ext.intersphinx", "sphinx_antsibull_ext", "sphinxcontrib.mermaid"]
intersphinx_mapping = {"ansible": ("https://docs.ansible.com/projects/ansible/latest/", "ansible.inv")}

# Headings have the same anchors as on GitHub, where the same pages are read.
myst_heading_anchors = 4
myst_fence_as_directive = ["mermaid"]

# Pictures are drawn when the site is built, so that a page loads no script from another server.
mermaid_cmd = "mermaidx"
mermaid_output_format = "svg"

# site.css has the colours of the reference, for the light and the dark form of the theme.
antsibull_ext_color_scheme = "none"
html_theme = "furo"
# Quotes belong to commands and messages, which people copy.
smartquotes = False
html_title = f"{project} {release}"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
html_use_index = False
html_theme_options = {"source_repository": GALAXY["repository"], "source_branch": "main", "source_directory": ""}
