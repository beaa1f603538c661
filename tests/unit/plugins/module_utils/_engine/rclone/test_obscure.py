# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import sys

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.errors import CloudsyncError
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.rclone.obscure import obscure, reveal

cryptography = pytest.importorskip("cryptography")


def test_the_form_is_the_one_that_rclone_makes_with_the_same_iv():
    # From rclone's own documentation of the format: AES-CTR, iv first, URL-safe base64 without padding.
    assert obscure("potato", b"a" * 16) == "YWFhYWFhYWFhYWFhYWFhYXMaGgIlEQ"
    assert reveal("YWFhYWFhYWFhYWFhYWFhYXMaGgIlEQ") == "potato"


@pytest.mark.parametrize("plain", ["", "p", "päss wörd", "a" * 1000, "ends with newline\n", "{}%(x)s`"])
def test_every_password_comes_back(plain):
    assert reveal(obscure(plain)) == plain


def test_no_two_obscured_forms_are_the_same():
    assert obscure("same") != obscure("same")


@pytest.mark.parametrize("text", ["hunter2", "", "not base64 at all!", "YWFh", "YWFhYWFhYWFhYWFhYWFhYXMaGgIlEQ!!!!"])
def test_a_text_that_was_not_obscured_is_refused_without_showing_it(text):
    with pytest.raises(CloudsyncError) as caught:
        reveal(text)

    assert caught.value.reason == "usage"
    assert not text or text not in caught.value.message


def test_a_host_without_cryptography_is_told_which_package_to_install(monkeypatch):
    for name in [name for name in sys.modules if name.startswith("cryptography.hazmat.primitives")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives.ciphers", None)

    with pytest.raises(CloudsyncError) as caught:
        obscure("x")

    assert caught.value.reason == "usage"
    assert "python3-cryptography" in caught.value.message
