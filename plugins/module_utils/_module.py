# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""What every module has in common: the host it is on, and one place where all errors end."""

from __future__ import annotations

import os
from typing import Any, Callable, Dict, Iterable, Mapping, Optional

from ansible.module_utils.basic import AnsibleModule

from ._engine.common.errors import CloudsyncError, system_error
from ._engine.host import Host
from ._engine.notify.targets import redact_text

Answer = Callable[[AnsibleModule, Host], Dict[str, Any]]


def run_module(argument_spec: Dict[str, Any], answer: Answer, **rules: Any) -> None:
    """Run ``answer`` for a module with these options; its result is the module's, its CloudsyncError a failure.

    ``rules`` are AnsibleModule's (``required_if`` and the like).
    """
    module = AnsibleModule(argument_spec=argument_spec, supports_check_mode=True, **rules)
    # A "path" in a result is one at a provider: Ansible would add owner and mode of this host's file of that name.
    module.add_path_info = _keep_result  # type: ignore[method-assign]
    try:
        result = answer(module, Host.from_environment(os.environ))
    except CloudsyncError as error:
        module.fail_json(msg=error.message, reason=error.reason)
    except OSError as error:
        refusal = system_error(error)
        module.fail_json(msg=refusal.message, reason=refusal.reason)
    for text in result.pop("warnings", []):
        module.warn(text)
    if result.get("failed"):
        module.fail_json(**result)
    module.exit_json(**result)


def _keep_result(result: Dict[str, Any]) -> Dict[str, Any]:
    return result


def add_diff(module: AnsibleModule, result: Dict[str, Any], before: Any, after: Any) -> Dict[str, Any]:
    """``result`` with the diff, where one was asked for."""
    return {**result, "diff": {"before": before, "after": after}} if module._diff else result


def select_parameters(
    module: AnsibleModule, names: Dict[str, Any], without: Optional[Dict[str, Any]] = None
) -> Dict[str, Any]:
    """The module's parameters of these ``names``."""
    return {name: module.params[name] for name in names if not without or name not in without}


def show_public_targets(module: AnsibleModule, tasks: Iterable[Mapping[str, Any]]) -> None:
    """``notify`` is masked as a whole, but a target without a secret in it (a mail address) is part of the result."""
    targets = {target for task in tasks for target in task["notify"] or ()}
    module.no_log_values.difference_update(target for target in targets if redact_text(target) == target)
