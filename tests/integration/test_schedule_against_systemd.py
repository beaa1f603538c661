# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The preview, and the engine's own search, against systemd itself: thousands of random schedules, zones and changes.

Where no systemd-analyze is installed these tests are skipped, and say so.
"""

from __future__ import annotations

import datetime
import functools
import os
import re
import shutil
import subprocess

import pytest
from ansible.plugins.loader import lookup_loader
from harness import scale
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.errors import CloudsyncError
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.schedule import cron, schedule
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.schedule import next_runs as occurrences
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.schedule import timezones as zones
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.schedule.oncalendar import to_oncalendar

pytestmark = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed: nothing to compare with"
)

UTC = datetime.timezone.utc
# Shrinking asks systemd for minutes; the message names the one schedule that differs as it is.
SETTINGS = {
    "deadline": None,
    "derandomize": scale(True, False),
    "phases": (Phase.explicit, Phase.reuse, Phase.generate),
    "suppress_health_check": list(HealthCheck),
}
NEXT = 8
YEARS = (2026, 2031)
STAMP = r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)"
# systemd-analyze leaves out the second line where the zone is always at UTC.
ELAPSE = re.compile(f": \\w+ {STAMP} \\S+\\n(?: *\\(in UTC\\): \\w+ {STAMP} UTC\\n)?")
# Where the database has daylight saving time in winter. See docs/schedules.md: systemd gives up the rest of the day.
WINTER_TIME = ("Africa/Casablanca", "Africa/El_Aaiun", "Europe/Dublin")
NOTABLE = (
    *("Europe/Berlin", "America/New_York", "America/Santiago", "America/Havana", "Africa/Cairo", "Asia/Beirut"),
    *("Australia/Lord_Howe", "Pacific/Chatham", "America/St_Johns", "Asia/Kolkata", "Asia/Gaza", "UTC"),
    *("Pacific/Auckland", "America/Scoresbysund", "Antarctica/Troll", "America/Asuncion", "Pacific/Apia"),
    *WINTER_TIME,
)


def systemd(expressions, after, count=NEXT, tz="UTC"):
    """What systemd answers to each expression, as lists of moments in UTC."""
    answer = subprocess.run(
        [
            *("systemd-analyze", "calendar", f"--iterations={count}"),
            *(f"--base-time=@{int(after.timestamp())}", "--", *expressions),
        ],
        env={**os.environ, "TZ": ":" + tz, "LC_ALL": "C"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    blocks = answer.stdout.split("\n\n")
    assert len(blocks) == len(expressions), answer.stdout
    return [
        [datetime.datetime.fromisoformat(utc or local).replace(tzinfo=UTC) for local, utc in ELAPSE.findall(block)]
        for block in blocks
    ]


def timer(expressions, after, tz):
    """The next starts of a timer that holds all the expressions: it searches anew from each start."""
    starts = []
    while len(starts) < NEXT:
        nearest = [answer[0] for answer in systemd(expressions, after, 1, tz) if answer]
        if not nearest:
            break
        after = min(nearest)
        starts.append(after)
    return starts


def truths(parsed, after, tz):
    """systemd's next starts of each schedule, whose zones are given by TZ, many in one process."""
    expressions = [to_oncalendar(one) for one in parsed]
    if tz in WINTER_TIME:
        return [timer(lines, after, tz) for lines in expressions]
    answers = iter(systemd([line for lines in expressions for line in lines], after, NEXT, tz))
    return [sorted({moment for _line in lines for moment in next(answers)})[:NEXT] for lines in expressions]


def previewed(schedules, after, **options):
    """The runs by the lookup, as moments in UTC."""
    lookup = lookup_loader.get("skyhaul.cloudsync.schedule_preview")
    found = lookup.run(schedules, variables={}, count=NEXT, start=after.isoformat(), **options)
    return [[datetime.datetime.fromisoformat(run).astimezone(UTC) for run in one["runs"]] for one in found]


def searched(parsed, after):
    """The runs by the engine's own search, as moments in UTC."""
    return [[run.astimezone(UTC) for run in occurrences.find_next_runs(one, after, NEXT)] for one in parsed]


@functools.lru_cache(maxsize=None)
def changes(zone):
    """The moments in YEARS at which a zone's offset changes, to the minute."""
    clock = zones.load(zone)
    found = []
    day = datetime.datetime(YEARS[0], 1, 1, tzinfo=UTC)
    while day.year <= YEARS[1]:
        low, high = day, day + datetime.timedelta(days=1)
        if low.astimezone(clock).utcoffset() != high.astimezone(clock).utcoffset():
            while high - low > datetime.timedelta(minutes=1):
                middle = low + (high - low) / 2
                if middle.astimezone(clock).utcoffset() == low.astimezone(clock).utcoffset():
                    low = middle
                else:
                    high = middle
            found.append(high.replace(second=0, microsecond=0))
        day += datetime.timedelta(days=1)
    return found


def values(field):
    """The text of a cron field."""
    names = [*map(str, range(field.low, field.high + 1)), *field.names]
    number = st.integers(field.low, field.high)
    span = st.tuples(number, number).map(lambda pair: f"{min(pair)}-{max(pair)}")
    item = st.one_of(
        st.sampled_from(names),
        span,
        st.tuples(span | st.just("*"), st.integers(1, len(field.full))).map(lambda pair: f"{pair[0]}/{pair[1]}"),
    )
    return st.just("*") | st.lists(item, min_size=1, max_size=3).map(",".join)


CRONS = st.tuples(*(values(field) for field in cron.FIELDS)).map(" ".join)
TIMES = st.integers(0, 1439).map(schedule.format_clock)
WINDOWS = st.fixed_dictionaries({}, optional={"begin": TIMES, "end": TIMES, "spread": st.integers(0, 3600)})


def accepted(given):
    """Whether the engine takes the schedule: a random date may never come, a random window leave nothing."""
    try:
        schedule.parse(given)
    except CloudsyncError:
        return False
    return True


SCHEDULES = st.builds(lambda text, window: {"cron": text, **window}, CRONS, st.just({}) | WINDOWS).filter(accepted)


@st.composite
def places_and_moments(draw):
    """A zone, and a moment that is often close to a change of its clock."""
    zone = draw(st.sampled_from(NOTABLE) | st.sampled_from(sorted(zones.list_names())))
    around = changes(zone)
    if around and draw(st.integers(0, 4)):
        return zone, draw(st.sampled_from(around)) + datetime.timedelta(seconds=draw(st.integers(-100000, 20000)))
    first = datetime.datetime(YEARS[0], 1, 1, tzinfo=UTC)
    return zone, first + datetime.timedelta(seconds=draw(st.integers(0, 10 * 365 * 86400)))


def compare(schedules, zone, after, runs, expected):
    """Fail on the first schedule whose runs are not systemd's."""
    for written, found, right in zip(schedules, runs, expected):
        assert found == right, f"{written} in {zone} after {after} is {lines_of(written)}"


def lines_of(written):
    """The expressions of a schedule as it is written."""
    return to_oncalendar(schedule.parse(written))


@example(
    place=("Antarctica/Troll", datetime.datetime(2028, 3, 26, 0, 56, 47, tzinfo=UTC)),
    schedules=[{"cron": "0,13 2-18 * * *"}, {"cron": "30 2,3 * * *"}, {"cron": "30 0,2,3 * * *"}],
)
@pytest.mark.soak
@settings(max_examples=scale(100, 1000), **SETTINGS)
@given(place=places_and_moments(), schedules=st.lists(SCHEDULES, min_size=15, max_size=25))
def test_preview_and_search_are_what_systemd_does(place, schedules):
    zone, after = place
    schedules = [one for one in [*schedules, {"cron": "@daily"}] if accepted({**one, "timezone": zone})]
    parsed = [schedule.parse(one) for one in schedules]
    expected = truths(parsed, after, zone)
    compare(schedules, zone, after, previewed(schedules, after, timezone=zone), expected)
    zoned = [schedule.parse({**one, "timezone": zone}) for one in schedules]
    compare(schedules, zone, after, searched(zoned, after), expected)


@pytest.mark.soak
@settings(max_examples=scale(25, 250), **SETTINGS)
@given(place=places_and_moments(), schedules=st.lists(SCHEDULES, min_size=5, max_size=5))
def test_expressions_that_name_their_zone_mean_the_same(place, schedules):
    zone, after = place
    schedules = [one for one in [*schedules, {"cron": "@daily"}] if accepted({**one, "timezone": zone})]
    zoned = [schedule.parse({**one, "timezone": zone}) for one in schedules]
    compare(schedules, zone, after, searched(zoned, after), truths(zoned, after, "UTC"))


@pytest.mark.parametrize("year", [2026, 2027, 2028])
def test_every_zone_changes_its_clock_as_systemd_does(year):
    texts = ["*/15 * * * *", "0 * * * *", "40 */2 * * *", "30 2 * * *", "50 0,3 * * *", "20 1,2,5 * * *"]
    for zone in sorted(zones.list_names()):
        for change in changes(zone):
            if change.year == year:
                after = change - datetime.timedelta(hours=3, minutes=7)
                taken = [text for text in texts if accepted({"cron": text, "timezone": zone})]
                zoned = [schedule.parse({"cron": text, "timezone": zone}) for text in taken]
                bare = [schedule.parse(text) for text in taken]
                compare(taken, zone, after, searched(zoned, after), truths(bare, after, zone))


def test_every_zone_that_is_accepted_is_one_for_systemd():
    names = sorted(zones.list_names())
    after = datetime.datetime(2027, 1, 1, tzinfo=UTC)
    for at in range(0, len(names), 50):
        batch = names[at : at + 50]
        systemd([f"*-*-* 00:00:00 {name}" for name in batch], after, 1)
