# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""What the filters from_truenas and from_rclone_conf have in common: this machine's rclone, and the two files.

No secret leaves a filter in clear: what one returns can be shown.
"""

from __future__ import annotations

import json
import os
from typing import Any, Dict, List, Mapping, Optional, Sequence

import yaml

from ...module_utils._engine.common.errors import CloudsyncError
from ...module_utils._engine.common.layout import Layout
from ...module_utils._engine.rclone.binary import Rclone, find, probe, run_quietly
from ...module_utils._engine.rclone.providers.schema import Provider, parse
from .._vault.vault import Vault
from .findings import Imported, Missing, Reference

PUBLIC_FILE, VAULT_FILE = "cloudsync.yml", "vault_cloudsync.yml"
TEMPLATE_MARKS = ("{{", "{%", "{#")


def rclone_of_this_machine(path: str) -> Rclone:
    """The rclone at ``path``, or the first that is found when that is empty."""
    return probe(path or find(Layout.from_environment(os.environ), os.environ.get("PATH", "")))


def providers_of(rclone: Rclone) -> Dict[str, Provider]:
    """What it can talk to."""
    return parse(run_quietly(rclone.path, "config", "providers"))


def providers_if_any(path: str) -> Dict[str, Provider]:
    """providers_of this machine's rclone. Nothing when it has none; one that was named has to be there."""
    try:
        return providers_of(rclone_of_this_machine(path))
    except CloudsyncError:
        if path:
            raise
        return {}


def answer(imported: Imported, origin: str) -> Dict[str, Any]:
    """What the filters return: see their RETURN. ``origin`` says where it all comes from."""
    lists = {
        "still needed": list(imported.needed) + _hints(imported.vault),
        "not carried over": list(imported.left_out),
        "good to know": list(imported.notes),
    }
    report: Dict[str, Any] = {
        "found": (
            f"{len(imported.public['cloudsync_credentials'])} credentials and "
            f"{len(imported.public['cloudsync_tasks'])} tasks"
        ),
        **{title: sentences for title, sentences in lists.items() if sentences},
    }
    public = f"{_comment(origin, lists)}---\n{_dumped(imported.public)}"
    vault = f"---\n{_dumped(imported.vault)}"
    return {"report": report, "files": {PUBLIC_FILE: public, VAULT_FILE: Vault(VAULT_FILE).encrypt(vault).decode()}}


def _hints(vault: Mapping[str, Any]) -> List[str]:
    return [f"{name} in {VAULT_FILE}. {value.hint}." for name, value in vault.items() if isinstance(value, Missing)]


def _comment(origin: str, lists: Mapping[str, Sequence[str]]) -> str:
    lines = [f"{origin} The secrets are in {VAULT_FILE}."]
    for title, sentences in lists.items():
        if sentences:
            lines += ["", title.capitalize() + ":", *("- " + sentence for sentence in sentences)]
    return "".join(f"# {line}".rstrip() + "\n" for line in lines)


class _Dumper(yaml.SafeDumper):
    """Variables for Ansible: a text is never a template unless it is a Reference or Missing."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    tag = "!unsafe" if any(mark in text for mark in TEMPLATE_MARKS) else "tag:yaml.org,2002:str"
    if not text.replace("\n", "").replace("\t", "").isprintable():
        style: Optional[str] = '"'  # PyYAML loses some of Unicode's line breaks in every other style
    else:
        style = "|" if "\n" in text else None
    return dumper.represent_scalar(tag, text, style=style)


def _reference(dumper: _Dumper, reference: Reference) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", "{{ " + reference.variable + " }}", style='"')


def _missing(dumper: _Dumper, missing: Missing) -> yaml.ScalarNode:
    hint = f"{missing.hint}. Write it into {VAULT_FILE}, with ansible-vault edit."
    template = "{{ undef(hint=" + json.dumps(hint) + ") }}"
    return dumper.represent_scalar("tag:yaml.org,2002:str", template)


_Dumper.add_representer(str, _text)
_Dumper.add_multi_representer(str, _text)  # a text that Ansible has tagged
_Dumper.add_representer(Reference, _reference)
_Dumper.add_representer(Missing, _missing)


def _dumped(variables: Mapping[str, Any]) -> str:
    return yaml.dump(dict(variables), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)
