# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import codecs

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.errors import CloudsyncError
from ansible_collections.skyhaul.cloudsync.plugins.plugin_utils._migration.encoding import decode
from ansible_collections.skyhaul.cloudsync.plugins.plugin_utils._migration.rclone_file import read_sections
from ansible_collections.skyhaul.cloudsync.plugins.plugin_utils._migration.truenas import from_truenas

TEXT = "[caf\u00e9]\r\ntype = local\r\n"


def as_ansible_reads(content):
    return content.decode("utf-8", "surrogateescape").rstrip()


@pytest.mark.parametrize(
    "content",
    [
        TEXT.encode(),
        codecs.BOM_UTF8 + TEXT.encode(),
        codecs.BOM_UTF16_LE + TEXT.encode("utf-16-le"),
        codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"),
    ],
    ids=["utf-8", "utf-8 with a mark", "utf-16-le", "utf-16-be"],
)
def test_a_file_with_a_byte_order_mark_is_read(content):
    text = as_ansible_reads(content)
    assert decode(text, "It").split() == TEXT.split()
    assert read_sections(text, "", "") == {"caf\u00e9": {"type": "local"}}


@pytest.mark.parametrize(
    "content",
    [TEXT.encode("latin-1"), TEXT.encode("utf-16-le"), TEXT.encode("utf-16-be"), codecs.BOM_UTF16_LE + b"a\0b\xd8c"],
    ids=["latin-1", "utf-16-le without a mark", "utf-16-be without a mark", "cut"],
)
def test_any_other_encoding_is_refused_in_one_sentence(content):
    with pytest.raises(CloudsyncError, match=r"\AThe rclone configuration is not a text in UTF-8 or UTF-16\. "):
        read_sections(as_ansible_reads(content), "", "")


def test_an_export_of_truenas_in_utf_16_is_read():
    texts = {"tasks.json": as_ansible_reads("[]".encode("utf-16"))}
    assert not from_truenas(texts, {}).public["cloudsync_tasks"]
    with pytest.raises(CloudsyncError, match=r"\Atasks\.json is not a text in UTF-8"):
        from_truenas({"tasks.json": as_ansible_reads("[]".encode("utf-16-le"))}, {})
