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


def test_suggest_name_offers_the_most_similar_name_only():
    assert suggest_name("remotepath", ["path", "remote_path"]) == " Did you mean 'remote_path'?"
    assert suggest_name("xyz", ["path", "remote_path"]) == ""
    assert suggest_name("", []) == ""


def test_an_unknown_option_is_refused_with_a_list_of_the_valid_ones():
    refuse_unknown_keys("guards", {"marker": 1}, ("mounted", "marker"))
    with pytest.raises(CloudsyncError) as caught:
        refuse_unknown_keys("guards", {"marker": 1, "mountd": 2}, ("mounted", "marker"))
    assert caught.value.message == (
        "guards has no option 'mountd'. Did you mean 'mounted'? Valid options: marker, mounted."
    )


def test_check_choice_refuses_other_values():
    assert check_choice("mode", "sync", ("sync", "copy")) == "sync"
    with pytest.raises(CloudsyncError) as caught:
        check_choice("mode", "synk", ("sync", "copy"))
    assert caught.value.message == "mode is 'synk'. Use one of sync, copy. Did you mean 'sync'?"
    for value in (None, True, 1, []):
        with pytest.raises(CloudsyncError, match=r"mode is .*\. Use one of sync, copy"):
            check_choice("mode", value, ("sync", "copy"))
