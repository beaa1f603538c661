# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.errors import CloudsyncError
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.validation import (
    check_choice,
    refuse_unknown_keys,
    suggest_name,
)


def test_the_nearest_name_is_offered_and_none_when_none_is_near():
    assert suggest_name("remotepath", ["path", "remote_path"]) == " Did you mean 'remote_path'?"
    assert suggest_name("xyz", ["path", "remote_path"]) == ""
    assert suggest_name("", []) == ""


def test_an_unknown_key_is_refused_with_the_known_ones():
    refuse_unknown_keys("guards", {"marker": 1}, ("mounted", "marker"))
    with pytest.raises(CloudsyncError) as caught:
        refuse_unknown_keys("guards", {"marker": 1, "mountd": 2}, ("mounted", "marker"))
    assert caught.value.message == ("guards has no option 'mountd'. Did you mean 'mounted'? It takes: marker, mounted.")


def test_a_choice_is_one_of_the_choices():
    assert check_choice("mode", "sync", ("sync", "copy")) == "sync"
    with pytest.raises(CloudsyncError) as caught:
        check_choice("mode", "synk", ("sync", "copy"))
    assert caught.value.message == "mode is 'synk': use one of sync, copy. Did you mean 'sync'?"
    for value in (None, True, 1, []):
        with pytest.raises(CloudsyncError, match=r"mode is .*: use one of sync, copy"):
            check_choice("mode", value, ("sync", "copy"))
