# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Moving in: the playbooks import_truenas and import_rclone, and what they write, used on a host."""

from __future__ import annotations

import importlib.util
import json
import os
import pathlib
import re
import shlex
import subprocess

import pytest
import yaml

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.rclone.providers import schema as providers
from ansible_collections.skyhaul.cloudsync.plugins.plugin_utils._migration.truenas import from_truenas

VAULT_PASSWORD = "correct horse"
CONFIG_PASSWORD = "INTEGRATION-SECRET-config"
SHAPES = pathlib.Path(__file__).parents[1] / "unit/plugins/plugin_utils/_migration/test_truenas.py"
FILES = {"cat.jpg": "meow", "2026/dog.jpg": "woof", "cache/x.tmp": "no"}


@pytest.fixture(name="control")
def fixture_control(tmp_path, rclone):
    """A control node with one host, whose root is in ``control.root``, and a vault password."""
    from controller import Controller

    made = Controller(tmp_path)
    made.root = tmp_path / "host"
    made.environment["PATH"] += ":" + str(pathlib.Path(rclone).parent)
    made.environment["ANSIBLE_VAULT_PASSWORD_FILE"] = str(tmp_path / "vault-password")
    (tmp_path / "vault-password").write_text(VAULT_PASSWORD)
    made.inventory(
        nas={
            "ansible_become": False,
            "cloudsync_root": str(made.root),
            "cloudsync_rclone_install": "none",
            "cloudsync_rclone_path": rclone,
        }
    )
    return made


def imported(control, playbook, *words, folder="cloudsync-import", **variables):
    """What the playbook says; nothing that it says or writes in clear has a secret in it."""
    import harness

    said = control.play(playbook, "-vvv", *words, **variables)
    assert harness.SECRET not in said
    assert harness.SECRET not in (control.folder / folder / "cloudsync.yml").read_text()
    encrypted = control.folder / folder / "vault_cloudsync.yml"
    assert encrypted.read_text().startswith("$ANSIBLE_VAULT;")
    assert encrypted.stat().st_mode & 0o777 == 0o600
    return said


def apply(control, *words, code=0, folder="cloudsync-import"):
    """Declare what was imported."""
    files = [word for name in ("cloudsync.yml", "vault_cloudsync.yml") for word in ("-e", f"@{folder}/{name}")]
    return control.play("site", *files, *words, code=code)


def run_task(control, name):
    return json.loads(
        control.call(control.root / "usr/local/bin/cloudsync", "run", name, "--json", CLOUDSYNC_ROOT=str(control.root))
    )


def truenas_task(control, port, **more):
    import harness

    login = {
        "type": "S3",
        "access_key_id": harness.KEY_ID,
        "secret_access_key": harness.KEY,
        "endpoint": f"http://127.0.0.1:{port}",
        "region": "",
        "skip_region": True,
        "signatures_v2": False,
        "max_upload_parts": 10000,
        "provider": "Other",
        "force_path_style": True,
        "sign_accept_encoding": True,
    }
    entry = {
        "id": 1,
        "description": "Photos, nightly",
        "path": str(control.root / "mnt/tank/photos"),
        "dataset": "tank/photos",
        "relative_path": "",
        "credentials": {"id": 1, "name": "My S3", "provider": login},
        "attributes": {"bucket": "moved", "folder": "photos", "fast_list": False},
        "schedule": {"minute": "00", "hour": "3", "dom": "*", "month": "*", "dow": "*"},
        "pre_script": "echo before {{ not_a_template }} {0}".replace("{0}", harness.SECRET) + " > /dev/null",
        "post_script": f"touch {control.root}/after",
        "snapshot": False,
        "include": [],
        "exclude": ["*.tmp"],
        "args": "--checksum",
        "enabled": True,
        "job": None,
        "locked": False,
        "bwlimit": [{"time": "08:00", "bandwidth": 104857600}],
        "transfers": 2,
        "direction": "PUSH",
        "transfer_mode": "SYNC",
        "encryption": True,
        "filename_encryption": False,
        "encryption_password": harness.PASSWORD,
        "encryption_salt": harness.SALT,
        "create_empty_src_dirs": False,
        "follow_symlinks": False,
    }
    return {**entry, **more}


def test_a_task_of_truenas_runs_on_a_host_after_two_commands(control, s3_server):
    import harness

    port, store = s3_server
    pathlib.Path(store, "moved").mkdir(exist_ok=True)
    harness.write_tree(control.root / "mnt/tank/photos", FILES)
    (control.folder / "tasks.json").write_text(json.dumps([truenas_task(control, port)]))
    said = imported(control, "import_truenas", truenas_tasks="tasks.json", truenas_timezone="Europe/Berlin")
    assert "1 credential and 1 task" in said

    assert harness.SECRET not in apply(control)
    assert run_task(control, "Photos-nightly")["state"] == "success"
    pushed = harness.read_tree(pathlib.Path(store, "moved", "photos"))
    assert sorted(pushed) == [".cloudsync-canary.bin", "2026/dog.jpg.bin", "cat.jpg.bin"]
    assert b"meow" not in pushed["cat.jpg.bin"]
    assert (control.root / "after").exists()
    assert "changed=0" in apply(control)


def test_what_truenas_hid_is_asked_for_by_name_before_anything_is_declared(control, s3_server):
    entry = truenas_task(control, s3_server[0])
    entry["credentials"]["provider"]["secret_access_key"] = "********"
    (control.folder / "tasks.json").write_text(json.dumps({"tasks": [entry]}))
    said = imported(control, "import_truenas", truenas_tasks="tasks.json")
    hint = "The credential 'My S3': TrueNAS did not show its secret_access_key"
    assert "vault_cloudsync_My_S3_secret_access_key in vault_cloudsync.yml" in " ".join(said.split())
    refused = " ".join(apply(control, code=2).replace("''", "'").split())
    assert hint in refused
    assert not (control.root / "etc/cloudsync/credentials").exists() or not any(
        (control.root / "etc/cloudsync/credentials").iterdir()
    )


def test_a_check_writes_nothing_and_a_second_import_overwrites_nothing(control, s3_server):
    (control.folder / "tasks.json").write_text(json.dumps([truenas_task(control, s3_server[0])]))
    assert "1 credential and 1 task" in control.play("import_truenas", "--check", truenas_tasks="tasks.json")
    assert not (control.folder / "cloudsync-import").exists()

    imported(control, "import_truenas", truenas_tasks="tasks.json")
    before = {path.name: path.read_bytes() for path in (control.folder / "cloudsync-import").iterdir()}
    said = control.play("import_truenas", code=2, truenas_tasks="tasks.json")
    assert "would be overwritten" in said
    assert {path.name: path.read_bytes() for path in (control.folder / "cloudsync-import").iterdir()} == before

    (control.folder / "group_vars" / "all").mkdir(parents=True)
    elsewhere = {"truenas_tasks": "tasks.json", "cloudsync_import_dir": "group_vars/all"}
    imported(control, "import_truenas", folder="group_vars/all", **elsewhere)
    assert "changed=" in control.play("site")
    assert (control.root / "etc/cloudsync/tasks/Photos-nightly.json").exists()


def test_an_import_without_files_or_without_a_vault_password_says_what_to_add(control):
    assert "-e truenas_tasks=FILE" in control.play("import_truenas", code=2)
    (control.folder / "tasks.json").write_text("[]")
    del control.environment["ANSIBLE_VAULT_PASSWORD_FILE"]
    said = control.play("import_truenas", code=2, truenas_tasks=str(control.folder / "tasks.json"))
    assert "--ask-vault-pass" in said and not (control.folder / "cloudsync-import").exists()


def test_the_installed_rclone_accepts_every_provider_of_truenas(rclone):
    spec = importlib.util.spec_from_file_location("shapes", SHAPES)
    shapes = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(shapes)
    known = providers.parse(providers.run_quietly(rclone, "config", "providers"))
    for version in shapes.VERSIONS:
        entries = [
            shapes.task(kind, version, credentials=shapes.credential(kind, version, number), attributes=place)
            for number, kind in enumerate(shapes.PROVIDERS)
            for place in [shapes.ATTRIBUTES.get(kind, ({"bucket": "b", "folder": "f"},))[0]]
        ]
        result = from_truenas({"tasks": json.dumps(entries), "keys": json.dumps(shapes.KEYS)}, known)
        assert len(result.public["cloudsync_credentials"]) == len(shapes.PROVIDERS)
        assert len(result.public["cloudsync_tasks"]) == len(entries)
        assert not result.needed


class Configuration:
    """An rclone.conf that rclone itself writes."""

    def __init__(self, rclone, path):
        self._rclone = rclone
        self.path = path
        self._password = []

    def rclone(self, *words):
        return subprocess.run(
            [self._rclone, "--config", str(self.path), *self._password, *words],
            check=True,
            env={"PATH": "/usr/bin:/bin", "HOME": str(self.path.parent)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
        ).stdout

    def encrypt(self):
        secret = self.path.parent / "config-password"
        secret.write_text(CONFIG_PASSWORD)
        self._password = ["--password-command", f"cat {secret}"]
        self.rclone("config", "encryption", "set")
        assert b"RCLONE_ENCRYPT_V0" in self.path.read_bytes()


@pytest.fixture(name="configuration")
def fixture_configuration(control, rclone, s3_server):
    """A store, a crypt remote on it that has FILES, an alias and a union."""
    import harness

    made = Configuration(rclone, control.folder / "rclone.conf")
    options = {"provider": "Other", "access_key_id": harness.KEY_ID, "secret_access_key": harness.KEY}
    options.update({"endpoint": f"http://127.0.0.1:{s3_server[0]}", "force_path_style": "true"})
    made.rclone("config", "create", "my store", "s3", *[f"{name}={value}" for name, value in options.items()])
    made.rclone("config", "create", "short", "alias", "remote=my store:attic")
    secrets = [f"password={harness.PASSWORD}", f"password2={harness.SALT}"]
    made.rclone("config", "create", "safe", "crypt", "remote=short:safe", *secrets, "--obscure")
    made.rclone("config", "create", "both", "union", "upstreams=short:a short:b")
    nas = ["host=nas.example", "user=u", f"pass={harness.PASSWORD}"]
    made.rclone("config", "create", "nas", "sftp", *nas, "--obscure")
    harness.write_tree(control.folder / "photos", FILES)
    made.rclone("mkdir", "my store:attic")
    made.rclone("copy", str(control.folder / "photos"), "safe:")
    return made


@pytest.mark.parametrize("is_encrypted", [False, True], ids=["obscured", "encrypted"])
def test_an_rclone_conf_becomes_credentials_and_encryptions_that_read_what_it_wrote(
    control, configuration, is_encrypted
):
    import harness

    file = "rclone.conf"
    if is_encrypted:
        configuration.encrypt()
        said = control.play("import_rclone", code=2, rclone_config=file)
        assert "RCLONE_CONFIG_PASS" in said
        said = control.play("import_rclone", code=2, rclone_config="rclone.conf", rclone_config_password="wrong")
        assert "The password is wrong" in said
        control.environment["RCLONE_CONFIG_PASS"] = CONFIG_PASSWORD
    else:
        (control.folder / "redacted.conf").write_text(configuration.rclone("config", "redacted"))
        said = control.play("import_rclone", code=2, rclone_config="redacted.conf")
        assert "rclone config redacted" in said and "pass of 'nas'" in said
        # As a redirection in PowerShell writes it.
        file = "windows.conf"
        (control.folder / file).write_bytes(configuration.path.read_text().replace("\n", "\r\n").encode("utf-16"))
    said = " ".join(imported(control, "import_rclone", rclone_config=file).replace("''", "'").split())
    assert "2 credentials and 0 tasks" in said
    assert "The remote 'short' is another name for a path" in said
    assert "The remote 'both' combines several remotes" in said

    restored = control.root / "srv/restored"
    task = {
        "name": "restore",
        "credential": "{{ cloudsync_import_encryptions.safe.credential }}",
        "direction": "pull",
        "path": str(restored),
        "remote_path": "{{ cloudsync_import_encryptions.safe.remote_path }}",
        "encryption": "{{ cloudsync_import_encryptions.safe.encryption }}",
    }
    (control.folder / "tasks.yml").write_text(json.dumps({"cloudsync_tasks": [task]}))
    assert harness.SECRET not in apply(control, "-e", "@tasks.yml")
    assert run_task(control, "restore")["state"] == "success"
    assert harness.text_tree(restored) == FILES
    stored = (control.root / "etc/cloudsync/credentials/nas.json").read_text()
    assert harness.SECRET not in stored


def test_a_cron_line_and_its_task_do_the_same(machine, rclone, s3_server, bucket):
    """What the cron line of the guide has pushed is what its task would push, so a plan has nothing to do."""
    import harness

    section = (SHAPES.parents[5] / "docs/moving-in.md").read_text(encoding="utf-8").split("## From cron\n")[1]
    line, task = re.search(r"rclone (sync .+)", section).group(1), re.search(r"```yaml\n(.*?)```", section, re.DOTALL)
    (task,) = yaml.safe_load(task.group(1))["cloudsync_tasks"]
    harness.write_tree(machine.data / "www", {**FILES, "old.tmp": "no"})
    credential = harness.s3_credential(s3_server[0], "s3")
    options = {"type": "s3", **credential["attributes"], **credential["secrets"]}
    environment = {f"RCLONE_CONFIG_S3_{name.upper()}": str(value) for name, value in options.items()}
    words = shlex.split(line.replace("/srv/", f"{machine.data}/").replace("s3:backup", f"s3:{bucket.name}"))
    subprocess.run([rclone, "--config", "/dev/null", *words], env={**os.environ, **environment}, check=True)
    assert harness.text_tree(bucket / "www") == {
        name: text for name, text in FILES.items() if not name.endswith(".tmp")
    }
    own = {"path": str(machine.data / "www"), "remote_path": f"{bucket.name}/www"}
    machine.declare([credential], [{**task, **own}])
    plan = machine.plan("www")
    assert [plan[part] for part in ("copy", "overwrite", "delete")] == [[], [], []]
