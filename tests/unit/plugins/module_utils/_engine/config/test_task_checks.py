# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.errors import CloudsyncError
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.config import task_checks as task_rules


def refuses(sentence):
    return pytest.raises(CloudsyncError, match=re.escape(sentence))


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ("/srv/data", "/srv/data"),
        ("/srv/data/", "/srv/data"),
        ("//srv//./data", "/srv/data"),
        ("/", "/"),
        ("/a b%", "/a b%"),
    ],
)
def test_a_local_path_is_brought_into_one_form(given, path):
    assert task_rules.check_local_path("path", given) == path


@pytest.mark.parametrize("given", ["", "srv", "~/x", "./x", "/a\nb", "/a\0b", "C:\\x", "EXTERNAL:/mnt/x"])
def test_a_local_path_is_absolute(given):
    with refuses(f"path is {given!r}. Use an absolute path, such as /srv/data."):
        task_rules.check_local_path("path", given)


def test_a_local_path_has_no_way_up():
    with refuses("path is '/srv/../etc': give it without '..'."):
        task_rules.check_local_path("path", "/srv/../etc")
    assert task_rules.check_local_path("path", "/srv/..data") == "/srv/..data"


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ("", ""),
        ("bucket/data/", "bucket/data"),
        ("bucket//data", "bucket/data"),
        ("/home/me", "/home/me"),
        ("//home", "/home"),
        ("/", "/"),
        ("//", "/"),
        (".", ""),
        ("./", ""),
        ("./a/.", "a"),
        ("a/..b", "a/..b"),
    ],
)
def test_a_remote_path_is_brought_into_one_form(given, path):
    assert task_rules.check_remote_path("remote_path", given) == path


@pytest.mark.parametrize("given", ["..", "a/../b", "a\nb", "a\0b"])
def test_a_remote_path_is_one_line_and_has_no_way_up(given):
    with refuses(f"remote_path is {given!r}: give a path on one line, without '..'."):
        task_rules.check_remote_path("remote_path", given)


@pytest.mark.parametrize("given", ["", "  ", "a\n- *", "a\rb"])
def test_a_pattern_can_not_hide_a_second_one(given):
    with refuses("exclude[1] must be one line that is not empty."):
        task_rules.check_patterns("exclude", ["*.tmp", given])


@pytest.mark.parametrize(
    ("given", "limit"), [("", ""), (0, "0"), (5, "5"), ("5", "5"), ("10%", "10%"), ("10 %", "10%"), ("100%", "100%")]
)
def test_max_delete_is_a_count_or_a_percentage(given, limit):
    assert task_rules.check_max_delete(given) == limit


@pytest.mark.parametrize("given", ["-1", "101%", "ten", "5.5", "%", True, "5%%"])
def test_another_max_delete_is_refused(given):
    with refuses(f"guards.max_delete is {given!r}: use a count of files, or a percentage from 0% to 100%."):
        task_rules.check_max_delete(given)


def slots(*pairs):
    return [{"time": time, "limit": limit} for time, limit in pairs]


@pytest.mark.parametrize(
    "given",
    [
        slots(("00:00", "10M"), ("9:30", "512K"), ("23:59", "off")),
        slots(("Mon-00:00", "1M:10M"), ("mon-12:00", "off:1M"), ("SUN-00:00", "1.5G")),
    ],
)
def test_a_timetable_in_rising_order_is_kept(given):
    assert len(task_rules.check_bandwidth(given)) == 3


def test_days_and_hours_are_written_in_one_form():
    assert [slot.time for slot in task_rules.check_bandwidth(slots(("mon-8:00", "1M"), ("TUE-09:00", "1M")))] == [
        "Mon-08:00",
        "Tue-09:00",
    ]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (slots(("24:00", "1M")), "bandwidth[0].time is '24:00': use HH:MM or Mon-HH:MM."),
        (slots(("08:60", "1M")), "bandwidth[0].time is '08:60'"),
        (slots(("Mo-08:00", "1M")), "bandwidth[0].time is 'Mo-08:00'"),
        ([{"limit": "1M"}], "bandwidth[0].time is None"),
        (slots(("08:00", "10")), "bandwidth[0].limit is '10': use bytes per second with a unit"),
        (slots(("08:00", "10 M")), "bandwidth[0].limit is '10 M'"),
        (slots(("08:00", "1M"), ("08:00", "2M")), "bandwidth[1].time is 08:00, not after 08:00: put the times in"),
        (slots(("Tue-08:00", "1M"), ("Mon-09:00", "2M")), "bandwidth[1].time is Mon-09:00, not after Tue-08:00"),
    ],
)
def test_a_wrong_timetable_is_refused_by_its_line(given, sentence):
    with refuses(sentence):
        task_rules.check_bandwidth(given)


# As TrueNAS users and others give them; the values do not matter.
WELCOME = (
    "--order-by=size,desc --checkers=16 --low-level-retries=20 --retries-sleep=10s --no-traverse --ignore-existing "
    "--max-transfer=10G --fast-list --track-renames --b2-hard-delete --drive-skip-gdocs --s3-no-check-bucket "
    "--client-key=/etc/ssl/key.pem --timeout=1h --min-age=1d --bwlimit-file=1M --ignore-checksum --tpslimit=10 "
    "--s3-sse-kms-key-id=x --sftp-key-file=/root/.ssh/id --recursive --rclone-like --configured"
)


@pytest.mark.parametrize("argument", WELCOME.split())
def test_an_argument_that_breaks_no_promise_is_passed_on(argument):
    assert task_rules.check_rclone_args([argument]) == (argument,)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ("config password-command", "the runner keeps the credential's configuration"),
        ("ask-password interactive", "nobody is there to be asked"),
        ("rc rc-addr rc-no-auth metrics-addr", "others could use the port that it opens"),
        (
            "log-file log-level log-systemd syslog use-json-log verbose quiet stats stats-one-line progress",
            "the runner reads rclone's log",
        ),
        ("dump dump-headers dump-bodies", "it would write secrets into the log"),
        ("daemon daemon-wait", "the runner must see its end"),
        ("dry-run", "use a dry run (check mode, or cloudsync run --dry-run)"),
        ("ignore-errors", "it deletes at the destination what could not be read at the source"),
        ("delete-excluded", "a filter that is wrong would empty the destination"),
        ("backup-dir suffix suffix-keep-extension", "use keep_deleted"),
        ("max-delete max-delete-size", "use guards.max_delete"),
        ("max-duration", "use limits.max_duration"),
        ("bwlimit", "use bandwidth"),
        ("transfers", "use transfers"),
        ("retries", "use retries"),
        (
            "filter filter-from include include-from exclude exclude-from exclude-if-present files-from files-from-raw",
            "use include and exclude",
        ),
        ("copy-links", "use follow_symlinks"),
        ("create-empty-src-dirs", "use create_empty_dirs"),
        (
            "sftp-known-hosts-file sftp-host-keys sftp-pin-host-key sftp-ssh",
            "whom a login trusts is set in the credential",
        ),
        (
            "s3-secret-access-key b2-key crypt-password crypt-password2 sftp-pass sftp-key-pem drive-token ftp-pass "
            "drive-client-secret azureblob-sas-url drive-service-account-credentials s3-sse-customer-key "
            "storj-passphrase",
            "everybody on the host can read a program's arguments; put a secret into the credential",
        ),
    ],
)
def test_an_argument_that_would_break_a_promise_is_refused_with_what_serves_instead(arguments, reason):
    for flag in arguments.split():
        for argument in ("--" + flag, f"--{flag}=s3cr3t"):
            with refuses(f"rclone_args has --{flag}, which is refused: {reason}.") as caught:
                task_rules.check_rclone_args([argument])
            assert "s3cr3t" not in str(caught.value)


@pytest.mark.parametrize(
    "argument", ["-v", "checkers", "--bwlimit 10M", "--Config", "--", "", "remote:", "--=x", "---x"]
)
def test_an_argument_that_is_no_flag_is_refused(argument):
    with refuses("write each one as --flag or --flag=value."):
        task_rules.check_rclone_args(["--checkers=4", argument])


@pytest.mark.parametrize("size", ["", "512M", "1.5G", "1024", "80%", "infinity"])
def test_a_size_is_as_systemd_has_it(size):
    assert task_rules.check_size("limits.memory_max", size) == size


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"path": "/"}, "path is /: that is the whole host. Name a folder, or set guards.allow_root."),
        ({"direction": "pull", "snapshot": "zfs"}, "snapshot works for push tasks only: a pull has no local source"),
        ({"mode": "move", "snapshot": "auto"}, "snapshot and mode move exclude each other"),
        ({"direction": "pull", "keep_deleted": {"path": "old"}}, "keep_deleted.path is 'old': a pull keeps deleted"),
        (
            {"keep_deleted": {"path": "bucket"}},
            "keep_deleted.path 'bucket' holds the destination 'bucket/data': name a folder beside it or in it.",
        ),
        ({"keep_deleted": {"path": "/bucket/data/"}}, "keep_deleted.path '/bucket/data' holds the destination"),
        (
            {"direction": "pull", "keep_deleted": {"path": "/srv"}},
            "keep_deleted.path '/srv' holds the destination '/srv/data'",
        ),
        (
            {"keep_deleted": {"path": "bucket/old"}, "encryption": {"password": "P"}},
            "keep_deleted.path 'bucket/old' must be in remote_path 'bucket/data', where the encryption is.",
        ),
    ],
)
def test_options_that_do_not_go_together_are_refused(make_task, options, sentence):
    with refuses(sentence):
        make_task(**options)


@pytest.mark.parametrize(
    "options",
    [
        {"path": "/", "guards": {"allow_root": True}},
        {"keep_deleted": {"path": "bucket/data2"}},
        {"keep_deleted": {"path": "bucket/data/.old"}, "encryption": {"password": "P"}},
        {"keep_deleted": {"path": "old"}, "remote_path": "", "encryption": {"password": "P"}},
        {"direction": "pull", "keep_deleted": {"path": "/srv/old"}, "encryption": {"password": "P"}},
    ],
)
def test_options_that_go_together_are_accepted(make_task, options):
    assert make_task(**options)
