# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Read this machine's rclone and write the two files for the filters from_truenas and from_rclone_conf.

The results contain no secret in clear, so they can be shown.
"""

from __future__ import annotations

import json
import os
from typing import Any, Dict, List, Mapping, Optional, Sequence

import yaml

from ...module_utils._engine.common.errors import CloudsyncError
from ...module_utils._engine.common.layout import Layout
from ...module_utils._engine.common.text import format_count
from ...module_utils._engine.rclone.binary import Rclone, find, probe, run_quietly
from ...module_utils._engine.rclone.providers.schema import Provider, parse
from .._vault.vault import Vault
from .findings import Imported, Missing, Reference

PUBLIC_FILE, VAULT_FILE = "cloudsync.yml", "vault_cloudsync.yml"
TEMPLATE_MARKS = ("{{", "{%", "{#")


def find_rclone(path: str) -> Rclone:
    """Return the rclone at ``path``; if that is empty, the first one on this machine."""
    return probe(path or find(Layout.from_environment(os.environ), os.environ.get("PATH", "")))


def read_providers(rclone: Rclone) -> Dict[str, Provider]:
    """Return the providers of ``rclone``."""
    return parse(run_quietly(rclone.path, "config", "providers"))


def read_providers_if_any(path: str) -> Dict[str, Provider]:
    """Return the providers of this machine's rclone; none without rclone, but an rclone at ``path`` must exist."""
    try:
        return read_providers(find_rclone(path))
    except CloudsyncError:
        if path:
            raise
        return {}


def build_answer(imported: Imported, origin: str) -> Dict[str, Any]:
    """Return the result of the filters (see their RETURN). ``origin`` is a comment for the file."""
    lists = {
        "still needed": list(imported.needed) + _list_hints(imported.vault),
        "not carried over": list(imported.left_out),
        "good to know": list(imported.notes),
    }
    report: Dict[str, Any] = {
        "found": (
            f"{format_count(len(imported.public['cloudsync_credentials']), 'credential')} and "
            f"{format_count(len(imported.public['cloudsync_tasks']), 'task')}"
        ),
        **{title: sentences for title, sentences in lists.items() if sentences},
    }
    public = f"{_format_comment(origin, lists)}---\n{_dump(imported.public)}"
    vault = f"---\n{_dump(imported.vault)}"
    return {"report": report, "files": {PUBLIC_FILE: public, VAULT_FILE: Vault(VAULT_FILE).encrypt(vault).decode()}}


def _list_hints(vault: Mapping[str, Any]) -> List[str]:
    return [f"{name} in {VAULT_FILE}. {value.hint}." for name, value in vault.items() if isinstance(value, Missing)]


def _format_comment(origin: str, lists: Mapping[str, Sequence[str]]) -> str:
    lines = [f"{origin} The secrets are in {VAULT_FILE}."]
    for title, sentences in lists.items():
        if sentences:
            lines += ["", title.capitalize() + ":", *("- " + sentence for sentence in sentences)]
    return "".join(f"# {line}".rstrip() + "\n" for line in lines)


class _Dumper(yaml.SafeDumper):
    """Write variables for Ansible. Only a Reference or Missing becomes a template, no other text."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _represent_text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    tag = "!unsafe" if any(mark in text for mark in TEMPLATE_MARKS) else "tag:yaml.org,2002:str"
    if not text.replace("\n", "").replace("\t", "").isprintable():
        style: Optional[str] = '"'  # every other style of PyYAML loses some of Unicode's line breaks
    else:
        style = "|" if "\n" in text else None
    return dumper.represent_scalar(tag, text, style=style)


def _represent_reference(dumper: _Dumper, reference: Reference) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", "{{ " + reference.variable + " }}", style='"')


def _represent_missing(dumper: _Dumper, missing: Missing) -> yaml.ScalarNode:
    hint = f"{missing.hint}. Add it to {VAULT_FILE} with ansible-vault edit."
    template = "{{ undef(hint=" + json.dumps(hint) + ") }}"
    return dumper.represent_scalar("tag:yaml.org,2002:str", template)


_Dumper.add_representer(str, _represent_text)
_Dumper.add_multi_representer(str, _represent_text)  # texts with a tag of Ansible
_Dumper.add_representer(Reference, _represent_reference)
_Dumper.add_representer(Missing, _represent_missing)


def _dump(variables: Mapping[str, Any]) -> str:
    return yaml.dump(dict(variables), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)
