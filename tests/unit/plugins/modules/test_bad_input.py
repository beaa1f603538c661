# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Invalid input gives one message with the object, the value and the remedy. No file is partly written."""

from __future__ import annotations

import errno
import json
import os
import sys

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.config import credential_store
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.rclone import binary


def credential(offsite, **changes):
    return dict(offsite, **changes)


@pytest.mark.parametrize("check", [False, True])
def test_an_unknown_provider_is_refused(host, offsite, check):
    assert host.refused("credential", credential(offsite, provider="s33"), check) == (
        "Credential offsite is invalid: There is no provider 's33'. Did you mean 's3'? 'rclone config providers' "
        "lists them."
    )


def test_an_unknown_attribute_is_refused(host, offsite):
    attributes = dict(offsite["attributes"], endpiont="https://s3.example.com")
    assert host.refused("credential", credential(offsite, attributes=attributes)) == (
        "Credential offsite is invalid: The provider s3 has no option 'endpiont'. Did you mean 'endpoint'?"
    )


def test_an_unknown_secret_is_refused(host, offsite):
    secrets = dict(offsite["secrets"], secret_acess_key="misspelt-secret")
    host.secret("misspelt-secret")
    assert host.refused("credential", credential(offsite, secrets=secrets)) == (
        "Credential offsite is invalid: The provider s3 has no option 'secret_acess_key'. Did you mean "
        "'secret_access_key'?"
    )


def test_missing_required_attributes_are_refused(host):
    declared = {"name": "box", "provider": "sftp", "secrets": {"pass": host.secret("sftp-password")}}
    assert host.refused("credential", declared) == (
        "Credential box is invalid: sftp needs host and user. Other ways to log in use key_file, key_pem, "
        "key_use_agent, ssh."
    )


def test_a_missing_provider_is_refused(host):
    assert (
        host.refused("credential", {"name": "x"}) == "state is present but all of the following are missing: provider"
    )


@pytest.mark.parametrize("check", [False, True])
def test_a_secret_under_attributes_is_refused(host, offsite, check):
    attributes = dict(offsite["attributes"], secret_access_key="not-really-public")
    secrets = {"session_token": "x-y-z"}
    message = host.refused("credential", credential(offsite, attributes=attributes, secrets=secrets), check)
    assert message == (
        "Credential offsite is invalid: 'secret_access_key' is a secret: move it from attributes to secrets."
    )


def test_an_address_with_a_login_under_attributes_is_refused(host, offsite):
    attributes = dict(offsite["attributes"], endpoint="https://user:in-the-url@s3.example.com")
    message = host.refused("credential", credential(offsite, attributes=attributes))
    assert message == (
        "Credential offsite is invalid: 'endpoint' contains a password or token: move it from attributes to secrets."
    )


def test_an_invalid_value_is_shown_only_if_it_is_public(host, offsite):
    attributes = dict(offsite["attributes"], chunk_size="many")
    assert host.refused("credential", credential(offsite, attributes=attributes)) == (
        "Credential offsite is invalid: 'chunk_size' is 'many': it must be a size with its unit, such as 96Mi or "
        "5Gi, or off."
    )
    secrets = dict(offsite["secrets"], chunk_size=host.secret("many-secrets"))
    assert host.refused("credential", credential(offsite, secrets=secrets)) == (
        "Credential offsite is invalid: 'chunk_size' must be a size with its unit, such as 96Mi or 5Gi, or off."
    )


NO_SUCH_CREDENTIAL = (
    "Task documents uses credential ofsite, which does not exist on this host. Existing credentials: offsite."
)


def test_a39_a_task_with_an_unknown_credential_is_refused(host, documents):
    assert host.refused("task", dict(documents, credential="ofsite")) == NO_SUCH_CREDENTIAL


def test_check_mode_warns_about_a_credential_that_may_be_declared_earlier_in_the_play(host, documents):
    result = host.run("task", dict(documents, credential="ofsite"), check=True)
    assert result["changed"] and NO_SUCH_CREDENTIAL in str(result["warnings"])


def test_check_mode_warns_about_a_reversed_task_that_may_be_declared_earlier_in_the_play(host, documents):
    wanted = {"name": "restore", "reverse_of": "documents", "path": "/srv/restored"}
    assert "reverse_of is 'documents', but this task" in host.refused("task", wanted)
    result = host.run("task", wanted, check=True)
    assert result["changed"] and "has reverse_of 'documents', but this task does not exist" in str(result["warnings"])


@pytest.mark.parametrize(
    "schedule, message",
    [
        ({"cron": "61 * * * *"}, "minute"),
        ({"cron": "0 0 31 2 *"}, 'month "2" has at most 29 days. Use an existing date.'),
        ({"cron": "0 0 * * * *"}, "fields"),
        ({"cron": "0 0 L * *"}, "day"),
        ({"preset": "daily", "cron": "@daily"}, "exclude each other"),
        ({"timezone": "Europe/Berlin"}, "schedule has no start time. Use preset, or cron, or some of minute"),
        ({"preset": "daily", "timezone": "CET"}, 'timezone is "CET"'),
        ({"preset": "daily", "begin": "25:00"}, 'begin is "25:00". Use a time from 00:00 to 23:59 in quotes'),
        ({"preset": "daily", "spread": "2d"}, "spread is 172800 seconds. Use less than the shortest time"),
        ({"preset": "daily", "spread": "soon"}, "spread is 'soon'. Use a number of seconds, or a duration such as"),
    ],
)
def test_an_invalid_or_impossible_schedule_is_refused(host, documents, schedule, message):
    said = host.refused("task", dict(documents, schedule=schedule))
    assert said.startswith("Task documents is invalid: ")
    assert message in said


@pytest.mark.parametrize(
    "path, message",
    [
        ("data", "path is 'data'. Use an absolute path, such as /srv/data."),
        ("~/data", "path is '~/data'. Use an absolute path, such as /srv/data."),
        ("", "path is required."),
        (None, "path is required."),
        ("/srv/../etc", "path is '/srv/../etc'. Use a path without '..'."),
        ("/", "path is '/', the whole host. Use a folder, or set guards.allow_root."),
    ],
)
def test_a_relative_or_missing_path_or_the_root_is_refused(host, documents, path, message):
    assert host.refused("task", dict(documents, path=path)) == "Task documents is invalid: " + message


def test_a_missing_source_fails_the_run(host, documents, source):
    host.ok("task", dict(documents, path=source + "/nowhere"))
    result = host.run("run", {"task": "documents"}, check=True)
    assert result["failed"]
    assert result["reason"] == "not_found"
    assert result["msg"] == (
        f"A run of task documents would end as not_found: Source {source}/nowhere does not exist. Create it, or "
        "correct the task's path."
    )


@pytest.mark.parametrize("name", ["a/b", "../x", ".hidden", "a" * 64, "a b", "a\n"])
@pytest.mark.parametrize("kind", ["credential", "task"])
def test_a_name_that_cannot_be_a_file_name_is_refused(host, offsite, documents, kind, name):
    declared = offsite if kind == "credential" else documents
    assert host.refused(kind, dict(declared, name=name)) == (
        f"{kind.capitalize()} name {name!r} is invalid. Use 1 to 63 letters, digits, '.', '_' and '-', beginning with "
        "a letter or digit."
    )
    assert "is invalid. Use 1 to 63" in host.refused(kind, {"name": name, "state": "absent"})


@pytest.mark.parametrize("content", [b"{", b"[]", b"", b"\xff\xfe", b'{"name": "offsite"'])
@pytest.mark.parametrize("kind", ["credential", "task", "seed"])
def test_a_stored_file_that_is_not_json_is_refused_and_not_changed(host, offsite, documents, kind, content):
    host.ok("task", documents)
    name = {"credential": "credentials/offsite.json", "task": "tasks/documents.json", "seed": "seed"}[kind]
    path = host.root / "etc/cloudsync" / name
    path.write_bytes(content)
    message = (
        f"{path} is damaged: it is not a JSON object. The file was edited or truncated. The file was not changed. "
        "Restore it from a backup, or remove it and declare the object again."
    )
    module, options = {"credential": ("credential", offsite), "task": ("task", documents), "seed": ("seed", {})}[kind]
    assert host.refused(module, options) == message
    if kind != "seed":
        assert host.refused(kind + "_info") == message
        assert (
            host.refused("host_config", {"credentials": [], "tasks": [], "purge": True, "purge_all": True}) == message
        )


@pytest.mark.parametrize("kind", ["credential", "task", "seed"])
def test_a_file_with_a_newer_schema_is_refused(host, offsite, documents, kind):
    host.ok("task", documents)
    name = {"credential": "credentials/offsite.json", "task": "tasks/documents.json", "seed": "seed"}[kind]
    path = host.root / "etc/cloudsync" / name
    path.write_text(json.dumps(dict(json.loads(path.read_text()), schema=99)))
    module, options = {"credential": ("credential", offsite), "task": ("task", documents), "seed": ("seed", {})}[kind]
    assert host.refused(module, options) == (
        f"{path} has schema 99, written by a newer version of cloudsync. This version reads schemas up to "
        f"{3 if kind == 'seed' else 2}. The file was not changed. Upgrade the collection. If no newer version was used "
        "on this host, the file is damaged: move it away, then restore it from a backup."
    )


@pytest.mark.parametrize("kind", ["credential", "task"])
def test_a_file_with_a_missing_key_is_refused(host, offsite, documents, kind):
    host.ok("task", documents)
    name = {"credential": "credentials/offsite.json", "task": "tasks/documents.json"}[kind]
    path = host.root / "etc/cloudsync" / name
    path.write_text('{"schema": 1}')
    declared = offsite if kind == "credential" else documents
    for message in (host.refused(kind, declared), host.refused(kind + "_info")):
        assert message.startswith(f"{path} is damaged: ")
        assert " missing. The file was edited." in message
        assert "The file was not changed. Restore it from a backup" in message


@pytest.mark.parametrize("kind", ["credential", "task"])
def test_a_file_that_was_copied_to_another_name_is_refused(host, documents, kind):
    host.ok("task", documents)
    folder, name = {"credential": ("credentials", "offsite"), "task": ("tasks", "documents")}[kind]
    copied = host.root / "etc/cloudsync" / folder / "copied.json"
    copied.write_bytes((copied.parent / (name + ".json")).read_bytes())
    message = host.refused(kind + "_info", {"name": "copied"})
    assert message.startswith(f"{copied} contains {kind} {name}: the file was copied or renamed.")


def test_a_missing_rclone_is_refused(host, offsite, monkeypatch, tmp_path):
    host.rclone.program.unlink()
    monkeypatch.setattr(binary, "STANDARD_PATH", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert host.refused("credential", offsite) == (
        "rclone is not installed on this host. Run the role skyhaul.cloudsync.runner, or put rclone on PATH."
    )


def test_an_outdated_rclone_is_refused(host, offsite):
    host.rclone.answers("version", "rclone v1.53.3-DEV\n")
    assert host.refused("credential", offsite) == (
        f"{host.rclone.program} is rclone 1.53.3, but cloudsync needs 1.60.0 or later. Run the role "
        "skyhaul.cloudsync.runner, or upgrade rclone."
    )


def test_a_program_that_is_not_rclone_is_refused(host, offsite):
    host.rclone.answers("version", "hello\n")
    assert host.refused("credential", offsite) == (
        f"{host.rclone.program} is not rclone. Run the role skyhaul.cloudsync.runner to install rclone."
    )


def test_an_rclone_that_cannot_be_executed_is_refused(host, offsite):
    host.rclone.program.write_text("#!/nowhere/sh\n")
    message = host.refused("credential", offsite)
    assert message.startswith(
        f"Cannot run {host.rclone.program}. Run the role skyhaul.cloudsync.runner, or put another rclone on PATH. "
    )
    assert "does not exist on this host" in message


@pytest.mark.parametrize("module", ["seed", "credential", "task", "host_config"])
def test_a_host_without_cryptography_is_refused(host, offsite, documents, module, monkeypatch):
    for name in list(sys.modules):
        if name.split(".")[0] == "cryptography":
            monkeypatch.setitem(sys.modules, name, None)
    options = {
        "seed": {"backup": True, "passphrase": host.secret("passphrase-of-the-seed")},
        "credential": offsite,
        "task": documents,
        "host_config": {"credentials": [offsite]},
    }[module]
    assert host.refused(module, options) == (
        f"The Python library cryptography is not installed for {sys.executable}. Apply the role "
        "skyhaul.cloudsync.runner, or install the package python3-cryptography."
    )


def test_a_missing_seed_is_refused(bare_host, offsite_like):
    message = bare_host.refused("credential", offsite_like)
    assert message.startswith(f"The seed {bare_host.root}/etc/cloudsync/seed is missing, so no secret can be")
    assert "state=restored" in message


@pytest.fixture
def offsite_like(bare_host):
    return {
        "name": "x",
        "provider": "b2",
        "attributes": {"account": "a"},
        "secrets": {"key": bare_host.secret("k-e-y")},
    }


def test_a_seed_that_did_not_encrypt_the_secrets_is_refused(host, offsite):
    host.ok("credential", offsite)
    path = host.root / "etc/cloudsync/seed"
    path.unlink()
    (host.root / "etc/cloudsync/credentials/offsite.json").rename(host.root / "kept")
    host.ok("seed")
    (host.root / "kept").rename(host.root / "etc/cloudsync/credentials/offsite.json")
    message = host.refused("credential", offsite)
    assert f"of credential offsite in {host.root}/etc/cloudsync/credentials/offsite.json" in message
    assert "is not in the seed of this host" in message
    assert "Restore the seed or the file from a backup" in message


def test_a_ciphertext_that_was_moved_to_another_field_is_refused(host, offsite):
    host.ok("credential", offsite)
    path = host.root / "etc/cloudsync/credentials/offsite.json"
    stored = json.loads(path.read_text())
    stored["secrets"]["session_token"] = stored["secrets"]["secret_access_key"]
    path.write_text(json.dumps(stored))
    message = host.refused("credential", offsite)
    assert message.startswith(f"Cannot decrypt secrets.session_token of credential offsite in {path}: it was edited")


@pytest.mark.parametrize(
    "change, message",
    [
        ({"mode": "sync", "remote_path": "bucket"}, "remote_path 'bucket' is the root of a bucket"),
        ({"mode": "sync", "remote_path": ""}, "remote_path '' is the root of a bucket"),
        ({"guards": {"max_delete": "many"}}, "guards.max_delete is 'many'. Use a number of files, or a percentage"),
        ({"guards": {"max_delete": "101%"}}, "guards.max_delete is '101%'"),
        ({"guards": {"mounted": "mnt"}}, "guards.mounted is"),
        ({"bandwidth": [{"time": "8h", "limit": "1M"}]}, "bandwidth[0].time is '8h'. Use HH:MM or Mon-HH:MM."),
        ({"bandwidth": [{"time": "08:00", "limit": "fast"}]}, "bandwidth[0].limit is 'fast'"),
        ({"rclone_args": ["--config=/x"]}, "rclone_args has --config, which is not allowed"),
        ({"rclone_args": ["-v"]}, "rclone_args has '-v'. Write each item as --flag or --flag=value."),
        ({"provider_options": {"storage_clas": "GLACIER"}}, "Did you mean 'storage_class'?"),
        ({"provider_options": {"session_token": "s"}}, "set it in the credential's secrets"),
        ({"snapshot": "zfs", "mode": "move"}, "snapshot is not allowed with mode move"),
        ({"verify_after": "size", "mode": "move"}, "verify_after is not allowed with mode move"),
        ({"snapshot": "zfs", "direction": "pull"}, "snapshot is only allowed for push tasks"),
        ({"keep_deleted": {"path": "elsewhere/kept"}}, "files are encrypted only in remote_path"),
        ({"limits": {"max_duration": "long"}}, "limits.max_duration is 'long'"),
        ({"limits": {"nice": 20}}, "limits.nice is 20"),
        ({"limits": {"memory_max": "lots"}}, "limits.memory_max is 'lots'"),
        ({"transfers": -1}, "transfers is -1. Use a whole number, 0 or more."),
        ({"retries": -1}, "retries is -1"),
        ({"include": ["a\nb"]}, "include[0] is empty or has more than one line"),
        ({"reverse_of": "nothing"}, "reverse_of is 'nothing', but this task does not exist on this host."),
        ({"credential": None}, "credential is required."),
        ({"path": None, "reverse_of": None}, "path is required."),
        ({"encryption": {"password": ""}}, "encryption.password is required"),
    ],
)
def test_an_invalid_option_of_a_task_is_refused(host, documents, change, message):
    said = host.refused("task", dict(documents, **change))
    assert said.startswith("Task documents is invalid: ")
    assert message in said


@pytest.mark.parametrize(
    "target, message",
    [
        ("hook-path-without-scheme", "A notify target has no scheme. Use one of mailto:ops@example.com"),
        ("slack://hook-path", "A notify target has the unknown scheme 'slack'"),
        ("mailto:hook-path", "A notify target with mailto: is not an e-mail address"),
        ("https:hook-path", "A notify target with https: is not a web address"),
    ],
)
def test_an_invalid_notify_target_is_refused_and_not_shown(host, documents, target, message):
    host.secret(target)
    said = host.refused("task", dict(documents, notify=[target]))
    assert said.startswith("Task documents is invalid: ")
    assert message in said


def test_a_missing_direction_is_refused(host, documents):
    del documents["direction"]
    assert host.refused("task", documents) == "Task documents is invalid: direction is required."


@pytest.mark.parametrize(
    "number, message",
    [
        (errno.ENOSPC, "No space left on device. Free space there, then try again."),
        (errno.EACCES, "Permission denied. Run this as root: use become in a playbook, or sudo in a shell."),
        (errno.EROFS, "Read-only file system."),
    ],
)
def test_a_store_that_cannot_be_written_is_refused(host, offsite, monkeypatch, number, message):
    def refuse(path, *_arguments):
        raise OSError(number, os.strerror(number), path)

    monkeypatch.setattr(credential_store, "write_json", refuse)
    path = host.root / "etc/cloudsync/credentials/offsite.json"
    assert host.refused("credential", offsite) == f"{path}: {message}"


def test_a_relative_root_is_refused(host, monkeypatch):
    monkeypatch.setenv("CLOUDSYNC_ROOT", "here")
    assert host.run("task_info")["msg"] == "CLOUDSYNC_ROOT is 'here'. Use an absolute path."


def test_a_store_that_is_a_file_is_refused(host, offsite):
    (host.root / "etc/cloudsync/credentials").write_text("")
    message = host.refused("credential", offsite)
    assert message.startswith(f"{host.root}/etc/cloudsync/credentials is not a directory. Move the existing file away")


@pytest.mark.parametrize(
    ("module", "options", "name"),
    [
        ("run", {"task": ""}, "task"),
        ("run", {"task": "", "state": "stopped"}, "task"),
        ("run", {"credential": "", "direction": "push", "path": "/srv", "remote_path": "b"}, "credential"),
        ("task", {"name": ""}, "name"),
        ("credential", {"name": "", "state": "absent"}, "name"),
        ("task_info", {"name": ""}, "name"),
        ("credential_info", {"name": ""}, "name"),
        ("remote_info", {"task": ""}, "task"),
        ("backup", {"passphrase": ""}, "passphrase"),
        ("restore", {"content": "{}", "passphrase": ""}, "passphrase"),
    ],
)
def test_an_empty_name_or_passphrase_is_refused_and_not_taken_as_omitted(host, module, options, name):
    assert host.refused(module, options) == f"{name} is empty. Set {name} to a value, or omit it. Nothing was changed."


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"encryption": True}, "encryption is true or false. Use a dictionary of its options."),
        ({"schedule": "daily"}, "schedule is text. Use a dictionary of its options."),
        ({"hooks": "x"}, "hooks is text. Use a dictionary of its options."),
        ({"hooks": {"before": ["a", "b"]}}, "hooks.before is a list, not text. Use text."),
        ({"encryption": {"password": 83}}, "encryption.password is a number, not text. Write it in quotes"),
        ({"encryption": {"password": ["s3cr3t"]}}, "encryption.password is a list, not text. Use text."),
        ({"description": 1.5}, "description is a number, not text. Write it in quotes"),
        ({"remote_path": 2024}, "remote_path is a number, not text. Write it in quotes"),
        ({"exclude": ["a", 7]}, "exclude[1] is a number, not text. Write it in quotes"),
        ({"exclude": [None]}, "exclude[0] is empty. Set it to a value, or remove it."),
        ({"bandwidth": "10M"}, "bandwidth is text. Use a list."),
        ({"bandwidth": [{"time": 1080, "limit": "1M"}]}, "bandwidth[0].time is a number, not text. Write it in quotes"),
        ({"bandwidth": [{"time": "18:00", "limit": False}]}, "bandwidth[0].limit is true or false, not text. Write it"),
        ({"limits": {"memory_max": 512}}, "limits.memory_max is a number, not text. Write it in quotes"),
        ({"limits": {"memory_max": "512"}}, "limits.memory_max is '512' bytes. Add a unit, as in 512M."),
        ({"transfers": 2**64}, "transfers is 18446744073709551616. Use a whole number, 0 or more, up to 2147483647."),
        ({"limits": {"max_duration": "9" * 5000}}, "limits.max_duration is "),
        ({"transfers": True}, "transfers is true or false. Use a whole number."),
        ({"provider_options": {"storage_class": 1}}, "'storage_class' is a number, not text. Write it in quotes"),
        ({"provider_options": {"storage_class": "%(x)s"}}, "cannot store the value of the option 'storage_class'"),
    ],
)
@pytest.mark.parametrize("module", ["task", "host_config"])
def test_a_value_of_another_type_is_refused_with_its_option_and_never_shown(host, documents, module, options, message):
    task = {**documents, **options}
    said = host.refused(module, task if module == "task" else {"tasks": [task]})
    assert said.startswith("Task documents is invalid: ")
    assert message in said
    assert "s3cr3t" not in said


def test_one_text_is_one_pattern_also_if_it_has_a_comma(host, documents):
    assert host.ok("task", {**documents, "exclude": "*.{jpg,png}"})["task"]["exclude"] == ["*.{jpg,png}"]


def test_counts_and_cron_fields_may_be_numbers(host, documents):
    options = {"guards": {"max_delete": 5}, "limits": {"max_duration": 60}, "schedule": {"hour": 3, "spread": 60}}
    assert host.ok("task", {**documents, **options})["changed"]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"secrets": {"secret_access_key": 83}}, "'secret_access_key' is a number, not text."),
        ({"secrets": {"secret_access_key": ["s3cr3t"]}}, "'secret_access_key' is a list, not"),
        (
            {"secrets": {"secret_access_key": "%(s3cr3t)s"}},
            "cannot store the value of the option",
        ),
        ({"secrets": {"secret_access_key": "s3cr3t\nb"}}, "cannot store the value of the option"),
        (
            {"attributes": {"provider": "Other", "endpoint": "https://[::1"}},
            "'endpoint' is 'https://[::1': it is not the",
        ),
        ({"attributes": {"provider": "Other", "region": True}}, "'region' is true or false, not text."),
        ({"attributes": {"provider": "Other", "upload_concurrency": 2**64}}, "it must be a whole number"),
    ],
)
def test_a_credential_that_cannot_work_is_refused_and_no_secret_is_shown(host, offsite, values, message):
    said = host.refused("credential", {**offsite, **values})
    assert said.startswith("Credential offsite is invalid: ")
    assert message in said
    assert "s3cr3t" not in said


def test_a_remote_path_that_encryption_cannot_use_is_refused(host, documents):
    said = host.refused("task", {**documents, "remote_path": "bucket/%(x)s", "encryption": {"password": "secret"}})
    assert "remote_path is 'bucket/%(x)s', which rclone's configuration cannot contain." in said


@pytest.mark.parametrize("option", ["runs", "next"])
def test_a_negative_number_of_runs_is_refused(host, option):
    assert host.refused("task_info", {option: -1}) == f"{option} is -1. Use a whole number, 0 or more."
