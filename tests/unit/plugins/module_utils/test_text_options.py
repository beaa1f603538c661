# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A number without quotes is accepted for every text option that the engine reads as a number or a duration."""

from __future__ import annotations

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._argspec import build_task_spec
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.errors import CloudsyncError
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.validation import check_types
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.config.task_parser import parse_task

TASK = {"name": "www", "credential": "disk", "direction": "push", "path": "/srv/www", "remote_path": "backup/www"}
SPEC = build_task_spec()
TEXTS = [
    (group, option)
    for group, spec in SPEC.items()
    for option, details in spec.get("options", {}).items()
    if spec["type"] == "dict" and details["type"] == "str" and "choices" not in details
]
NUMBERS = {"minute", "hour", "day", "month", "weekday", "spread", "files", "max_delete", "timeout"}
NUMBERS |= {"max_duration", "max_stall"}


def make_task(group, option, value):
    more = {"cron": "0 3 * * *"} if option == "spread" else {}
    return {**TASK, group: {**more, option: value}}


@pytest.mark.parametrize(("group", "option"), [found for found in TEXTS if found[1] in NUMBERS])
def test_a_number_has_the_same_meaning_with_and_without_quotes(group, option):
    value = 5
    checked = check_types(SPEC, make_task(group, option, value))
    assert parse_task(checked) == parse_task(make_task(group, option, str(value)))


@pytest.mark.parametrize(("group", "option"), [found for found in TEXTS if found[1] not in NUMBERS])
def test_other_text_options_accept_no_number(group, option):
    with pytest.raises(CloudsyncError, match="is a number, not text"):
        check_types(SPEC, make_task(group, option, 5))


def test_every_option_of_numbers_exists():
    assert {option for _group, option in TEXTS} >= NUMBERS
