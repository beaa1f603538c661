# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import pwd
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common import accounts as privileges
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.errors import CloudsyncError

PACKAGE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(privileges.__file__))))
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="changing the user needs root")


def output(user, *argv):
    return subprocess.run(
        argv, preexec_fn=privileges.make_child_setup(user), stdout=subprocess.PIPE, check=True, universal_newlines=True
    ).stdout.strip()


def as_nobody(action):
    """Return the result of ``action`` in a process of the user nobody."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            privileges.make_drop("nobody")()
            os.write(writer, action().encode())
        finally:
            os._exit(0)
    os.close(writer)
    with open(reader) as stream:
        said = stream.read()
    os.waitpid(child, 0)
    return said


@pytest.mark.parametrize("user", [None, "root", pwd.getpwuid(os.geteuid()).pw_name])
def test_none_root_and_the_own_user_mean_the_own_account(user):
    assert privileges.find_account(user) == privileges.find_own_account()
    assert output(user, "id", "-u") == str(os.geteuid())


def test_an_unknown_user_is_refused_by_name_before_a_process_starts():
    with pytest.raises(CloudsyncError) as caught:
        privileges.make_child_setup("no-such-user")
    assert caught.value.reason == "usage"
    assert caught.value.message == (
        "User 'no-such-user' does not exist on this host. Create the user, or change the task's user."
    )


@needs_root
def test_a_child_has_only_the_user_and_groups_of_its_account():
    nobody = pwd.getpwnam("nobody")
    status = output("nobody", "grep", "-E", "^(Uid|Gid|Groups|CapEff):", "/proc/self/status")
    lines = dict(line.split(":", 1) for line in status.splitlines())
    assert set(lines["Uid"].split()) == {str(nobody.pw_uid)}
    assert set(lines["Gid"].split()) == {str(nobody.pw_gid)}
    assert set(lines["Groups"].split()) == set(map(str, privileges.find_account("nobody").groups))
    assert int(lines["CapEff"], 16) == 0


@needs_root
def test_without_root_another_user_is_refused():
    def refusal():
        try:
            privileges.make_child_setup("daemon")
        except CloudsyncError as error:
            return error.reason + " " + error.message
        return "accepted"

    assert as_nobody(refusal) == (
        "usage The task's user is daemon, but cloudsync runs as nobody. Run cloudsync as root, or change the user."
    )


@needs_root
def test_without_root_the_default_user_is_the_own_user():
    assert as_nobody(lambda: privileges.find_account("root").name) == "nobody"


@needs_root
def test_a_child_with_another_user_dies_with_the_runner():
    code = textwrap.dedent(
        """
        import subprocess, sys, time
        sys.path.insert(0, {0!r})
        from _engine.common import accounts as privileges
        child = subprocess.Popen(["sleep", "300"], preexec_fn=privileges.make_child_setup("nobody"))
        print(child.pid, flush=True)
        time.sleep(300)
        """
    ).format(PACKAGE)
    runner = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, universal_newlines=True)
    child = int(runner.stdout.readline())
    with runner.stdout:
        runner.send_signal(signal.SIGKILL)
        runner.wait()
    deadline = time.monotonic() + 5
    while os.path.exists(f"/proc/{child}") and time.monotonic() < deadline:
        with open(f"/proc/{child}/stat") as stream:
            if stream.read().rsplit(")", 1)[1].split()[0] == "Z":
                return
        time.sleep(0.02)
    assert not os.path.exists(f"/proc/{child}")
