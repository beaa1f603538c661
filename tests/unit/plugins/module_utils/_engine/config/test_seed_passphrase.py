# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.errors import CloudsyncError
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.config import seed_passphrase as wrapping
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.config.seed import make_seed

PASSPHRASE = "correct horse battery"


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(wrapping, "COST", 2**4)


def test_only_the_passphrase_opens_a_wrapped_seed():
    ring = make_seed().add_primary()
    wrapped = wrapping.wrap_seed(ring, PASSPHRASE)

    assert "\n" not in wrapped
    assert wrapping.unwrap_seed(wrapped + "\n", PASSPHRASE) == ring


@pytest.mark.usefixtures("quick")
def test_each_wrapped_seed_is_different_and_contains_no_plain_key():
    ring = make_seed()
    one, two = wrapping.wrap_seed(ring, PASSPHRASE), wrapping.wrap_seed(ring, PASSPHRASE)

    assert one != two
    assert ring.keys[ring.primary] not in base64.b64decode(one.partition(":")[2])


@pytest.mark.usefixtures("quick")
def test_a_wrong_passphrase_and_a_changed_text_are_refused():
    wrapped = wrapping.wrap_seed(make_seed(), PASSPHRASE)
    changed = wrapped[:60] + ("A" if wrapped[60] != "A" else "B") + wrapped[61:]

    for text, passphrase in (
        (wrapped, PASSPHRASE + "!"),
        (changed, PASSPHRASE),
        (wrapped[:-8], PASSPHRASE),
        (wrapped[:30], PASSPHRASE),
        ("cloudsync-seed-1:not base64", PASSPHRASE),
        ("cloudsync-seed-1:", PASSPHRASE),
    ):
        with pytest.raises(CloudsyncError, match="the passphrase is wrong, or the text was changed") as caught:
            wrapping.unwrap_seed(text, passphrase)
        assert caught.value.reason == "undecryptable"


@pytest.mark.parametrize("text", ["", "cs1:abcd:AAAA", "cloudsync-seed-2:AAAA"])
def test_a_text_that_is_not_a_wrapped_seed_is_refused(text):
    with pytest.raises(CloudsyncError, match=r"wrapped is invalid. Use the value that skyhaul.cloudsync.seed returned"):
        wrapping.unwrap_seed(text, PASSPHRASE)


def test_a_short_passphrase_is_refused():
    with pytest.raises(CloudsyncError, match=r"The passphrase is too short.* Use 8 characters or more"):
        wrapping.wrap_seed(make_seed(), "1234567")
