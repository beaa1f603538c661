# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""docs/getting-data-back.md works as it is written: each of its situations is made, and its commands are run.

Only examples are replaced: the endpoint, the keys, the ID of a run, and the paths, which are below the host's root.
"""

from __future__ import annotations

import pathlib
import re
import shlex
import shutil
import subprocess

import harness
import places
import pytest
import yaml
from controller import Controller
from guide import DOCS, read_sections
from harness import PASSWORD, SALT, SECRET, text_tree, write_tree

GUIDE = (DOCS / "getting-data-back.md").read_text(encoding="utf-8")
FILES = {"index.html": "<h1>Hello</h1>", "posts/one.html": "one", "posts/deep/two.html": "two"}
PASSPHRASE = SECRET + "-passphrase"
ENCRYPTED = {"encryption": {"password": PASSWORD}}
SITE = "$ ansible-playbook skyhaul.cloudsync.site -e cloudsync_hosts=web1"
TASK = {"name": "www", "credential": "offsite", "direction": "push", "mode": "sync", "remote_path": "backup/web1/www"}


SECTIONS = read_sections("getting-data-back.md")


class Reader:
    """Somebody who follows the guide, with a host in place of ``web1`` and ``web2``, and a control node."""

    def __init__(self, folder, machine, rclone, port, store):
        self.folder, self.machine, self.rclone, self.port, self.store = folder, machine, rclone, port, store
        self.replaced = {
            "https://s3.example.com": f"http://127.0.0.1:{port}",
            "KEYID": harness.KEY_ID,
            "SECRET": harness.KEY,
            "{{ vault_key_id }}": harness.KEY_ID,
            "{{ vault_key }}": harness.KEY,
            "{{ vault_crypt_password }}": PASSWORD,
        }
        self.controller, self.typed = Controller(folder), ""

    @property
    def source(self):
        return self.machine.data / "www"

    def declare(self, **options):
        """Declare the login and the task of the guide on the host, and return them as variables of a playbook."""
        login = harness.s3_credential(self.port, "offsite")
        task = {**TASK, "path": str(self.source), **options}
        self.machine.declare([login], [task])
        return {"cloudsync_credentials": [login], "cloudsync_tasks": [task]}

    def push(self):
        write_tree(self.source, FILES)
        return self.machine.run("www")["id"]

    def describe(self, name, **variables):
        """Write an inventory, in which the host ``name`` is the reader's machine."""
        own = {"cloudsync_root": str(self.machine.root), "cloudsync_rclone_install": "none"}
        self.controller.inventory(**{name: {**own, "cloudsync_rclone_path": self.rclone, **variables}})

    def replace(self, text):
        for example, own in self.replaced.items():
            text = text.replace(example, own)
        for path in ("/srv", "/etc/cloudsync"):
            text = re.sub(rf"(?<![\w/.]){path}\b", f"{self.machine.root}{path}", text)
        return text

    def follow(self, section, after=None):
        """Run the commands of a section in their order, and return what each of them printed.

        ``after``: a command, and what to do after it.
        """
        said = {}
        for language, text in SECTIONS[section]:
            for command in re.findall(r"^([$#] .+)$", text, re.MULTILINE) if language == "console" else []:
                said[command] = self.call(command[0], shlex.split(self.replace(command[2:])))
                if after and command == after[0]:
                    after[1]()
        assert said, section
        return said

    def call(self, prompt, words):
        if words[0] == "cloudsync":
            assert prompt == "#"
            answer = self.machine.cloudsync(*words[1:])
            assert answer.code == 0, (words, answer)
            return answer.out
        if words[0] == "systemctl":
            assert (self.machine.root / "etc/systemd/system" / words[-1]).exists()
            return ""
        if words[0] == "ansible-playbook":
            assert prompt == "$"
            return self.controller.call(*words)
        assert (prompt, words[0]) in (("#", "mv"), ("$", "rclone"))
        program = self.rclone if words[0] == "rclone" else words[0]
        return subprocess.run(
            [program, *words[1:]], cwd=self.folder, capture_output=True, check=True, encoding="utf-8", input=self.typed
        ).stdout


@pytest.fixture(name="reader")
def fixture_reader(tmp_path, machine, rclone):
    store = tmp_path / "s3"
    (store / "backup").mkdir(parents=True)
    (store / "second").mkdir()
    login = f"{harness.KEY_ID},{harness.KEY}"
    with harness.serving(rclone, "s3", store, "--auth-key", login, "--dir-cache-time", "50ms") as port:
        (tmp_path / "control").mkdir()
        yield Reader(tmp_path / "control", machine, rclone, port, store)


def restored(reader, name):
    return text_tree(reader.machine.data / name)


def test_one_file_and_a_folder(reader):
    reader.declare(**ENCRYPTED)
    reader.push()
    said = reader.follow("One file")
    assert "index.html" in said["# cloudsync ls www"]
    assert restored(reader, "one-file") == {"index.html": FILES["index.html"]}
    (reader.source / "posts/one.html").write_text("damaged")
    (reader.source / "posts/new.html").write_text("new")
    reader.follow("A folder")
    assert restored(reader, "one-folder") == FILES
    assert restored(reader, "www") == {**FILES, "posts/new.html": "new"}


def test_yesterdays_state(reader):
    reader.declare(keep_deleted={"path": "backup/kept", "days": 30})
    reader.replaced["RUN_ID"] = reader.push()
    write_tree(reader.source, {"index.html": "today", "new.html": "new"})
    (reader.source / "posts/one.html").unlink()
    reader.machine.run("www")
    said = reader.follow("Yesterday's state")
    assert reader.replaced["RUN_ID"] in said["# cloudsync history www"]
    assert restored(reader, "yesterday") == FILES


def test_everything_onto_a_new_machine(reader, new_machine):
    old = reader.machine
    variables = reader.declare(**ENCRYPTED)
    reader.push()
    reader.machine = new_machine()
    task = {**variables["cloudsync_tasks"][0], "path": str(reader.source), "schedule": {"preset": "daily"}}
    reader.describe("web1", **{**variables, "cloudsync_tasks": [task]})

    def run_too_early():
        write_tree(reader.source, {"new.html": "new"})
        assert reader.machine.run("www", 3, "foreign")["deletes"] == 0
        shutil.rmtree(reader.source)

    said = reader.follow("Everything onto a new machine", (SITE, run_too_early))
    assert restored(reader, "www") == FILES
    assert "Nothing had to be transferred" in said["# cloudsync run www"]
    old.run("www", 3, "foreign")


def test_without_the_old_machine_but_with_its_backup(reader, new_machine):
    old, lost = reader.machine, reader.source
    reader.declare(**ENCRYPTED)
    reader.push()
    backups = reader.folder / "cloudsync-backup"
    backups.mkdir()
    (backups / "web1.json").write_text(old.module("backup", passphrase=PASSPHRASE)["content"])
    shutil.rmtree(lost)
    reader.machine = new_machine()
    reader.describe("web2", cloudsync_passphrase=PASSPHRASE)
    said = reader.follow("Without the old machine, but with its backup")
    assert text_tree(lost) == FILES  # the task of the backup has the path that it had on the old machine
    assert "Nothing had to be transferred" in said["# cloudsync run www"]
    assert old.run("www", 3, "foreign")["deletes"] == 0


def test_without_the_seed(reader):
    variables = reader.declare(**ENCRYPTED)
    reader.push()
    pathlib.Path(reader.machine.layout.seed).unlink()
    reader.machine.run("www", 1, "undecryptable")
    reader.describe("web1", **variables)
    said = reader.follow("Without the seed")
    assert "Nothing had to be transferred" in said["# cloudsync run www"]
    assert len(reader.machine.history("www")) == 3
    lost = reader.machine.root / "etc/cloudsync.lost"
    assert '"path": ' in (lost / "tasks/www.json").read_text() and (lost / "credentials/offsite.json").exists()


def test_archived_objects(reader, azurite_port, bucket_name):
    login = {**places.azure_by_key(azurite_port).credential, "name": "offsite"}
    source = reader.machine.data / "archive"
    write_tree(source, {"letters/june.odt": "hello", "photo.jpg": "a photo"})
    task = {**TASK, "name": "archive", "path": str(source), "remote_path": bucket_name + "/archive"}
    reader.machine.declare([login], [{**task, "provider_options": {"access_tier": "Archive"}}])
    reader.machine.run("archive")
    said = reader.follow("Archived objects")
    assert "would ask the provider to restore 2 archived files" in said["# cloudsync thaw archive --dry-run"]
    assert restored(reader, "from-the-archive") == text_tree(source)


@pytest.mark.parametrize(
    "encryption",
    [
        {"password": PASSWORD, "salt": SALT},
        {"password": PASSWORD, "filenames": "off", "directory_names": False},
        {"password": PASSWORD, "salt": SALT, "filenames": "obfuscate"},
        None,
    ],
    ids=["standard", "off", "obfuscate", "plain"],
)
def test_with_rclone_only(reader, encryption):
    reader.declare(encryption=encryption)
    reader.push()
    section = "With rclone only"
    ((_language, text),) = [block for block in SECTIONS[section] if block[0] == "ini"]
    secrets = encryption or {}
    for name, secret in (("PASSWORD", secrets.get("password")), ("SALT", secrets.get("salt"))):
        reader.typed = f"{secret}\n"
        obscured = reader.call("$", ["rclone", "obscure", "-"]).strip()
        assert SECRET not in obscured
        text = text.replace("OBSCURED_" + name, obscured)
    if not secrets.get("salt"):
        text = re.sub("^password2.*\n", "", text, flags=re.MULTILINE)
    text = text.replace(
        "filename_encryption = standard", f"filename_encryption = {secrets.get('filenames', 'standard')}"
    )
    switch = str(secrets.get("directory_names", True)).lower()
    text = text.replace("directory_name_encryption = true", "directory_name_encryption = " + switch)
    if encryption is None:
        text = text.partition("[files]")[0]
        reader.replaced.update({"files:posts": "provider:backup/web1/www/posts", "files:": "provider:backup/web1/www"})
    (reader.folder / "rclone.conf").write_text(reader.replace(text))
    reader.follow(section)
    assert text_tree(reader.folder / "restored") == FILES
    assert text_tree(reader.folder / "one-folder") == {"one.html": "one", "deep/two.html": "two"}


def test_a_provider_that_is_gone(reader):
    reader.declare(**ENCRYPTED)
    reader.push()
    shutil.rmtree(reader.store / "backup")
    section = "A provider that is gone"
    ((_language, text),) = [block for block in SECTIONS[section] if block[0] == "yaml"]
    variables = yaml.safe_load(reader.replace(text))
    reader.describe("web1", **variables)
    reader.follow(section)
    record = reader.machine.history("www")[0]
    assert (record["transfers"], record["deletes"]) == (3, 0)
    (task,) = variables["cloudsync_tasks"]
    shutil.rmtree(reader.source)
    assert reader.machine.cloudsync("restore", task["name"], "--to-source").code == 0
    assert text_tree(reader.source) == FILES


def test_a_pull_is_a_copy_that_can_be_pushed_to_another_provider(reader):
    reader.declare()
    reader.push()
    pulled = reader.machine.data / "pulled"
    pull = {**TASK, "name": "pulled", "direction": "pull", "path": str(pulled)}
    reader.machine.declare([], [pull])
    reader.machine.run("pulled")
    push = {**TASK, "name": "again", "path": str(pulled), "remote_path": "second/again"}
    shutil.rmtree(reader.store / "backup/web1/www")
    assert reader.machine.run("pulled", 3, "empty_source")["deletes"] == 0
    reader.machine.declare([], [{**pull, "enabled": False}, push])
    reader.machine.run("again")
    assert text_tree(reader.store / "second/again") == FILES


def test_ransomware_at_the_source(reader):
    many = {f"{number}.txt": "good" for number in range(12)}
    reader.declare(keep_deleted={"path": "backup/kept", "days": 60}, schedule={"preset": "daily"})
    write_tree(reader.source, many)
    reader.replaced["RUN_ID"] = reader.push()
    for path in FILES:
        (reader.source / path).write_text("encrypted by somebody")
    reader.machine.run("www")
    section = "Ransomware at the source"
    reader.follow(section)
    assert restored(reader, "clean") == {**FILES, **many}
    for name in many:
        (reader.source / name).rename(reader.source / (name + ".locked"))
    assert reader.machine.run("www", 3, "max_delete")["deletes"] == 0


def test_restore_drills(reader):
    section = "Restore drills"
    ((_language, text),) = [block for block in SECTIONS[section] if block[0] == "yaml"]
    reader.declare(**ENCRYPTED, **yaml.safe_load(text))
    reader.push()
    said = reader.follow(section)
    assert "success" in said["# cloudsync history drill-www"]


def test_the_guide_has_ten_situations_and_each_is_tested():
    table = GUIDE.split("| you need | section |\n")[1].split("\n\n")[0]
    situations = re.findall(r"\| \[([^]]+)\]\(#", table)
    assert len(situations) == 10
    tests = pathlib.Path(__file__).read_text(encoding="utf-8")
    assert [situation for situation in situations if f'"{situation}"' not in tests] == []
    assert {heading for heading, blocks in SECTIONS.items() if blocks} == {*situations, "Restore drills"}
