# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every example and every row of docs/providers.md goes through the engine."""

from __future__ import annotations

import pathlib
import re

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.config.credentials import parse_credential
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.config.task_parser import parse_task
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.operations.apply import Wanted, converge
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.rclone.providers.option_checks import check
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.rclone.providers.schema import resolve
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.rclone.providers.truenas_names import (
    TRUENAS_NAMES,
    get_rclone_name,
)
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.remote.open import build_content

pytest.importorskip("cryptography")
yaml = pytest.importorskip("yaml")
TEXT = (pathlib.Path(__file__).parents[7] / "docs" / "providers.md").read_text(encoding="utf-8")
BLOCKS = [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)]
CREDENTIALS = [credential for block in BLOCKS for credential in block.get("cloudsync_credentials", [])]
TASKS = [task for block in BLOCKS for task in block.get("cloudsync_tasks", [])]
OTHERS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in TEXT.partition("## All the others")[2].splitlines()
    if line.startswith("| `")
]
WRAPPERS = re.findall(r"`(\w+)`", TEXT.partition("Not for credentials")[2].replace("`encryption`", ""))
# What a login needs by TrueNAS's table; each has to be in an example.
REQUIRED = {
    "AZUREBLOB": "account key",
    "B2": "account key",
    "BOX": "token",
    "DROPBOX": "token",
    "FTP": "host user pass",
    "GOOGLE_CLOUD_STORAGE": "service_account_credentials",
    "GOOGLE_DRIVE": "token",
    "GOOGLE_PHOTOS": "token",
    "HTTP": "url",
    "MEGA": "user pass",
    "ONEDRIVE": "token drive_type drive_id",
    "OPENSTACK_SWIFT": "user key auth auth_version endpoint_type",
    "PCLOUD": "token",
    "S3": "access_key_id secret_access_key",
    "SFTP": "host user pass",
    "STORJ_IX": "access_key_id secret_access_key",
    "WEBDAV": "url vendor user pass",
    "YANDEX": "token",
}
# What TrueNAS has no field for.
BEYOND = {
    "azureblob": "sas_url connection_string client_secret",
    "drive": "service_account_credentials",
    "ftp": "explicit_tls",
    "s3": "session_token env_auth role_arn sse_customer_key_base64",
    "sftp": "key_pem key_file_pass known_hosts known_hosts_file",
    "webdav": "bearer_token",
}
# What vaulted values of these would look like; of all others, any text does.
TOKEN = '{"access_token":"AT","refresh_token":"RT","expiry":"2026-01-01T00:00:00Z"}'
PLAUSIBLE = {
    "token": TOKEN,
    "service_account_credentials": '{"type":"service_account","project_id":"example"}',
    "key_pem": "-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n-----END OPENSSH PRIVATE KEY-----\n",
    "sas_url": "https://examplebackups.blob.core.windows.net/container?sig=x",
}


def filled(credential):
    """The example with values in the place of the variables."""
    full = dict(credential)
    for group in ("attributes", "secrets"):
        given = credential.get(group) or {}
        full[group] = {
            name: PLAUSIBLE.get(name, "value") if "{{" in str(value) else value for name, value in given.items()
        }
    return full


def options_of(credential):
    return {**(credential.get("attributes") or {}), **(credential.get("secrets") or {})}


def examples_of(name):
    """The examples for a provider of TrueNAS: under its name, or under rclone's when that is the same thing."""
    own = [credential for credential in CREDENTIALS if credential["provider"] == name]
    plain = [credential for credential in CREDENTIALS if credential["provider"] == get_rclone_name(name)]
    return own if name == "STORJ_IX" else own + plain


def test_the_examples_are_there():
    assert len(CREDENTIALS) > 25
    assert len(TASKS) >= len(REQUIRED)
    assert set(REQUIRED) == set(TRUENAS_NAMES) - {"HUBIC"}


def test_the_engine_takes_all_examples_at_once_and_doubts_none(host):
    outcome = converge(host, Wanted([filled(credential) for credential in CREDENTIALS], TASKS), check_mode=False)
    assert set(outcome.credentials) == {credential["name"] for credential in CREDENTIALS}
    assert set(outcome.tasks) == {task["name"] for task in TASKS}
    assert outcome.warnings == []


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task["name"])
def test_rclone_receives_all_that_an_example_says(host, task):
    declared = next(credential for credential in CREDENTIALS if credential["name"] == task["credential"])
    credential, parsed = parse_credential(filled(declared)), parse_task(task)
    content = build_content(host, credential, parsed.provider_options, None, parsed.remote_path)
    text = " ".join(content.arguments)
    for name, value in parsed.provider_options.items():
        if value and f"--{name.replace('_', '-')}=" not in text:
            assert content.sections["remote"][name] == value


@pytest.mark.parametrize("name", sorted(REQUIRED))
def test_every_provider_of_truenas_has_an_example_with_all_that_it_requires(name):
    assert f"| `{name}` |" in TEXT
    wanted = set(REQUIRED[name].split())
    examples = examples_of(name)
    assert any(wanted <= set(options_of(example)) for example in examples)
    names = {example["name"] for example in examples}
    assert any(task["credential"] in names and task.get("provider_options") for task in TASKS)


@pytest.mark.parametrize("provider", sorted(BEYOND))
def test_what_truenas_lacks_has_an_example(provider):
    examples = [credential for credential in CREDENTIALS if credential["provider"] == provider]
    assert set(BEYOND[provider].split()) <= {option for example in examples for option in options_of(example)}


def test_every_other_provider_of_rclone_has_a_row(known_providers):
    rows = [row[0].strip("`") for row in OTHERS]
    assert sorted(rows) == rows
    shown = {get_rclone_name(name) for name in TRUENAS_NAMES}
    assert set(rows) | set(WRAPPERS) == set(known_providers) - shown
    assert not set(rows) & set(WRAPPERS)


@pytest.mark.parametrize("row", OTHERS, ids=lambda row: row[0].strip("`"))
def test_what_a_row_names_is_a_login(known_providers, row):
    provider = resolve(row[0].strip("`"), known_providers)

    def values(cell):
        names = re.findall(r"`(\w+)`", cell)
        assert cell == " ".join(f"`{name}`" for name in names)
        options = {name: provider.option(name) for name in names}
        return {
            name: PLAUSIBLE.get(name) or (option.choices[0] if option and option.is_exclusive else "https://value")
            for name, option in options.items()
        }

    assert len(row) == 5
    check(provider, values(row[2]), values(row[3]))
