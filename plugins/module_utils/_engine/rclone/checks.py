# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Are these the options of a working credential? Asked without any contact to the provider."""

from __future__ import annotations

import json
from typing import Any, Callable, Dict, List, Mapping

from ..errors import usage_error
from ..suggest import did_you_mean
from .logins import missing_login
from .providers import Option, Provider
from .secrecy import carries_secret, must_be_secret
from .traits import undeclared_options
from .values import problem


def check(provider: Provider, attributes: Mapping[str, str], secrets: Mapping[str, str]) -> None:
    """Refuse, with a sentence for each problem, options that can't make a login at ``provider``.

    Values are text, as rclone's configuration spells them, passwords in clear. No secret value is ever named.
    """
    problems = _unknown(provider, {**attributes, **secrets})
    problems += [
        "{0!r} is given both as attribute and as secret: keep it in one of them.".format(name)
        for name in attributes
        if name in secrets
    ]
    problems += _public_problems(provider, attributes, "move it from attributes to secrets")
    for name, value in secrets.items():
        problems += _value_problems(provider, name, value, shown=False)
    problems += _missing(provider, {**attributes, **secrets})
    if problems:
        raise usage_error(" ".join(problems))


def check_options(provider: Provider, options: Mapping[str, str]) -> None:
    """Refuse a task's ``provider_options`` that its credential's provider does not have, or that are secrets."""
    problems = _unknown(provider, options)
    problems += _public_problems(provider, options, "set it in the credential's secrets")
    if problems:
        raise usage_error(" ".join(problems))


def _unknown(provider: Provider, given: Mapping[str, str]) -> List[str]:
    known = {option.name for option in provider.options} | undeclared_options(provider.name)
    return [
        "The provider {0} has no option {1!r}.{2}".format(provider.name, name, did_you_mean(name, sorted(known)))
        for name in given
        if name not in known
    ]


def _public_problems(provider: Provider, given: Mapping[str, str], advice: str) -> List[str]:
    problems: List[str] = []
    for name, value in given.items():
        option = provider.option(name)
        if must_be_secret(provider, name):
            problems.append("{0!r} is a secret: {1}.".format(name, advice))
        elif option is not None and carries_secret(option, value):
            problems.append("{0!r} has a password or token in it: {1}.".format(name, advice))
        else:
            problems += _value_problems(provider, name, value, shown=True)
    return problems


def _value_problems(provider: Provider, name: str, value: str, shown: bool) -> List[str]:
    """``shown``: the value is public and helps the reader."""
    option = provider.option(name) or Option(name)
    spelled = provider.alias.spellings.get(name, {}).get(value, value)
    wrong = problem(option, spelled) or _form_problem(provider, name, spelled)
    if not wrong:
        return []
    return ["{0!r}{1} {2}.".format(name, " is {0!r}: it".format(value) if shown else "", wrong)]


def _form_problem(provider: Provider, name: str, value: str) -> str:
    """What is wrong with the text of an option that has a form of its own."""
    if name == "token" and not _takes_oauth_token(provider):
        return ""
    if name == "url" and provider.name not in ("http", "webdav"):
        return ""
    fits, wanted = FORMS.get(name, (_anything, ""))
    return "" if fits(value) else wanted


def _takes_oauth_token(provider: Provider) -> bool:
    return provider.option("token_url") is not None or "token_url" in undeclared_options(provider.name)


def _anything(_value: str) -> bool:
    return True


def _is_token(value: str) -> bool:
    content = _json_object(value)
    return bool(content.get("access_token") or content.get("refresh_token"))


def _json_object(value: str) -> Dict[str, Any]:
    try:
        content = json.loads(value)
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


FORMS: Mapping[str, "tuple[Callable[[str], bool], str]"] = {
    "config_credentials": (lambda value: bool(_json_object(value)), "must be the JSON text of the app's config.json"),
    "key_pem": (lambda value: "PRIVATE KEY-----" in value, "must be the PEM text of a private key"),
    "service_account_credentials": (
        lambda value: bool(_json_object(value)),
        "must be the JSON text of the service account's key file",
    ),
    "token": (_is_token, "must be the JSON text that 'rclone authorize' prints, with an access_token in it"),
    "url": (lambda value: value.startswith(("http://", "https://")), "must begin with http:// or https://"),
}


def _missing(provider: Provider, given: Mapping[str, str]) -> List[str]:
    password_names = {option.name for option in provider.options if option.is_password}
    filled = {name for name, value in given.items() if value or name in password_names}
    sub_provider = given.get("provider", "")
    required = {
        option.name
        for option in provider.options
        if option.required and not option.default and option.applies_to(sub_provider)
    }
    login = missing_login(provider.name, filled)
    absent = sorted(name for name in required - filled if name not in login)
    problems = ["{0} needs {1}.".format(provider.name, ", ".join(absent))] if absent else []
    return problems + ([login] if login else [])
