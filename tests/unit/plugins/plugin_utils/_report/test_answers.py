# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.plugin_utils._report.answers import pack_answer, unpack_answer

TASK = {"name": "docs", "description": "", "shard": None, "status": {"state": "failed"}, "report": {"runs": []}}


def test_a_packed_answer_has_what_the_report_needs():
    answer = {"changed": False, "tasks": [{**TASK, "include": ["a"], "next": []}], "problems": [], "invocation": {}}
    packed = pack_answer(answer)
    assert set(packed) == {"changed", "packed"}
    assert unpack_answer(packed) == {"tasks": [TASK], "problems": []}


@pytest.mark.parametrize(
    "failure", [{"unreachable": True, "msg": "No route"}, {"failed": True, "msg": "No Python"}, {}]
)
def test_a_failure_stays_as_it_is(failure):
    assert unpack_answer(pack_answer(failure)) == failure


def test_a_failed_answer_with_tasks_is_an_answer():
    """One task that cannot be read fails the module. The others are still there."""
    assert unpack_answer(pack_answer({"failed": True, "msg": "damaged", "tasks": [TASK]}))["tasks"] == [TASK]
