# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Run a module: provide the host, and turn every error into a failure of the module."""

from __future__ import annotations

import os
from typing import Any, Callable, Dict, Iterable, Mapping, Optional

from ansible.module_utils.basic import AnsibleModule

from ._engine.common.errors import CloudsyncError, system_error, usage_error
from ._engine.common.validation import check_types
from ._engine.host import Host
from ._engine.notify.targets import redact_text

Perform = Callable[[AnsibleModule, Host], Dict[str, Any]]
# An empty value of these comes from an undefined variable. Taken as omitted, it would select another object, or none.
NEVER_EMPTY = ("name", "task", "credential", "passphrase")


def run_module(argument_spec: Dict[str, Any], perform: Perform, **rules: Any) -> None:
    """Run ``perform`` and exit with its result. A CloudsyncError becomes a failure of the module.

    ``rules`` are keyword arguments of AnsibleModule, such as ``required_if``.
    """
    module = _Module(  # type: ignore[no-untyped-call]
        argument_spec=argument_spec, supports_check_mode=True, **rules
    )
    # A "path" in a result is at a provider. Ansible would add owner and mode of the file of that name on the host.
    module.add_path_info = _keep_result  # type: ignore[method-assign]
    try:
        if module.problem is not None:
            raise module.problem
        _refuse_empty(module.params)
        result = perform(module, Host.from_environment(os.environ))
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


class _Module(AnsibleModule):
    """A module that checks the types of its options before Ansible converts them."""

    problem: Optional[CloudsyncError] = None

    def _load_params(self) -> None:
        super()._load_params()  # type: ignore[no-untyped-call]
        try:
            self.params = check_types(self.argument_spec, self.params)
        except CloudsyncError as error:
            # Continue without options. Otherwise, another error, with their values, could be the first.
            self.problem = error
            self.params = {name: value for name, value in self.params.items() if name.startswith("_ansible_")}
            self.argument_spec = {}
            self.mutually_exclusive = self.required_together = self.required_one_of = None
            self.required_if = self.required_by = None


def _refuse_empty(parameters: Mapping[str, Any]) -> None:
    for name in NEVER_EMPTY:
        if parameters.get(name) == "":
            raise usage_error(f"{name} is empty. Set {name} to a value, or omit it. Nothing was changed.")


def _keep_result(result: Dict[str, Any]) -> Dict[str, Any]:
    return result


def add_diff(module: AnsibleModule, result: Dict[str, Any], before: Any, after: Any) -> Dict[str, Any]:
    """Return ``result``, with the diff in diff mode."""
    return {**result, "diff": {"before": before, "after": after}} if module._diff else result


def select_parameters(module: AnsibleModule, names: Iterable[str]) -> Dict[str, Any]:
    """Return the parameters of the module with these ``names``."""
    return {name: module.params[name] for name in names}


def show_public_targets(module: AnsibleModule, tasks: Iterable[Mapping[str, Any]]) -> None:
    """Show the notify targets of ``tasks`` that contain no secret, such as mail addresses.

    ``notify`` has ``no_log``, which masks all of its values in the result.
    """
    targets = {target for task in tasks for target in task["notify"] or ()}
    module.no_log_values.difference_update(target for target in targets if redact_text(target) == target)
