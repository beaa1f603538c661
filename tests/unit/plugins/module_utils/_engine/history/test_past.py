# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The past of a destination: undo runs, read manifests and moments."""

from __future__ import annotations

import datetime

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.errors import CloudsyncError, Damaged
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.history import manifest, moment, past

ONE, TWO, THREE, FOUR = (f"2026010{day}T030000Z-00000{day}" for day in range(1, 5))


def created(run, *names, base=""):
    return {run: manifest.Manifest(run, base, names)}


def test_the_first_run_after_the_moment_that_touched_a_name_decides():
    kept = {TWO: ["a", "b"], THREE: ["a", "new"]}
    manifests = created(TWO, "new")
    assert past.undo(kept, manifests, ONE) == (("", {"a": TWO, "b": TWO, "new": None}))
    assert past.undo(kept, manifests, TWO) == (TWO, {"a": THREE, "new": THREE})
    assert past.undo(kept, manifests, THREE) == (THREE, {})


def test_a_file_that_a_run_kept_was_there_whatever_its_manifest_says():
    assert past.undo({TWO: ["a"]}, created(TWO, "a"), ONE).origins == {"a": TWO}


def test_the_state_after_a_killed_run_is_that_before_it_if_the_next_run_cannot_tell_them_apart():
    manifests = {**created(TWO, "x", base=ONE), **created(THREE, "x", "y", base=ONE), **created(FOUR, "z", base=THREE)}
    assert past.undo({}, manifests, TWO) == (ONE, {"x": None, "y": None, "z": None})
    assert past.undo({}, manifests, THREE) == (THREE, {"z": None})


@pytest.mark.parametrize(
    ("text", "stamp"),
    [
        (TWO, TWO),
        ("2026-01-02T03:00:00Z", "20260102T030000Z-~"),
        ("2026-01-02T04:00:00.000002+01:00", "20260102T030000Z-00002~"),
    ],
)
def test_a_moment_includes_the_runs_that_began_by_then(text, stamp):
    assert moment.parse_moment(text).stamp == stamp
    assert (stamp >= TWO, stamp >= THREE) == (True, False)


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01", "20260102T030000Z-1", "2999-01-01"])
def test_a_moment_that_is_not_one_is_refused(text):
    with pytest.raises(CloudsyncError) as error:
        moment.parse_moment(text)
    assert error.value.reason == "usage" and text in error.value.message


def test_a_time_without_a_zone_is_that_of_the_host():
    local = datetime.datetime(2026, 1, 2, 3).astimezone()
    assert moment.parse_moment("2026-01-02T03:00:00").time == local


def test_manifests_survive_every_name_and_damage_is_refused():
    names = ("a\nb", "ä", "\udce4", '"', "x" * 300)
    found = manifest.Manifest(TWO, ONE, names)
    assert manifest.parse_manifests((found.render() + found.render()).decode()) == [found, found]
    text = found.render().decode()
    for damaged in (text[:20], "[]", "null", '{"schema": 2}', text.replace(TWO, "x"), text.replace("absent", "gone")):
        with pytest.raises(Damaged):
            manifest.parse_manifests(damaged)
    with pytest.raises(Damaged):
        manifest.parse_beginning(text)
    beginning = manifest.Beginning(ONE, "place")
    assert manifest.parse_beginning(beginning.render().decode()) == beginning
