# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.errors import Refused
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.guards.local import check_local
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.guards.placement import (
    check_places,
    describe_unsafe_pull,
)
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.guards.sequence import Attempt
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.guards.source import check_source
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.rclone.binary import Rclone
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.remote.arguments import Endpoints
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.remote.session import Answer, Session
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.transfer.source_names import (
    Listing,
    build_names,
)


def refusal(check, *arguments):
    with pytest.raises(Refused) as caught:
        check(*arguments)
    return caught.value.reason, caught.value.message


@pytest.mark.parametrize(
    ("provider", "remote_path"),
    [
        ("s3", ""),
        ("s3", "bucket"),
        ("b2", "/bucket"),
        ("s3", "/"),
        ("sftp", ""),
        ("sftp", "/"),
        ("drive", "."),
        ("S3", "b"),
    ],
)
def test_a_sync_to_the_root_is_refused_unless_it_is_allowed(make_task, provider, remote_path):
    for direction in ("push", "pull"):
        reason, message = refusal(
            check_places, make_task(mode="sync", direction=direction, remote_path=remote_path), provider
        )
        assert reason == "usage"
        assert "A sync would delete everything else at the destination." in message
        assert "set guards.allow_root" in message
    check_places(make_task(mode="sync", remote_path=remote_path, guards={"allow_root": True}), provider)
    check_places(make_task(mode="copy", remote_path=remote_path), provider)


@pytest.mark.parametrize(
    ("provider", "remote_path"), [("s3", "bucket/a"), ("sftp", "a"), ("sftp", "/a"), ("drive", "a")]
)
def test_a_sync_to_a_folder_is_allowed(make_task, provider, remote_path):
    check_places(make_task(mode="sync", remote_path=remote_path), provider)


def test_a_push_to_a_read_only_provider_is_refused(make_task):
    reason, message = refusal(check_places, make_task(), "http")

    assert reason == "usage"
    assert message.startswith("Provider http is read-only. A task can pull from it but cannot push to it.")
    check_places(make_task(direction="pull"), "http")


def test_a_missing_source_and_a_file_as_path_are_refused(make_task, tmp_path):
    missing, file = tmp_path / "missing", tmp_path / "file"
    file.write_text("")

    reason, message = refusal(check_local, make_task(path=str(missing)))
    assert (reason, message) == (
        "not_found",
        f"Source {missing} does not exist. Create it, or correct the task's path.",
    )
    for direction in ("push", "pull"):
        reason, message = refusal(check_local, make_task(path=str(file), direction=direction))
        assert (reason, message) == ("not_found", f"Path {file} is not a directory. Set path to a directory.")
    check_local(make_task(path=str(missing), direction="pull"))
    check_local(make_task(path=str(tmp_path)))


def test_a_pull_into_a_dangling_link_is_refused(make_task, tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")

    assert refusal(check_local, make_task(path=str(tmp_path / "link"), direction="pull"))[0] == "not_found"


def test_an_unmounted_mount_point_is_refused_in_both_directions(make_task, tmp_path):
    for direction in ("push", "pull"):
        reason, message = refusal(
            check_local, make_task(path=str(tmp_path), direction=direction, guards={"mounted": str(tmp_path)})
        )
        assert reason == "not_mounted"
        assert f"mount {tmp_path}" in message
    check_local(make_task(path=str(tmp_path), guards={"mounted": "/proc"}))


def test_a_marker_must_be_a_file_in_the_source(make_task, tmp_path):
    task = make_task(path=str(tmp_path), guards={"marker": "a/.here"})
    os.makedirs(str(tmp_path / "a" / ".here"))

    reason, message = refusal(check_local, task)
    assert reason == "marker_missing"
    assert str(tmp_path / "a" / ".here") in message
    (tmp_path / "a" / ".here").rmdir()
    (tmp_path / "a" / ".here").write_text("")
    check_local(task)
    check_local(make_task(path=str(tmp_path), guards={"marker": "none"}, direction="pull"))


class EmptyRemote:
    """A session whose every command succeeds without output."""

    has_no_folders = False
    selection = ()

    def query(self, _arguments, **_options):
        return Answer(0, "", "")


@pytest.mark.parametrize(
    ("mode", "effect"),
    [("sync", "A sync would delete everything at the destination."), ("move", "There is nothing to move.")],
)
def test_the_refusal_of_an_empty_source_says_what_the_run_would_do(make_task, mode, effect):
    task = make_task(mode=mode, path="/srv")
    reason, message = refusal(check_source, EmptyRemote(), task, Endpoints("/srv", "remote:bucket/data"))

    assert reason == "empty_source"
    assert message.startswith(f"Source /srv contains no files that match the task's filters. {effect} Check")
    check_source(EmptyRemote(), make_task(path="/srv", mode="copy"), Endpoints("/srv", "remote:bucket/data"))


def test_the_warning_about_an_unsafe_pull_names_the_safe_version():
    assert "rclone 1.60.1" in describe_unsafe_pull(Rclone("/usr/bin/rclone", (1, 60, 1)))
    assert "1.75.0 or newer" in describe_unsafe_pull(Rclone("/usr/bin/rclone", (1, 60, 1)))


@pytest.mark.parametrize("remote_path", ["", "media", "/media/", "media/by-day"])
def test_google_photos_is_not_pulled_as_a_whole(make_task, remote_path):
    for provider in ("google photos", "GOOGLE_PHOTOS"):
        reason, message = refusal(check_places, make_task(direction="pull", remote_path=remote_path), provider)
        assert reason == "usage"
        assert "Set remote_path to one view, such as media/by-month" in message
    check_places(make_task(direction="pull", remote_path="media/by-month"), "google photos")


def test_the_names_of_changed_files_replace_the_filters(make_task):
    class Live:
        def add_filters(self, names):
            return f"file of {', '.join(names)}"

    class Finder:
        def find(self, _session, _destination):
            return ["a", "b"]

    session = Session(None, Live(), selection=("--filter-from", "filters", "--copy-links"))
    ends = Endpoints("/srv", "remote:bucket/data")
    attempt = Attempt(session, make_task(), ends, None, finder=Finder(), listing=Listing(build_names([]), True))
    assert attempt.narrow().selection == ["--files-from-raw", "file of a, b", "--copy-links"]
