# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import shlex
import subprocess

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.layout import Layout
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.systemd import unit_files as units
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.systemd import unit_names


def drop_in(task, provider="s3", **attributes):
    return units.render_drop_in(task, provider, attributes)


def lines(text, key):
    return [line.partition("=")[2] for line in text.splitlines() if line.startswith(key + "=")]


def test_a_timer_contains_the_schedule_and_starts_the_service_of_its_task(make_task):
    text = units.render_timer(make_task(schedule={"cron": "0 4 1 * mon", "timezone": "Europe/Berlin"}))

    assert lines(text, "OnCalendar") == ["*-*-01 04:00:00 Europe/Berlin", "Mon *-*-* 04:00:00 Europe/Berlin"]
    assert lines(text, "Unit") == ["cloudsync@nightly.service"]
    assert lines(text, "Persistent") == ["no"]
    assert lines(text, "AccuracySec") == ["1s"]
    assert lines(text, "WantedBy") == ["timers.target"]
    assert "RandomizedDelaySec" not in text


def test_a_timer_contains_catch_up_and_spread(make_task):
    text = units.render_timer(make_task(schedule={"preset": "hourly", "catch_up": True, "spread": "10m"}))

    assert lines(text, "Persistent") == ["yes"]
    assert lines(text, "RandomizedDelaySec") == ["600s"]
    assert lines(text, "FixedRandomDelay") == ["yes"]


def test_a_disabled_or_unscheduled_task_has_no_timer(make_task):
    assert units.render_timer(make_task()) is None
    assert units.render_timer(make_task(schedule={"preset": "daily"}, enabled=False)) is None


def test_a_service_may_write_only_to_the_local_destination_of_its_task(make_task):
    def writes(**options):
        return lines(drop_in(make_task(**options)), "ReadWritePaths")

    assert writes() == []
    assert writes(mode="move") == ['"-/srv/data"']
    assert writes(direction="pull") == ['"-/srv/data"']
    assert writes(direction="pull", keep_deleted={"path": "/srv/old"}) == ['"-/srv/data"', '"-/srv/old"']
    assert writes(keep_deleted={"path": "bucket/old"}) == []


def test_a_remote_on_this_host_is_writable(make_task):
    assert lines(drop_in(make_task(remote_path="/mnt/disk"), "local"), "ReadWritePaths") == ['"-/mnt/disk"']


def test_a_drop_in_adds_only_what_its_task_needs(make_task):
    def adds(**options):
        return drop_in(make_task(**options)).splitlines()[2:]

    assert adds() == []
    assert adds(direction="pull") == ["CapabilityBoundingSet=CAP_FOWNER", 'ReadWritePaths="-/srv/data"']
    assert adds(path="/tmp/dump") == ["PrivateTmp=no", "Environment=TMPDIR="]
    assert adds(user="nobody") == [
        "CapabilityBoundingSet=CAP_CHOWN CAP_KILL CAP_SETGID CAP_SETUID",
        "SystemCallFilter=@chown @setuid",
    ]
    pull = adds(direction="pull", rclone_args=["--metadata"])
    assert pull[1:3] == ["CapabilityBoundingSet=CAP_CHOWN", "SystemCallFilter=@chown"]


@pytest.mark.parametrize(
    ("path", "word"),
    [
        ("/srv/my data", '"-/srv/my data"'),
        ("/srv/100%", '"-/srv/100%%"'),
        ("/srv/%i", '"-/srv/%%i"'),
        ('/srv/a"b', '"-/srv/a\\"b"'),
        ("/srv/a\\b", '"-/srv/a\\\\b"'),
        ("/srv/$HOME;#'", '"-/srv/$HOME;#\'"'),
    ],
)
def test_a_path_is_quoted_for_systemd(make_task, path, word):
    assert lines(drop_in(make_task(direction="pull", path=path)), "ReadWritePaths") == [word]


def test_a_drop_in_contains_only_the_limits_that_are_set(make_task):
    text = drop_in(make_task(limits={"nice": -5, "io_weight": 50, "memory_max": "512M", "cpu_quota": "50%"}))

    assert text.splitlines()[1:] == ["[Service]", "Nice=-5", "IOWeight=50", "MemoryMax=512M", "CPUQuota=50%"]
    assert drop_in(make_task()) == units.HEAD + "[Service]\n"


@pytest.mark.parametrize(
    "options",
    [
        {"hooks": {"before": "true", "always": "true"}},
        {"snapshot": "auto"},
        {"notify": ["mailto:ops@example.net", "unit:x.service", "https://hooks.example.net/x"]},
    ],
)
def test_commands_of_the_operator_weaken_no_sandbox(make_task, options):
    assert drop_in(make_task(**options)) == drop_in(make_task())


def test_the_template_is_hardened_and_runs_the_command_for_its_task():
    text = units.render_service(Layout())

    assert lines(text, "ExecStart") == ["/usr/local/bin/cloudsync run %i"]
    assert lines(text, "ExecCondition") == ["+/bin/sh -c '/usr/local/bin/cloudsync gate %i; test $$? -ne 77'"]
    assert lines(text, "ExecStopPost") == ["+-/usr/local/bin/cloudsync sweep %i"]
    assert lines(text, "SuccessExitStatus") == ["75 143"]
    assert lines(text, "ProtectSystem") == ["strict"]
    assert lines(text, "ReadWritePaths") == ["-/etc/cloudsync -/var/lib/cloudsync -/var/log/cloudsync -/run/cloudsync"]


@pytest.mark.parametrize(
    ("gate", "starts"), [("exit 0", True), ("exit 77", False), ("exit 1", True), ("exit 2", True), ("kill -9 $$", True)]
)
def test_only_the_gate_itself_skips_a_start_and_no_failure_of_it(tmp_path, gate, starts):
    command = tmp_path / "usr/local/bin/cloudsync"
    command.parent.mkdir(parents=True)
    command.write_text(f"#!/bin/sh\n{gate}\n")
    command.chmod(0o755)
    (condition,) = lines(units.render_service(Layout(str(tmp_path))), "ExecCondition")
    words = shlex.split(condition.lstrip("+").replace("%i", "nightly").replace("$$", "$"))
    assert (subprocess.run(words, check=False).returncode == 0) is starts
    command.unlink()
    assert subprocess.run(words, check=False, stderr=subprocess.DEVNULL).returncode == 0


def test_runs_and_the_watch_find_the_socket_of_the_helper_and_only_root_can_open_it():
    common = units.render_common_units(Layout())
    folder = "/etc/systemd/system/cloudsync-"

    for text in (units.render_service(Layout()), common[folder + "watch.service"]):
        assert "CLOUDSYNC_HELPER=/run/cloudsync/helper" in lines(text, "Environment")
        assert "cloudsync-helper.socket" in lines(text, "After")[0]
    socket = common[folder + "helper.socket"]
    assert lines(socket, "ListenStream") == ["/run/cloudsync/helper"]
    assert lines(socket, "SocketMode") == ["0600"]
    assert lines(common[folder + "helper@.service"], "ExecStart") == ["/usr/local/bin/cloudsync assist"]


def test_unit_files_have_the_names_of_the_contract():
    layout = Layout()

    assert unit_names.locate_timer(layout, "nightly") == "/etc/systemd/system/cloudsync@nightly.timer"
    assert (
        unit_names.locate_drop_in(layout, "nightly") == "/etc/systemd/system/cloudsync@nightly.service.d/50-task.conf"
    )
    assert unit_names.locate_enabled_link(layout, "nightly").endswith("/timers.target.wants/cloudsync@nightly.timer")
