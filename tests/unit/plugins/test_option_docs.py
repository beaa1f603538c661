# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Modules, roles and playbooks are documented in plain English, with one text for each option."""

from __future__ import annotations

import json
import pathlib
import re
import sys

import pytest
import yaml
from ansible.plugins.loader import fragment_loader
from ansible.utils.plugin_docs import get_docstring

HOME = pathlib.Path(__file__).parents[3]
sys.path.insert(0, str(HOME / "tests"))

from language import find_faults

MODULES = sorted(path.stem for path in (HOME / "plugins" / "modules").glob("*.py"))
ROLES = sorted(path.name for path in (HOME / "roles").iterdir())
# Words that begin a description which is neither a noun phrase nor a verb phrase.
BEGINNINGS = {"as", "how", "it", "of", "one", "that", "these", "this", "what", "when", "where", "which", "who", "with"}


def read_documentation(module):
    """Return the options and the return values that a module documents, its doc fragments included."""
    path = HOME / "plugins" / "modules" / f"{module}.py"
    document, _examples, returned, _metadata = get_docstring(
        str(path), fragment_loader, collection_name="skyhaul.cloudsync", plugin_type="module"
    )
    return document, yaml.safe_load(returned) if isinstance(returned, str) else returned


def read_role(role):
    specs = yaml.safe_load((HOME / "roles" / role / "meta" / "argument_specs.yml").read_text())
    return specs["argument_specs"]["main"]


def list_items(name, entries):
    """Yield (name, paragraphs) of options or return values and of everything in them."""
    for key, entry in entries.items():
        found = entry.get("description", [])
        yield f"{name}.{key}", [found] if isinstance(found, str) else found
        for inner in ("suboptions", "contains", "options"):
            yield from list_items(f"{name}.{key}", entry.get(inner) or {})


def list_module_items():
    for module in MODULES:
        document, returned = read_documentation(module)
        yield from list_items(module, document["options"])
        yield from list_items(f"{module} returns", returned)


def list_role_items():
    for role in ROLES:
        yield from list_items(f"role {role}", read_role(role)["options"])


def list_general_texts():
    """Yield (name, paragraphs) of the documentation apart from options and return values."""
    for module in MODULES:
        document, _returned = read_documentation(module)
        yield module, [document["short_description"], *document["description"], *document.get("notes", [])]
        for key, attribute in document["attributes"].items():
            details = attribute.get("details", [])
            yield f"{module} {key}", [details] if isinstance(details, str) else details
        yield f"{module} seealso", [link["description"] for link in document["seealso"] if "description" in link]
    for role in ROLES:
        found = read_role(role)
        yield f"role {role}", [found["short_description"], *found["description"]]


def list_playbook_texts():
    """Yield (name, texts) of the names and messages in playbooks and in the tasks of roles."""
    for path in sorted([*HOME.glob("playbooks/**/*.yml"), *HOME.glob("roles/*/tasks/*.yml")]):
        text = path.read_text()
        head = re.match(r"---\n((?:#.*\n)*)", text).group(1)
        # Indented lines are commands, and lines with a column are a table of variables.
        prose = [line[2:] for line in head.splitlines() if not re.match(r"# ( |\S+ {2,})", line)]
        yield str(path.relative_to(HOME)), [*"\n".join(prose).split("\n\n"), *list_strings(yaml.safe_load(text))]


def list_strings(node):
    """Yield the names and messages in a list of plays or tasks."""
    if isinstance(node, list):
        for item in node:
            yield from list_strings(item)
    elif isinstance(node, dict):
        for key, value in node.items():
            if key in ("name", "fail_msg", "msg") and isinstance(value, str):
                yield re.sub(r"\{\{.*?\}\}", "X", value, flags=re.DOTALL)
            else:
                yield from list_strings(value)


ITEMS = dict([*list_module_items(), *list_role_items()])
PLAYBOOK_TEXTS = dict(list_playbook_texts())
TEXTS = dict([*ITEMS.items(), *list_general_texts()])


@pytest.mark.parametrize("name", TEXTS)
def test_documentation_is_plain_english(name):
    assert [fault for paragraph in TEXTS[name] for fault in find_faults(paragraph)] == []


@pytest.mark.parametrize("name", PLAYBOOK_TEXTS)
def test_playbooks_and_roles_are_plain_english(name):
    assert [fault for text in PLAYBOOK_TEXTS[name] for fault in find_faults(" ".join(text.split()))] == []


@pytest.mark.parametrize("name", ITEMS)
def test_a_description_begins_with_a_noun_or_verb_phrase(name):
    assert ITEMS[name], "no description"
    first = ITEMS[name][0]
    assert re.match(r"[A-Z0-9]", first)
    assert not re.match(r"[A-Z]{1,2}\(", first), "begins with markup"
    assert first.split()[0].lower() not in BEGINNINGS


@pytest.mark.parametrize("name", TEXTS)
def test_every_paragraph_ends_with_a_full_stop(name):
    paragraphs = TEXTS[name] if name in ITEMS else TEXTS[name][1:]
    assert [paragraph for paragraph in paragraphs if not paragraph.endswith(".")] == []


def without_references_of(prefix, options):
    """Return ``options`` with the references to other options as the module for one object writes them."""
    return json.loads(json.dumps(options).replace(f"O({prefix}[].", "O("))


@pytest.mark.parametrize(
    ("option", "module", "own"),
    [
        ("credentials", "credential", {"verify", "verify_path", "state"}),
        ("tasks", "task", {"state"}),
    ],
)
def test_host_config_documents_the_options_of_the_modules_for_one_object(option, module, own):
    many = read_documentation("host_config")[0]["options"][option]["suboptions"]
    one = read_documentation(module)[0]["options"]
    assert own <= set(one)
    assert without_references_of(option, many) == {key: value for key, value in one.items() if key not in own}


def test_remote_info_documents_the_encryption_of_a_task():
    encryption = {name: read_documentation(name)[0]["options"]["encryption"] for name in ("remote_info", "task")}
    assert encryption["remote_info"]["suboptions"] == encryption["task"]["suboptions"]


def test_the_action_group_has_every_module():
    runtime = yaml.safe_load((HOME / "meta" / "runtime.yml").read_text(encoding="utf-8"))
    assert runtime["action_groups"] == {"cloudsync": MODULES}
    for module in MODULES:
        assert read_documentation(module)[0]["attributes"]["action_group"]["support"] == "full"
