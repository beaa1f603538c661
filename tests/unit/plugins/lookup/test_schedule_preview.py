# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime
import itertools
import random

import pytest
from ansible.errors import AnsibleLookupError
from ansible.plugins.loader import lookup_loader

from ansible_collections.skyhaul.cloudsync.plugins.lookup import schedule_preview
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.schedule import cron
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.schedule import next_runs as occurrences

pytest.importorskip("croniter")


def preview(*terms, **options):
    lookup = lookup_loader.get("skyhaul.cloudsync.schedule_preview")
    return lookup.run(list(terms), variables={}, **options)


def refusal(*terms, **options):
    with pytest.raises(AnsibleLookupError) as caught:
        preview(*terms, **options)
    return str(caught.value)


def test_each_term_gives_one_dictionary():
    found = preview(
        "30 2 * * mon-fri",
        {"preset": "weekly", "timezone": "Asia/Tokyo"},
        count=2,
        start="2027-03-27T00:00:00",
        timezone="Europe/Berlin",
    )
    assert found == [
        {
            "cron": "30 2 * * 1-5",
            "description": "At 02:30 on Monday through Friday, Europe/Berlin",
            "timezone": "Europe/Berlin",
            "oncalendar": ["Mon..Fri *-*-* 02:30:00 Europe/Berlin"],
            "runs": ["2027-03-29T02:30:00+02:00", "2027-03-30T02:30:00+02:00"],
        },
        {
            "cron": "0 0 * * 0",
            "description": "At 00:00 on Sunday, Asia/Tokyo",
            "timezone": "Asia/Tokyo",
            "oncalendar": ["Sun *-*-* 00:00:00 Asia/Tokyo"],
            "runs": ["2027-03-28T00:00:00+09:00", "2027-04-04T00:00:00+09:00"],
        },
    ]


def test_five_runs_from_now_are_the_default():
    (found,) = preview("* * * * *", timezone="UTC")
    first = datetime.datetime.fromisoformat(found["runs"][0])
    assert len(found["runs"]) == 5
    assert 0 <= (first - datetime.datetime.now(datetime.timezone.utc)).total_seconds() + 60 <= 120


def test_a_start_with_an_offset_is_that_moment():
    (found,) = preview("0 * * * *", count=1, start="2027-06-01T00:30:00Z", timezone="Europe/Berlin")
    assert found["runs"] == ["2027-06-01T03:00:00+02:00"]


def test_a_schedule_without_any_zone_has_none_and_no_suffix():
    (found,) = preview("daily", count=1)
    assert found["timezone"] is None
    assert found["oncalendar"] == ["*-*-* 00:00:00"]


def test_skipped_and_repeated_times_follow_systemd_not_cron():
    (spring,) = preview("30 2 * * *", count=1, start="2026-03-28T12:00:00", timezone="Europe/Berlin")
    assert spring["runs"] == ["2026-03-30T02:30:00+02:00"]
    (autumn,) = preview("30 2 * * *", count=2, start="2026-10-24T12:00:00", timezone="Europe/Berlin")
    assert autumn["runs"] == ["2026-10-25T02:30:00+02:00", "2026-10-26T02:30:00+01:00"]


def test_what_is_wrong_is_said_in_a_sentence():
    assert 'weekday is "monday"' in refusal("0 0 * * monday")
    assert "US/Eastern" in refusal("daily", timezone="US/Eastern")
    assert 'start is "tomorrow"' in refusal("daily", start="tomorrow")
    assert "count is -1" in refusal("daily", count=-1)


def test_a_missing_croniter_is_named(monkeypatch):
    monkeypatch.setattr(schedule_preview, "croniter", None)
    with pytest.raises(schedule_preview.CloudsyncError, match=r"Install croniter 6\.1 or later"):
        schedule_preview._check_croniter()


def test_an_old_croniter_is_refused(monkeypatch):
    monkeypatch.setattr(schedule_preview.importlib.metadata, "version", lambda name: "2.0.7")
    assert "croniter 2.0.7" in refusal("daily")


def test_croniter_and_the_engine_agree_on_every_wall_time():
    chance = random.Random(4)
    for _attempt in range(300):
        fields = [
            chance.choice(["*", f"*/{chance.randint(1, 7)}", ",".join(map(str, chance.sample(values, 3)))])
            for values in (range(60), range(24), range(1, 29), range(1, 13), range(7))
        ]
        parsed = cron.parse(" ".join(fields))
        after = datetime.datetime(2027, 1, 1) + datetime.timedelta(minutes=chance.randint(0, 2000000))
        ours = itertools.islice(occurrences.iterate_wall_times(parsed, after), 5)
        theirs = itertools.islice(schedule_preview._iterate_wall_times(parsed, after), 5)
        assert list(ours) == list(theirs), fields
