# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fixtures of the integration tests: hosts, and servers that each worker starts once.

The collection can be imported only after pytest has collected the tests, so each fixture imports harness itself.
"""

from __future__ import annotations

import fcntl
import os
import pathlib
import shutil
import subprocess
import tempfile
import uuid

import pytest


def memory():
    """Return a folder on tmpfs with enough space, or None. Every write is synced, which is slow on a busy disk."""
    try:
        found = os.statvfs("/dev/shm")
    except OSError:
        return None
    return "/dev/shm" if found.f_bavail * found.f_frsize > 2**30 and os.access("/dev/shm", os.W_OK) else None


@pytest.fixture(name="rclone", scope="session")
def fixture_rclone():
    found = shutil.which("rclone")
    if found is None:
        pytest.skip("rclone is not on PATH")
    return found


@pytest.fixture(name="old_rclone", scope="session")
def fixture_old_rclone(tmp_path_factory):
    """Return the rclone of Debian 12, unpacked and not installed."""
    folder = tmp_path_factory.getbasetemp().parent / "rclone-of-debian"
    folder.mkdir(exist_ok=True)
    program = folder / "usr" / "bin" / "rclone"
    with open(folder / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not program.exists() and shutil.which("apt-get"):
            subprocess.run(["apt-get", "-q", "download", "rclone"], cwd=folder, capture_output=True, check=False)
            for package in folder.glob("*.deb"):
                subprocess.run(["dpkg", "-x", package, folder], check=True)
    if not program.exists():
        pytest.skip("The rclone package of Debian cannot be downloaded.")
    return str(program)


@pytest.fixture(name="installed", scope="session")
def fixture_installed(tmp_path_factory):
    """Return a root where the module runner installed the engine and the command."""
    import harness

    return harness.install(tmp_path_factory.mktemp("installed"))


@pytest.fixture(name="new_machine")
def fixture_new_machine(installed, rclone):
    """Return a function that creates hosts. Every user can enter their folders."""
    import harness

    machines = []

    def make(program=rclone):
        root = pathlib.Path(tempfile.mkdtemp(prefix="cloudsync-", dir=memory()))
        root.chmod(0o755)
        machines.append(harness.Machine(root, installed, program))
        return machines[-1]

    try:
        yield make
        for machine in machines:
            machine.close()
    finally:
        for machine in machines:
            shutil.rmtree(machine.root, ignore_errors=True)


@pytest.fixture(name="machine")
def fixture_machine(new_machine):
    return new_machine()


@pytest.fixture(name="reliability")
def fixture_reliability():
    """Return the collector of injected faults. Its add() writes a row of docs/reliability.md."""
    from reliability import Reliability

    return Reliability()


@pytest.fixture(name="each_machine", params=["rclone", "old_rclone"])
def fixture_each_machine(request, new_machine):
    """Return a host with the current rclone, and one with the oldest supported version."""
    return new_machine(request.getfixturevalue(request.param))


@pytest.fixture(name="s3_server", scope="session")
def fixture_s3_server(rclone):
    """Return the port and the folder of an S3 server. Each folder in it is a bucket."""
    import harness

    login = f"{harness.KEY_ID},{harness.KEY}"
    temporary = tempfile.TemporaryDirectory(prefix="cloudsync-s3-", dir=memory())
    # Tests change files directly. With 0, rclone would clear its cache all the time and use a quarter of a processor.
    options = ("--auth-key", login, "--dir-cache-time", "50ms")
    with temporary as folder, harness.serving(rclone, "s3", folder, *options) as port:
        yield port, pathlib.Path(folder)


def _server(name):
    """Return a session fixture with the port of a server in servers.py."""

    @pytest.fixture(name=name + "_port", scope="session")
    def fixture(tmp_path_factory):
        import servers

        with getattr(servers, name)(tmp_path_factory.mktemp(name)) as port:
            yield port

    return fixture


fixture_seaweed_port = _server("seaweed")
fixture_moto_port = _server("moto")
fixture_azurite_port = _server("azurite")
fixture_gcs_port = _server("gcs")
fixture_swift_port = _server("swift")


@pytest.fixture(name="bucket_name")
def fixture_bucket_name():
    """Return the name of a bucket that does not exist yet."""
    return "bucket-" + uuid.uuid4().hex[:12]


@pytest.fixture(name="authority", scope="session")
def fixture_authority(tmp_path_factory):
    from authority import Authority

    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(name="bucket")
def fixture_bucket(s3_server):
    """Return the folder of a new bucket."""
    folder = s3_server[1] / f"bucket-{uuid.uuid4().hex[:12]}"
    folder.mkdir()
    return folder


@pytest.fixture(name="store")
def fixture_store(s3_server):
    """Return the credential ``store`` for the S3 server."""
    import harness

    return harness.s3_credential(s3_server[0])


@pytest.fixture(name="new_rounds")
def fixture_new_rounds():
    """Return a function that yields pairs of a random victim and a random generator. The seed is printed."""
    import random

    import killing

    def rounds(name, victims):
        seed = os.environ.get("CLOUDSYNC_SEED", "1")
        print(f"CLOUDSYNC_SEED={seed} selects the random kills of {name}")
        if not killing.can_trace():
            victims = ["both" if victim == "step" else victim for victim in victims]
        count = 0
        while True:
            chance = random.Random(f"{name} {seed} {count}")
            yield chance.choice(victims), chance
            count += 1

    return rounds


@pytest.fixture(name="browser", scope="module")
def fixture_browser(tmp_path_factory):
    """Return a browser without a screen."""
    import browser as browsers

    if not browsers.is_there():
        pytest.skip("chromium and chromium-driver are not on PATH")
    with browsers.browsing(tmp_path_factory.mktemp("browser")) as browser:
        yield browser
