# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this doc fragment is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Document suboptions that are the options of another module, with the text of that module."""

from __future__ import annotations

import json
import re
from typing import Any

import yaml

from . import _credential, _encryption, _task, _transfer

# O(name), not O(skyhaul.cloudsync.credential#module:name).
REFERENCE = re.compile(r"\bO\((?=[a-z_.]+[)=])")


def _read_options(prefix: str, *fragments: Any) -> dict[str, Any]:
    """Return the options that ``fragments`` document.

    ``prefix`` is put before each option that a text refers to.
    """
    options: dict[str, Any] = {}
    for fragment in fragments:
        document = REFERENCE.sub(f"O({prefix}", fragment.ModuleDocFragment.DOCUMENTATION)
        options.update(yaml.safe_load(document)["options"])
    return options


CREDENTIAL = _read_options("credentials[].", _credential)
TASK = _read_options("tasks[].", _task, _transfer, _encryption)


class ModuleDocFragment:
    # JSON is also YAML. The annotation is necessary: ansible-test takes an assignment without one for a literal.
    HOST_CONFIG: str = json.dumps(
        {"options": {"credentials": {"suboptions": CREDENTIAL}, "tasks": {"suboptions": TASK}}}
    )
