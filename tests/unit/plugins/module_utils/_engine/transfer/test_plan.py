# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.config.tasks import SYNC
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.rclone.log_lines import (
    COPY,
    DELETE,
    KEEP,
    MOVE,
    Item,
)
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.transfer import entries
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.transfer.entries import Items, Sizes
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.transfer.plan import (
    Entry,
    Plan,
    build_plan,
    store_plan,
)

PRESENT = {"old": 5, "same": 7, "changed": 9}


def items(*pairs):
    return [Item(action, path, size) for action, path, size in pairs]


def test_what_is_not_there_is_copied_and_what_is_there_overwritten():
    plan = build_plan(items((COPY, "new", 3), (COPY, "changed", 4)), PRESENT, "copy")

    assert plan == Plan(copy=(Entry("new", 3),), overwrite=(Entry("changed", 4),), delete=(), present=3)


def test_what_a_sync_deletes_has_the_size_that_it_has_now():
    plan = build_plan(items((DELETE, "old", 0), (COPY, "new", 3)), PRESENT, SYNC)

    assert plan.delete == (Entry("old", 5),)


def test_a_file_that_is_kept_before_it_is_replaced_is_not_a_deletion():
    plan = build_plan(items((KEEP, "changed", 9), (COPY, "changed", 4), (KEEP, "old", 5)), PRESENT, SYNC)

    assert (plan.overwrite, plan.delete) == ((Entry("changed", 4),), (Entry("old", 5),))


@pytest.mark.parametrize("mode", ["copy", "move"])
def test_what_a_move_deletes_is_its_source(mode):
    plan = build_plan(items((MOVE, "new", 3), (DELETE, "new", 3), (DELETE, "same", 7)), PRESENT, mode)

    assert (plan.copy, plan.delete) == ((Entry("new", 3),), ())


def test_an_empty_plan():
    assert build_plan([], {}, SYNC) == Plan()


def test_the_dict_of_the_contract():
    plan = build_plan(items((COPY, "b", 3), (COPY, "a", 1), (COPY, "same", 8), (DELETE, "old", 0)), PRESENT, SYNC)

    assert plan.to_dict() == {
        "copy": [{"path": "a", "size": 1}, {"path": "b", "size": 3}],
        "overwrite": [{"path": "same", "size": 8}],
        "delete": [{"path": "old", "size": 5}],
        "totals": {
            "copy": {"files": 2, "bytes": 4},
            "overwrite": {"files": 1, "bytes": 8},
            "delete": {"files": 1, "bytes": 5},
        },
        "present": 3,
        "notes": [],
    }


def test_a_plan_beyond_the_bound_is_a_file_with_counts_and_a_sample_in_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(entries, "LONGEST", 3)
    monkeypatch.setattr(entries, "SHOWN", 2)
    file = tmp_path / "state" / "plan"
    odd = "caf\udce9"
    given = items((KEEP, "changed", 9), (COPY, "changed", 4), (DELETE, "old", 0), (KEEP, "old", 5))
    given += items((COPY, odd, 3), (COPY, "b", 1), (COPY, "c", 1))
    collected, present = Items(str(file)), Sizes()
    for path, size in PRESENT.items():
        present.add(path, size)
    for item in given:
        collected.append(item)
    assert collected.are_many and [*collected] == given

    plan = store_plan(collected, present, SYNC, str(file))
    collected.close()

    few = build_plan(given, PRESENT, SYNC)
    assert sorted(plan.copy) == sorted(few.copy) and Entry(odd, 3) in plan.copy
    assert ([*plan.overwrite], [*plan.delete]) == ([*few.overwrite], [*few.delete])
    assert [path.name for path in file.parent.iterdir()] == ["plan"]
    assert file.stat().st_mode & 0o777 == 0o600
    content = plan.to_dict()
    assert content["totals"] == few.to_dict()["totals"]
    assert (len(content["copy"]), content["file"]) == (2, str(file))
    assert f"The complete plan is in {file}" in content["notes"][0]
