# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Random input: a sentence answers each invalid value, never a traceback, and parsing ends in a bounded time."""

from __future__ import annotations

import copy
import json
from datetime import timedelta

import harness
import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._argspec import build_credential_spec, build_task_spec
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.errors import CloudsyncError
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.validation import check_types
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.config.credentials import parse_credential
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.config.task_parser import parse_task
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.notify.targets import parse_target
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.rclone import conf_file, log_lines
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.rclone.providers.option_checks import check
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.rclone.providers.schema import resolve
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.schedule import schedule as schedules
from ansible_collections.skyhaul.cloudsync.plugins.plugin_utils._migration.rclone_conf import from_rclone_conf
from ansible_collections.skyhaul.cloudsync.plugins.plugin_utils._migration.truenas import from_truenas

pytestmark = pytest.mark.soak
FUZZED = settings(
    max_examples=harness.scale(150, 20000),
    deadline=timedelta(seconds=10),
    derandomize=harness.scale(1, 0) == 1,
    suppress_health_check=list(HealthCheck),
)
SCALARS = (
    st.none() | st.booleans() | st.integers() | st.integers(2**63, 2**70) | st.floats() | st.text(max_size=12)
) | st.sampled_from(
    ["", "off", "18:00", "%(x)s", "`", "\n", "\x00", "\ud800", "{foo", "[a", "https://[::1", "*/0", "-1"]
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
)
CRON = st.text(st.sampled_from("0123456789*/,-?LW#HRJANMONabz@ "), max_size=30)
TASK = {
    "name": "documents",
    "credential": "store",
    "direction": "push",
    "mode": "sync",
    "description": "text",
    "path": "/srv/documents",
    "remote_path": "bucket/documents",
    "provider_options": {"chunk_size": "8M"},
    "include": ["*.txt"],
    "exclude": ["*.tmp"],
    "schedule": {"cron": "0 2 * * *", "timezone": "Etc/UTC", "begin": "01:00", "end": "04:00", "spread": "5m"},
    "enabled": True,
    "bandwidth": [{"time": "08:00", "limit": "1M"}],
    "transfers": 4,
    "follow_symlinks": False,
    "create_empty_dirs": True,
    "encryption": {"password": "word", "salt": "salt", "filenames": "standard", "directory_names": True},
    "snapshot": "none",
    "guards": {"empty_source": "refuse", "mounted": "/srv", "marker": ".here", "allow_root": False, "max_delete": "5%"},
    "keep_deleted": {"path": "bucket/kept", "days": 7},
    "hooks": {"before": "true", "success": "true", "failure": "true", "always": "true"},
    "on_overlap": "skip",
    "limits": {"max_duration": "1h", "nice": 5, "io_weight": 100, "memory_max": "512M", "cpu_quota": "50%"},
    "retries": 2,
    "verify_after": "size",
    "notify": ["mailto:root@example.com"],
    "rclone_args": ["--checksum"],
    "user": "root",
}
EXPORT = [
    {
        "id": 1,
        "description": "Photos",
        "direction": "PUSH",
        "transfer_mode": "SYNC",
        "path": "/mnt/tank/photos",
        "credentials": {
            "id": 3,
            "name": "s3",
            "provider": {"type": "S3", "access_key_id": "a", "secret_access_key": "b"},
        },
        "attributes": {"bucket": "b", "folder": "nas"},
        "enabled": True,
        "schedule": {"minute": "0", "hour": "3", "dom": "*", "month": "*", "dow": "*"},
        "bwlimit": [{"time": "08:00", "bandwidth": 524288}],
        "include": [],
        "exclude": ["*.tmp"],
        "args": "--checksum",
    }
]
STATS = {
    "level": "info",
    "msg": "x",
    "object": "a.txt",
    "size": 1,
    "skipped": "copy",
    "stats": {"bytes": 1, "transfers": 2, "deletes": 0, "errors": 0, "speed": 1.5, "eta": None, "transferring": []},
}


def list_paths(value, path=()):
    """Return the paths of all values in ``value``, containers included."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for key, inner in items for found in list_paths(inner, (*path, key)))]


def replaced(valid):
    """Return a strategy of copies of ``valid`` in which one value, at any depth, is another one."""

    def replace(path, value):
        changed = copy.deepcopy(valid)
        *folders, last = path
        place = changed
        for key in folders:
            place = place[key]
        place[last] = value
        return changed

    return st.builds(replace, st.sampled_from(list_paths(valid)[1:]), VALUES)


def answers(function, *arguments):
    """Call ``function``. It may only succeed or raise an error with a reason and one sentence or more."""
    try:
        function(*arguments)
    except CloudsyncError as error:
        assert error.reason and error.message and "Traceback" not in error.message


def convert(spec, values):
    """Return the options as a module gets them from Ansible, or None if Ansible refuses them."""
    result = ArgumentSpecValidator(spec).validate(check_types(spec, values))
    return None if result.error_messages else result.validated_parameters


@FUZZED
@given(text=CRON | st.text(max_size=20))
def test_every_cron_expression_gets_an_answer(text):
    answers(schedules.parse, {"cron": text, "timezone": "Etc/UTC"})


@FUZZED
@given(schedule=replaced(TASK["schedule"]) | st.dictionaries(st.sampled_from(["minute", "hour", "preset"]), VALUES))
def test_every_schedule_gets_an_answer(schedule):
    answers(schedules.parse, schedule)


@FUZZED
@given(task=replaced(TASK))
def test_every_task_gets_an_answer(task):
    def declare():
        options = convert(build_task_spec(), task)
        if options is not None:
            parse_task(options)

    answers(declare)


@pytest.fixture(name="providers", scope="module")
def fixture_providers(rclone, installed, tmp_path_factory):
    root = tmp_path_factory.mktemp("fuzz")
    machine = harness.Machine(root, installed, rclone)
    yield machine.host.providers
    machine.close()


@FUZZED
@given(credential=replaced(harness.s3_credential(1)))
def test_every_credential_gets_an_answer(providers, credential):
    def declare():
        options = convert(build_credential_spec(), credential)
        if options is None:
            return
        parsed = parse_credential(options)
        check(resolve(parsed.provider, providers), parsed.attributes, parsed.secrets)

    answers(declare)


@FUZZED
@given(target=st.text(max_size=40) | st.text(st.sampled_from("mailto:@hps/[]%.?&=#x"), max_size=40))
def test_every_notification_target_gets_an_answer(target):
    answers(parse_target, target)


@FUZZED
@given(export=replaced(EXPORT))
def test_every_truenas_export_gets_an_answer(export):
    answers(from_truenas, {"tasks.json": json.dumps(export)}, {}, "")


@FUZZED
@given(text=st.text(max_size=60) | st.text(st.sampled_from("[]=ab \n%()s`:type"), max_size=60))
def test_every_rclone_configuration_gets_an_answer(text):
    answers(lambda: from_rclone_conf(conf_file.parse(text), {}))


@FUZZED
@given(line=replaced(STATS).map(json.dumps) | st.text(max_size=40))
def test_every_log_line_of_rclone_is_read(line):
    log_lines.parse_line(line)
