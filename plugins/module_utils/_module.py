# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Run a module: provide the host, turn every error into a failure of the module, and hide secrets.

Ansible hides secrets by value: it masks each text in a result that contains one. That alters results that are used as
data, such as a backup in which the passphrase occurs by chance, and it cannot hide a secret that was declared in a
public option. So this file hides by place: results contain no secret, and no option with ``no_log`` is shown. If the
module fails, no option is shown at all. Only sentences are masked by value.
"""

from __future__ import annotations

import os
from typing import Any, Callable, Dict, Iterable, Mapping, Optional

from ansible.module_utils.basic import AnsibleModule

from ._engine.common.errors import CloudsyncError, system_error, usage_error
from ._engine.common.validation import check_types
from ._engine.host import Host
from ._engine.notify.redaction import Redactor

Perform = Callable[[AnsibleModule, Host], Dict[str, Any]]
# An empty value of these comes from an undefined variable. Taken as omitted, it would select another object, or none.
NEVER_EMPTY = ("name", "task", "credential", "passphrase")
HIDDEN = "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"
NOT_SHOWN = "(not shown, because the module failed)"


class Module(AnsibleModule):
    """A module that shows no value of its options in the host's log, and none when it fails.

    It checks the types of its options before Ansible converts them. ``problem`` is the first invalid one.
    """

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

    def _log_invocation(self) -> None:
        given = sorted(name for name, value in self.params.items() if value is not None)
        self.log("Invoked with values for: " + ", ".join(given))  # type: ignore[no-untyped-call]

    def fail_json(self, msg: str, **result: Any) -> Any:
        """Fail. Also called by Ansible, for options that do not match the argument spec."""
        shown = {name: NOT_SHOWN for name, value in self.params.items() if value is not None}
        self._keep_secrets()
        super().fail_json(msg, **{**result, "invocation": {"module_args": shown}})

    def exit_json(self, **result: Any) -> Any:
        """Succeed. The options are shown without those that have ``no_log``."""
        shown = hide_options(self.params, self.argument_spec)
        self._keep_secrets()
        super().exit_json(**{**result, "invocation": {"module_args": shown}})

    def _keep_secrets(self) -> None:
        """Prevent ansible-core 2.22 from adding the values of all secrets to the result, for masking by value.

        With ``async``, the result is a file on the disk of the host.
        """
        tracker = getattr(self, "_new_secrets", None)
        if tracker is not None:
            tracker.flush()


def hide_options(given: Mapping[str, Any], spec: Mapping[str, Any]) -> Dict[str, Any]:
    """Return the options in ``given`` with HIDDEN as the value of those that have ``no_log``."""
    return {name: _hide_option(value, spec.get(name, {})) for name, value in given.items()}


def _hide_option(value: Any, rules: Mapping[str, Any]) -> Any:
    if rules.get("no_log") and value:
        return HIDDEN
    if "options" not in rules:
        return value
    if isinstance(value, list):
        return [hide_options(each, rules["options"]) for each in value]
    return hide_options(value, rules["options"]) if isinstance(value, dict) else value


def run_module(argument_spec: Dict[str, Any], perform: Perform, **rules: Any) -> None:
    """Run ``perform`` and exit with its result. A CloudsyncError becomes a failure of the module.

    ``rules`` are keyword arguments of AnsibleModule, such as ``required_if``.
    """
    module = Module(  # type: ignore[no-untyped-call]
        argument_spec=argument_spec, supports_check_mode=True, **rules
    )
    hide = Redactor(module.no_log_values)
    module.no_log_values = set()
    # A "path" in a result is at a provider. Ansible would add owner and mode of the file of that name on the host.
    module.add_path_info = _keep_result  # type: ignore[method-assign]
    try:
        if module.problem is not None:
            raise module.problem
        _refuse_empty(module.params)
        result = perform(module, Host.from_environment(os.environ))
    except CloudsyncError as error:
        module.fail_json(msg=hide(error.message), reason=error.reason)
    except OSError as error:
        refusal = system_error(error)
        module.fail_json(msg=hide(refusal.message), reason=refusal.reason)
    for text in result.pop("warnings", []):
        module.warn(hide(text))
    if result.get("failed"):
        module.fail_json(**{**result, "msg": hide(result["msg"])})
    module.exit_json(**result)


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
