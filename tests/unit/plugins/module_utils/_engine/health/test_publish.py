# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import pathlib
import shutil
import stat
import threading

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.health import problems, publish, textfile
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.health.problems import inspect_host

DIRECTORY = "/var/lib/node-exporter"


@pytest.fixture
def directory(layout, host):
    """The directory of the textfile collector, below the root of the host."""
    os.makedirs(layout.engine_dir)
    textfile.set_directory(layout, "", DIRECTORY)
    return pathlib.Path(layout.root + DIRECTORY)


@pytest.fixture
def said():
    return []


def list_textfile_problems(host):
    return [problem.line for problem in problems.list_problems(host) if problem.name == "textfile"]


def test_the_metrics_are_written_where_and_as_node_exporter_reads_them(host, directory, said):
    assert stat.S_IMODE(directory.stat().st_mode) == 0o755
    publish.publish(host, said.append)
    (path,) = directory.iterdir()
    assert path.name == "cloudsync.prom"
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert "cloudsync_seed_readable 1\n" in path.read_text()
    assert list_textfile_problems(host) == said == []


def test_without_a_directory_nothing_is_written_or_locked(host, layout, said):
    publish.publish(host, said.append)
    assert not os.path.exists(layout.run_dir) and not os.path.exists(layout.root + DIRECTORY)
    assert said == []


def test_a_run_in_a_unit_leaves_the_metrics_to_the_recovery(host, directory, said, monkeypatch):
    monkeypatch.setenv("CLOUDSYNC_HELPER", "/run/cloudsync/helper")
    publish.publish_unless_confined(host, said.append)
    assert list(directory.iterdir()) == []
    monkeypatch.delenv("CLOUDSYNC_HELPER")
    publish.publish_unless_confined(host, said.append)
    assert [path.name for path in directory.iterdir()] == ["cloudsync.prom"]


def block_file(directory):
    (directory / "cloudsync.prom").mkdir()
    return f"{directory}/cloudsync.prom is a directory. Remove it."


def replace_directory(directory):
    directory.rmdir()
    directory.write_text("")
    return f"{directory} is not a directory, so nothing can be written there. Remove it, or restore the directory."


def remove_directory(directory):
    directory.rmdir()
    return f"{directory} does not exist. Create it, or apply the role skyhaul.cloudsync.runner again."


@pytest.mark.parametrize("damage", [block_file, replace_directory, remove_directory])
def test_a_failed_write_is_said_and_the_check_names_the_cause(host, directory, said, damage):
    why = damage(directory)
    publish.publish(host, said.append)
    (line,) = said
    assert line.startswith("textfile: ") and str(directory) in line
    assert list_textfile_problems(host) == [f"textfile: Prometheus gets no metrics of this host. {why}"]


def test_the_watch_tells_of_a_write_that_failed_outside_of_its_sandbox(host, directory, said, monkeypatch):
    block_file(directory)
    publish.publish(host, said.append)
    monkeypatch.setenv("CLOUDSYNC_HELPER", "/run/cloudsync/helper")
    (line,) = list_textfile_problems(host)
    assert line.startswith("textfile: Prometheus gets no metrics of this host. ") and "cloudsync.prom" in line
    (directory / "cloudsync.prom").rmdir()
    publish.publish(host, said.append)
    # Nothing may be written in the sandbox.
    monkeypatch.setattr(textfile, "find_write_problem", pytest.fail)
    assert list_textfile_problems(host) == []


def test_an_internal_error_is_said_and_fails_no_run(host, directory, said, monkeypatch):
    monkeypatch.setattr(problems, "inspect_host", lambda _host: 1 // 0)
    publish.publish(host, said.append)
    assert said == ["textfile: This could not be checked. Internal error: ZeroDivisionError."]


def test_a_look_that_began_after_the_end_of_a_run_shows_it_and_is_not_repeated(host, directory, said, monkeypatch):
    looked = []

    def look(seen):
        looked.append(seen)
        return inspect_host(seen)

    monkeypatch.setattr(problems, "inspect_host", look)
    with textfile.hold_textfile(host.layout):
        ends = [threading.Thread(target=publish.publish, args=(host, said.append)) for _count in range(5)]
        for end in ends:
            end.start()
    for end in ends:
        end.join()
    assert len(looked) < 5
    late = inspect_host(host)
    looked.clear()
    publish.publish(host, said.append)
    publish.publish(host, said.append)
    assert len(looked) == 2
    before = (directory / "cloudsync.prom").stat().st_mtime_ns
    publish.publish(host, said.append, late)
    assert (directory / "cloudsync.prom").stat().st_mtime_ns == before
    assert said == []


def test_another_directory_gets_the_metrics_and_the_former_one_loses_them(host, layout, directory, said):
    publish.publish(host, said.append)
    (directory / ".cloudsync.prom.killed.cloudsync-new").write_text("half")
    (directory / "other.prom").write_text("kept")
    textfile.set_directory(layout, DIRECTORY, "/srv/metrics")
    assert [path.name for path in directory.iterdir()] == ["other.prom"]
    publish.publish(host, said.append)
    assert os.listdir(layout.root + "/srv/metrics") == ["cloudsync.prom"]
    shutil.rmtree(layout.root + "/srv/metrics")
    textfile.set_directory(layout, "/srv/metrics", "")
    assert textfile.find_directory(layout) == ""
