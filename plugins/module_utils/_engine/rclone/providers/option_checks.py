# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Are these the options of a working credential? Asked without any contact to the provider."""

from __future__ import annotations

import json
import re
from typing import Any, Callable, Dict, List, Mapping, Sequence, Tuple
from urllib.parse import urlsplit

from ...common.errors import usage_error
from ...common.validation import IN_QUOTES, suggest_name
from ..conf_file import Typed
from . import known_hosts
from .derived_options import FLAGS, find_option, find_size_problem, list_own_options
from .option_values import find_problem
from .required_logins import find_missing_login
from .schema import Option, Provider
from .secret_options import URL_NAME, carries_secret, must_be_secret
from .traits import list_undeclared_options
from .truenas_names import STORJ_IX


def check(provider: Provider, attributes: Mapping[str, str], secrets: Mapping[str, str]) -> None:
    """Refuse options with which ``provider`` cannot log in. The error has a sentence for each problem.

    Values are text, as rclone's configuration spells them, passwords in clear. The error shows no secret value.
    """
    problems = _find_unknown(provider, {**attributes, **secrets})
    problems += [
        f"{name!r} is set in attributes and in secrets. Remove one of them." for name in attributes if name in secrets
    ]
    problems += _find_public_problems(provider, attributes, "move it from attributes to secrets")
    for name, value in secrets.items():
        problems += _find_value_problems(provider, name, value, shown=False)
    problems += _find_missing(provider, {**attributes, **secrets})
    if provider.name == "sftp":
        problems += known_hosts.find_problems({**attributes, **secrets})
    if problems:
        raise usage_error(" ".join(problems))


def check_options(provider: Provider, options: Mapping[str, str]) -> None:
    """Refuse a task's ``provider_options`` that are invalid, secret, or unknown to its credential's provider."""
    flags = {name: value for name, value in options.items() if name in FLAGS}
    own = {name: value for name, value in options.items() if name not in FLAGS}
    problems = _find_unknown(provider, own, tuple(FLAGS))
    problems += _find_public_problems(provider, own, "set it in the credential's secrets")
    for name, value in flags.items():
        wrong = find_problem(FLAGS[name], value) if value else ""
        problems += [f"{name!r} is {value!r}: it {wrong}."] if wrong else []
    if provider.name == "sftp":
        problems += [
            f"{name!r} decides which servers are trusted. Set it in the credential."
            for name in own
            if name in known_hosts.OF_THE_CREDENTIAL
        ]
    if problems:
        raise usage_error(" ".join(problems))


def _find_unknown(provider: Provider, given: Mapping[str, str], more: Sequence[str] = ()) -> List[str]:
    known = {option.name for option in provider.options} | list_undeclared_options(provider.name)
    known |= {*more, *list_own_options(provider)}
    return [
        f"The provider {provider.name} has no option {name!r}.{suggest_name(name, sorted(known))}"
        for name in given
        if name not in known
    ]


def _find_public_problems(provider: Provider, given: Mapping[str, str], advice: str) -> List[str]:
    problems: List[str] = []
    for name, value in given.items():
        option = find_option(provider, name)
        if must_be_secret(provider, name):
            problems.append(f"{name!r} is a secret: {advice}.")
        elif option is not None and carries_secret(option, value):
            problems.append(f"{name!r} contains a password or token: {advice}.")
        else:
            problems += _find_value_problems(provider, name, value, shown=True)
    return problems


def _find_value_problems(provider: Provider, name: str, value: str, shown: bool) -> List[str]:
    """``shown``: the value is public, and the message may contain it."""
    option = find_option(provider, name) or Option(name)
    if isinstance(value, Typed) and not _accepts_type(provider, name, value.kind):
        return [f"{name!r} is {value.kind}, not text. {IN_QUOTES}"]
    wrong = _find_form_problem(provider, name, value)
    if URL_NAME.search(name) and value and _is_broken_url(value):
        wrong = "is not the address of a server. Check the port and the brackets"
    if value and not wrong:  # an empty value counts as not set
        wrong = find_problem(option, value) or find_size_problem(provider, name, value)
    if not wrong:
        return []
    return [f"{name!r}{f' is {value!r}: it' if shown else ''} {wrong}."]


def _accepts_type(provider: Provider, name: str, kind: str) -> bool:
    """Whether the option accepts a value of YAML that is not text. Options that the schema does not have accept all."""
    forms = list(provider.list_all_options(name)) or [each for each in (find_option(provider, name),) if each]
    if kind == "a dictionary":
        return FORMS.get(("", name), (None, ""))[0] in (_is_token, _is_object)
    return not any(option.type == "string" or option.is_password for option in forms)


def _find_form_problem(provider: Provider, name: str, value: str) -> str:
    """Return why the value of an option that has its own form is invalid; empty if it is valid."""
    if name == "token" and not _has_oauth_token(provider):
        return ""
    forms = (FORMS[key] for key in ((provider.called, name), (provider.name, name), ("", name)) if key in FORMS)
    fits, wanted = next(forms, (_accept_all, ""))
    return "" if fits(value) else wanted


def _has_oauth_token(provider: Provider) -> bool:
    return provider.option("token_url") is not None or "token_url" in list_undeclared_options(provider.name)


def _accept_all(_value: str) -> bool:
    return True


def _is_token(value: str) -> bool:
    content = _parse_object(value)
    return bool(content.get("access_token") or content.get("refresh_token"))


def _parse_object(value: str) -> Dict[str, Any]:
    try:
        content = json.loads(value)
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def _is_object(value: str) -> bool:
    return bool(_parse_object(value))


def _is_url(value: str) -> bool:
    return value.startswith(("http://", "https://"))


def _is_broken_url(value: str) -> bool:
    try:
        return urlsplit(value if "://" in value else "//" + value).port == 0
    except ValueError:
        return True


URL = "must begin with http:// or https://"
# By the name that a credential uses, by rclone's name, or for all providers ("").
FORMS: Mapping[Tuple[str, str], Tuple[Callable[[str], bool], str]] = {
    (STORJ_IX, "endpoint"): (lambda value: not value or value.startswith("https://"), "must begin with https://"),
    ("azureblob", "account"): (
        lambda value: bool(re.match(r"\A[A-Za-z0-9.-]*\Z", value)),
        "can only contain letters, digits, - and .",
    ),
    ("", "config_credentials"): (
        _is_object,
        "must be the JSON text of the app's config.json",
    ),
    ("", "key_pem"): (lambda value: "PRIVATE KEY-----" in value, "must be the PEM text of a private key"),
    ("", "service_account_credentials"): (
        _is_object,
        "must be the JSON text of the service account's key file",
    ),
    ("", "token"): (_is_token, "must be the JSON text that 'rclone authorize' prints, and contain an access_token"),
    ("http", "url"): (_is_url, URL),
    ("webdav", "url"): (_is_url, URL),
}


def _find_missing(provider: Provider, given: Mapping[str, str]) -> List[str]:
    password_names = {option.name for option in provider.options if option.is_password}
    filled = {name for name, value in given.items() if value or name in password_names}
    sub_provider = given.get("provider", "")
    required = {
        option.name
        for option in provider.options
        if option.required and not option.default and option.applies_to(sub_provider)
    }
    login = find_missing_login(provider.name, filled)
    absent = sorted(name for name in required - filled if name not in login)
    problems = [f"{provider.name} needs {', '.join(absent)}."] if absent else []
    return problems + ([login] if login else [])
