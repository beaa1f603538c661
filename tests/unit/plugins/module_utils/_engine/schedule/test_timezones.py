# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime
import os
import sys
import time

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.errors import CloudsyncError
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.schedule import timezones as zones

UTC = datetime.timezone.utc


@pytest.fixture(autouse=True)
def _forget():
    yield
    zones._read_database.cache_clear()


@pytest.mark.parametrize("name", ["Europe/Berlin", "America/Argentina/Ushuaia", "Asia/Kolkata", "Etc/GMT+5", "UTC"])
def test_canonical_names_are_accepted(name):
    assert zones.check(name) == name
    assert name in zones.list_names()


def test_utc_has_one_canonical_name():
    assert zones.check("Etc/UTC") == "UTC"


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("US/Eastern", '"America/New_York"'),
        ("Asia/Calcutta", '"Asia/Kolkata"'),
        ("Japan", '"Asia/Tokyo"'),
        ("Europe/Berln", '"Europe/Berlin"'),
        ("europe/berlin", '"Europe/Berlin"'),
        ("CEST", "Europe/Berlin"),
        ("Factory", "Europe/Berlin"),
        ("../../etc/passwd", "Europe/Berlin"),
        ("", "Europe/Berlin"),
    ],
)
def test_other_names_of_zones_are_refused_with_a_suggestion(name, advice):
    with pytest.raises(CloudsyncError) as caught:
        zones.check(name)
    assert caught.value.reason == "usage"
    assert f'"{name}"' in caught.value.message
    assert advice in caught.value.message


@pytest.mark.parametrize("name", ["CET", "EST", "MST7MDT", "GMT", "Zulu"])
def test_abbreviations_of_zones_are_refused(name):
    with pytest.raises(CloudsyncError):
        zones.check(name)


def test_without_a_time_zone_database_the_error_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setattr(zones, "_DIRECTORIES", (str(tmp_path),))
    monkeypatch.setattr(zones.importlib.util, "find_spec", lambda name: None)
    zones._read_database.cache_clear()
    with pytest.raises(CloudsyncError, match="Install the package tzdata"):
        zones.check("Europe/Berlin")


def test_the_python_package_tzdata_is_used_without_a_system_database(monkeypatch, tmp_path):
    pytest.importorskip("tzdata")
    monkeypatch.setattr(zones, "_DIRECTORIES", (str(tmp_path),))
    zones._read_database.cache_clear()
    assert zones.check("Europe/Berlin") == "Europe/Berlin"
    summer = datetime.datetime(2027, 7, 1, 12, tzinfo=UTC).astimezone(zones.SystemZone("Europe/Berlin"))
    assert summer.utcoffset() == datetime.timedelta(hours=2)


@pytest.mark.skipif(sys.version_info < (3, 9), reason="there is no zoneinfo to compare with")
@pytest.mark.parametrize(
    "name", ["Europe/Berlin", "Europe/Dublin", "Australia/Lord_Howe", "Pacific/Chatham", "America/New_York", "UTC"]
)
def test_the_clock_of_the_c_library_agrees_with_zoneinfo(name):
    from zoneinfo import ZoneInfo

    system, reference = zones.SystemZone(name), ZoneInfo(name)
    moment = datetime.datetime(2027, 1, 1, tzinfo=UTC)
    while moment.year < 2028:
        ours, theirs = moment.astimezone(system), moment.astimezone(reference)
        assert (ours.replace(tzinfo=None), ours.fold) == (theirs.replace(tzinfo=None), theirs.fold)
        assert ours.utcoffset() == theirs.utcoffset()
        assert ours.tzname() == theirs.tzname()
        assert bool(ours.dst()) == bool(theirs.dst())
        moment += datetime.timedelta(minutes=315)
    wall = datetime.datetime(2027, 3, 1)
    while wall.month < 12:
        for fold in (0, 1):
            one = wall.replace(fold=fold)
            assert one.replace(tzinfo=system).utcoffset() == one.replace(tzinfo=reference).utcoffset(), one
        wall += datetime.timedelta(minutes=15 if wall.hour < 4 else 24 * 60 - 4 * 60)


def test_the_hosts_own_clock_follows_its_time_zone(monkeypatch):
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        noon = datetime.datetime(2027, 7, 1, 12, tzinfo=UTC).astimezone(zones.load(None))
        assert noon.hour == 21
        zones.SystemZone("Europe/Berlin").utcoffset(datetime.datetime(2027, 7, 1))
        assert os.environ["TZ"] == "Asia/Tokyo"
        assert time.localtime(0).tm_hour == 9
    finally:
        monkeypatch.undo()
        time.tzset()
