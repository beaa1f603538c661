# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbooks backup, restore and rotate_seed, from a control node to hosts that are folders of this machine."""

from __future__ import annotations

import json
import pathlib
import shutil
import stat

import harness
import pytest
from controller import Controller

PASSPHRASE = harness.SECRET + "-passphrase"
FILES = {"index.html": "<h1>Hello</h1>", "img/logo.svg": "<svg/>"}


class Site:
    """A control node, the hosts ``web1`` and ``web2``, and what was said so far."""

    def __init__(self, folder, hosts, rclone, credential, bucket):
        self.control = Controller(folder)
        self.backups = self.control.folder / "cloudsync-backup"
        self.hosts = hosts
        self.credential = credential
        self.bucket = bucket
        self.said = []
        common = {"cloudsync_rclone_install": "none", "cloudsync_rclone_path": rclone}
        self.control.inventory(
            **{name: {"cloudsync_root": str(host.root), **common} for name, host in hosts.items()},
        )

    def declare(self, name):
        """A credential and three tasks, of which two are encrypted and one has a timer."""
        host = self.hosts[name]
        crypt = {"credential": "store", "remote_path": self.bucket.name, "encryption": {"password": harness.PASSWORD}}
        plain = {"credential": "store", "remote_path": self.bucket.name + "/plain", "schedule": {"preset": "daily"}}
        push, pull = ({"direction": "push", "path": str(host.data)}, {"direction": "pull", "path": str(host.data)})
        pull["path"] += "/back"
        host.declare(
            [self.credential],
            [{"name": "www", **push, **crypt}, {"name": "back", **pull, **crypt}, {"name": "plain", **push, **plain}],
        )

    def play(self, playbook, *words, code=0, **variables):
        self.said.append(self.control.play(playbook, "-v", *words, code=code, **variables))
        return " ".join(self.said[-1].split())

    def backup(self, *words, host="web1", **variables):
        return self.play("backup", *words, cloudsync_hosts=host, cloudsync_passphrase=PASSPHRASE, **variables)

    def restore(self, *words, host="web1", code=0, **variables):
        """Without the role that installs the runner, which takes its time."""
        variables = {"cloudsync_restore_runner": False, **variables}
        return self.play("restore", *words, code=code, cloudsync_hosts=host, **variables)

    def config(self, name):
        """Every file below etc/cloudsync and of the units."""
        found = harness.read_tree(self.hosts[name].root / "etc")
        return {path: content for path, content in found.items() if path != "machine-id"}

    def wipe(self, name):
        shutil.rmtree(self.hosts[name].root / "etc")

    def seed(self, name):
        return json.loads(pathlib.Path(self.hosts[name].layout.seed).read_text())

    def backup_of(self, name):
        return json.loads((self.backups / (name + ".json")).read_text())

    def pulled(self, name):
        """What the task ``back`` brings."""
        self.hosts[name].run("back")
        return harness.text_tree(self.hosts[name].data / "back")

    def assert_no_secret_shows(self):
        assert not [text for text in self.said if harness.SECRET in text]
        for path in harness.walk(self.control.folder):
            assert harness.SECRET.encode() not in path.read_bytes(), path


@pytest.fixture(name="site")
def fixture_site(tmp_path, new_machine, rclone, store, bucket):
    """``web1`` has a seed, a credential and tasks, and has pushed; ``web2`` has only a seed."""
    made = Site(tmp_path, {"web1": new_machine(), "web2": new_machine()}, rclone, store, bucket)
    harness.write_tree(made.hosts["web1"].data, FILES)
    made.declare("web1")
    made.hosts["web1"].run("www")
    yield made
    made.assert_no_secret_shows()


def test_a_wiped_host_is_restored_and_pulls_what_it_had_pushed(site):
    site.backup()
    config, root = site.config("web1"), site.hosts["web1"].root
    shutil.rmtree(root)
    everything = {"cloudsync_passphrase": PASSPHRASE, "cloudsync_restore_runner": True}

    foreseen = site.restore("--check", "--diff", **everything)
    assert "OnCalendar=" in foreseen and not root.exists()
    site.restore(**everything)
    assert "changed=0" in site.restore(**everything)

    restored = site.config("web1")
    assert {name: restored[name] for name in config} == config
    added = {name for name in set(restored) - set(config) if "cloudsync-watch." not in name}
    assert added == {
        "systemd/system/cloudsync@.service",
        "systemd/system/cloudsync-helper@.service",
        "systemd/system/cloudsync-helper.socket",
        "systemd/system/sockets.target.wants/cloudsync-helper.socket",
    }
    assert site.pulled("web1") == FILES


def test_a_ciphertext_belongs_to_its_object_and_not_to_its_host(site):
    site.backup()
    site.wipe("web2")

    site.restore(host="web2", cloudsync_passphrase=PASSPHRASE, cloudsync_backup_of="web1")

    assert site.config("web2") == site.config("web1")
    site.hosts["web2"].run("back")
    assert harness.text_tree(site.hosts["web1"].data / "back") == FILES  # the path is that of web1


def test_the_seed_of_another_host_keeps_its_own_keys(site):
    site.backup()
    own = site.seed("web2")["primary"]

    site.restore(host="web2", cloudsync_passphrase=PASSPHRASE, cloudsync_backup_of="web1")

    assert site.seed("web2")["primary"] == own
    assert {key["id"] for key in site.seed("web2")["keys"]} == {own, site.seed("web1")["primary"]}
    site.hosts["web2"].run("back")


def test_a_backup_is_a_file_for_the_operator_alone_and_the_same_while_nothing_changes(site):
    foreseen = site.backup("--check", "--diff")
    assert not site.backups.exists()
    said = site.backup()
    path = site.backups / "web1.json"
    first = path.read_bytes()

    assert "changed=3" in foreseen and "changed=3" in said
    assert "1 credentials, 3 tasks, the seed" in said
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "changed=0" in site.backup()
    assert path.read_bytes() == first
    assert [each.name for each in site.backups.iterdir()] == ["web1.json"]

    site.hosts["web1"].declare(absent_tasks=["plain"])
    site.backup()
    assert sorted(site.backup_of("web1")["tasks"]) == ["back", "www"]
    (former,) = site.backups.glob("web1.json.*~")
    assert (former.read_bytes(), stat.S_IMODE(former.stat().st_mode)) == (first, 0o600)


def test_an_emptied_host_does_not_replace_its_backup(site):
    site.backup()
    first = (site.backups / "web1.json").read_bytes()
    site.hosts["web1"].declare(purge=True, purge_all=True)

    said = site.backup(code=2)

    assert "its last backup contains credential store, task back, task plain, task www" in said
    assert (site.backups / "web1.json").read_bytes() == first


def test_a_purge_of_a_host_is_undone_by_one_command(site):
    host = site.hosts["web1"]
    config = site.config("web1")
    (warning,) = host.declare(purge=True, purge_all=True).warnings
    assert host.cloudsync("list", "--json").json == []

    assert warning.endswith("run on the host: cloudsync unpurge")
    answer = host.cloudsync("unpurge", "--json")

    assert answer.code == 0, answer
    assert answer.json["restored"] == {"credentials": ["store"], "tasks": ["back", "plain", "www"]}
    now = site.config("web1")
    assert {name: now[name] for name in now if "/purged/" not in name} == config
    host.run("www")
    assert host.cloudsync("unpurge", "none").code == 2


def test_without_a_passphrase_there_is_no_seed_in_the_backup_and_it_says_so(site):
    said = site.play("backup", cloudsync_hosts="web1")

    assert "The backup does not contain the current seed." in said
    assert "1 credentials, 3 tasks, no seed" in said
    assert site.backup_of("web1")["seed"] == {"key_ids": [], "wrapped": ""}
    site.backup()
    assert "The backup has no seed" not in site.play("backup", cloudsync_hosts="web1")
    assert site.backup_of("web1")["seed"]["wrapped"].startswith("cloudsync-seed-1:")


def test_without_the_seed_everything_is_kept_and_what_can_not_be_read_is_told(site, reliability):
    site.backup()
    config = site.config("web1")
    site.wipe("web1")

    said = site.restore()

    assert "cannot decrypt these objects: credential store, task back, task plain, task www." in said
    # Nothing can be scheduled that no seed authenticates.
    inert = [name for name in config if name.startswith(("cloudsync/credentials/", "cloudsync/tasks/"))]
    units = {name: config[name] for name in config if name.startswith("systemd/") and "@" not in name}
    assert site.config("web1") == {**units, **{name: config[name] for name in inert}}
    record = site.hosts["web1"].run("plain", 1, "undecryptable")

    site.restore(cloudsync_passphrase=PASSPHRASE)
    assert site.config("web1") == config
    assert site.pulled("web1") == FILES
    heard = "the run fails, `cloudsync check`, and the playbook that restored it"
    reliability.add("A host is restored from its backup without the passphrase of the seed.", record, heard)


def test_a_wrong_passphrase_is_one_sentence_and_changes_nothing(site):
    site.backup()
    site.wipe("web2")
    wrong = {"cloudsync_passphrase": harness.SECRET + "-wrong", "cloudsync_backup_of": "web1"}
    before = site.config("web1")

    for words in ([], ["--check"]):
        said = site.restore(*words, host="all", code=2, **wrong)
        assert (
            "Cannot open the wrapped seed: the passphrase is wrong, or the text was changed." in said
            and "Traceback" not in said
        )
        assert said.count("failed=1") == 2

    assert (site.config("web1"), site.config("web2")) == (before, {})


def test_what_the_host_has_stays_unless_it_is_to_be_replaced(site):
    site.backup()
    config, web1 = site.config("web1"), site.hosts["web1"]
    task = {"name": "plain", "credential": "store", "direction": "push", "path": "/srv", "remote_path": "other"}
    web1.declare([], [task, {**task, "name": "new"}])

    said = site.restore(cloudsync_passphrase=PASSPHRASE)
    assert "These objects differ from the backup and were not changed: task plain." in said
    assert "changed=0" in said
    site.restore(cloudsync_passphrase=PASSPHRASE, cloudsync_restore_existing="replace")

    restored = site.config("web1")
    assert {name: content for name, content in restored.items() if "new" not in name} == config
    assert "cloudsync/tasks/new.json" in restored


def test_a_rotation_of_a_group_takes_new_backups(site):
    site.declare("web2")
    site.backup(host="all")
    hosts = ("web1", "web2")
    before = {host: (site.config(host), site.backup_of(host)) for host in hosts}

    site.play("rotate_seed", "--check", cloudsync_passphrase=PASSPHRASE)
    assert {host: (site.config(host), site.backup_of(host)) for host in hosts} == before
    said = site.play("rotate_seed", cloudsync_passphrase=PASSPHRASE, cloudsync_at_once=1)

    assert said.count("1 credentials and 3 tasks were encrypted with the key") == 2
    for host, (_config, former) in before.items():
        assert site.backup_of(host)["seed"]["key_ids"] == [site.seed(host)["primary"]] != former["seed"]["key_ids"]
    site.wipe("web1")
    site.restore(cloudsync_passphrase=PASSPHRASE)
    assert site.pulled("web1") == FILES


def test_a_rotation_without_a_passphrase_says_that_the_last_backup_is_out_of_date(site):
    assert "No new backup was taken" in site.play("rotate_seed", cloudsync_hosts="web1")


def test_a_backup_that_was_cut_short_is_refused_and_not_replaced(site):
    site.backup()
    before = site.config("web1")
    path = site.backups / "web1.json"
    short = path.read_bytes()[:-100]
    path.write_bytes(short)

    for said in (site.restore(code=2, cloudsync_passphrase=PASSPHRASE), site.backup(code=2)):
        assert "The backup is damaged: it was edited or truncated" in said
    said = site.play("rotate_seed", code=2, cloudsync_hosts="web1", cloudsync_passphrase=PASSPHRASE)
    assert "Move the file away, then back up again" in said
    assert (site.config("web1"), path.read_bytes()) == (before, short)
