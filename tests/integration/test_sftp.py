# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""SFTP, as TrueNAS can't do it: host keys are checked, keys are text and may have a passphrase."""

from __future__ import annotations

import os
import pathlib
import shutil
import stat
import subprocess
import tempfile

import pytest
from harness import SECRET, SLOW, copy_of, read_tree, text_tree, write_tree
from sftp_server import MAKERS, private, serving_sftp

FILES = {"a.txt": "alpha", "d/b.txt": "beta"}
HEARD = "the run fails, notification, `cloudsync check`"
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="another user needs root")


def sealed(key, passphrase, path):
    """The private key in OpenSSH's present format with a passphrase, which only ssh-keygen writes without bcrypt."""
    if shutil.which("ssh-keygen") is None:
        pytest.skip("ssh-keygen is not on PATH")
    path.write_text(private(key))
    path.chmod(0o600)
    subprocess.run(["ssh-keygen", "-q", "-p", "-P", "", "-N", passphrase, "-f", str(path)], check=True)
    assert path.read_text() != private(key)
    return path.read_text()


def warning_of(result):
    """The one warning of a module; ansible-core 2.19 and later wrap it."""
    (warning,) = result["warnings"]
    return warning if isinstance(warning, str) else warning["event"]["msg"]


@pytest.fixture(name="server")
def fixture_server(rclone, tmp_path):
    with serving_sftp(rclone, tmp_path / "sftp") as found:
        yield found


@pytest.fixture(name="foreign")
def fixture_foreign(new_machine, rclone):
    """A machine whose rclone everybody can reach."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        yield new_machine(copy_of(rclone, folder))


def push(machine, **options):
    write_tree(machine.data / "documents", FILES)
    task = {"name": "push", "credential": "there", "direction": "push", "mode": "sync"}
    return {**task, "path": str(machine.data / "documents"), "remote_path": "d", **options}


@pytest.mark.parametrize("kind", ["rsa", "ecdsa", "ed25519"])
def test_one_known_key_of_any_kind_is_enough(machine, server, kind):
    machine.declare([server.credential(known_hosts=server.known(kind))], [push(machine)])
    assert machine.cloudsync("verify", "there").code == 0
    machine.run("push")
    assert text_tree(server.files / "d") == FILES


def test_the_oldest_rclone_wants_all_of_them(new_machine, old_rclone, server):
    machine = new_machine(old_rclone)
    machine.declare([server.credential(known_hosts=server.known("rsa", "ecdsa", "ed25519"))], [push(machine)])
    machine.run("push")
    assert text_tree(server.files / "d") == FILES

    machine.declare([server.credential(known_hosts=server.known("ed25519"))])
    verified = machine.cloudsync("verify", "there")
    assert verified.code == 1
    assert "all types" in verified.out + verified.err


def test_a_key_that_nobody_knows_is_no_login_and_the_way_out_is_said(machine, server, reliability):
    elsewhere = server.known("ed25519").replace("127.0.0.1", "127.0.0.2")
    machine.declare([server.credential(known_hosts=elsewhere)], [push(machine)])
    record = machine.run("push", 1, "auth")
    assert "not among the keys that the credential trusts" in record["message"]
    assert "ssh-keyscan" in record["message"]
    assert "known_hosts" in record["message"]
    assert machine.cloudsync("verify", "there").code == 1
    assert read_tree(server.files) == {}
    reliability.add("The SSH host key of the server is unknown.", record, HEARD)


def test_a_key_that_changed_is_no_login(machine, server, reliability):
    machine.declare([server.credential(known_hosts=server.known("ed25519"))], [push(machine)])
    machine.run("push")
    server.hosts["ed25519"] = MAKERS["ed25519"]()
    machine.declare([server.credential(known_hosts=server.known("ed25519"))])
    record = machine.run("push", 1, "auth")
    assert "Another server may be answering" in record["message"]
    reliability.add("The SSH host key of the server has changed.", record, HEARD)


def test_without_any_known_host_every_use_is_refused_and_the_module_says_so(machine, server):
    if pathlib.Path(os.path.expanduser("~/.ssh/known_hosts")).is_file():
        pytest.skip("this machine's user knows hosts")
    told = machine.module("credential", **server.credential())
    assert "Until then, runs as user " in warning_of(told)
    machine.declare([], [push(machine)])
    assert "has no known SSH host key for this server" in machine.run("push", 1, "auth")["message"]
    assert f"'ssh-keyscan -p {server.port} 127.0.0.1'" in warning_of(told)
    machine.plan("push", 1, "auth")
    verified = machine.cloudsync("verify", "there")
    assert verified.code == 1
    assert "has no known SSH host key for this server" in verified.err + verified.out
    assert read_tree(server.files) == {}


def test_the_hosts_own_file_of_known_hosts_is_used(machine, server):
    own = machine.root / "etc" / "ssh" / "ssh_known_hosts"
    own.parent.mkdir(parents=True)
    own.write_text(server.known("ed25519"))
    assert machine.declare([server.credential()], [push(machine)]).warnings == []
    machine.run("push")
    assert text_tree(server.files / "d") == FILES


def test_who_opts_out_logs_in_and_is_warned(machine, server):
    told = machine.module("credential", **server.credential(known_hosts="none"))
    assert "SSH host keys are not checked (known_hosts: none)" in warning_of(told)
    machine.declare([], [push(machine)])
    machine.run("push")
    assert text_tree(server.files / "d") == FILES


@needs_root
def test_known_hosts_reach_a_run_as_another_user_and_go_with_it(foreign, server):
    machine = foreign
    task = push(machine, user="nobody", bandwidth=SLOW, transfers=1)
    write_tree(machine.data / "documents", {"big": os.urandom(600000)})
    machine.declare([server.credential(known_hosts=server.known("ed25519"))], [task])
    run = machine.start("push")
    machine.wait_for_bytes("push")
    (live,) = machine.live()
    assert (live / "rclone" / "known_hosts").read_text() == server.known("ed25519")
    assert stat.S_IMODE((live / "rclone" / "known_hosts").stat().st_mode) == 0o644
    assert "known_hosts_file = ${RCLONE_CONFIG_DIR}/known_hosts\n" in (live / "rclone" / "rclone.conf").read_text()
    pid, _words = machine.rclone_of(run)
    assert "Uid:\t65534" in pathlib.Path(f"/proc/{pid}/status").read_text()
    machine.ended(run, 0)
    assert machine.live() == []
    assert sorted(read_tree(server.files / "d")) == ["a.txt", "big", "d/b.txt"]


def test_a_key_as_text(machine, server):
    secrets = {"key_pem": private(server.key)}
    machine.declare([server.credential(secrets, known_hosts=server.known("ed25519"))], [push(machine)])
    machine.run("push")
    assert text_tree(server.files / "d") == FILES


def test_a_key_as_text_with_a_passphrase(machine, server, tmp_path):
    passphrase = SECRET + " with blanks"
    secrets = {"key_pem": sealed(server.key, passphrase, tmp_path / "key"), "key_file_pass": passphrase}
    machine.declare([server.credential(secrets, known_hosts=server.known("ed25519"))], [push(machine)])
    machine.run("push")
    assert text_tree(server.files / "d") == FILES


def test_a_wrong_passphrase_is_a_matter_of_the_login(machine, server, tmp_path):
    secrets = {"key_pem": sealed(server.key, SECRET, tmp_path / "key"), "key_file_pass": SECRET + "-wrong"}
    machine.declare([server.credential(secrets, known_hosts=server.known("ed25519"))], [push(machine)])
    machine.run("push", 1, "auth")


def test_a_key_in_a_file(machine, server, tmp_path):
    file = tmp_path / "id"
    file.write_text(private(server.key))
    file.chmod(0o600)
    known = server.credential(known_hosts=server.known("ed25519"), key_file=str(file))
    machine.declare([{**known, "secrets": {}}], [push(machine)])
    machine.run("push")
    assert text_tree(server.files / "d") == FILES
