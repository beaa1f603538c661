# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.errors import CloudsyncError
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.rclone.conf_file import (
    format_option_value,
    parse,
    render,
)

S3 = {"type": "s3"}
OAUTH = {"type": "drive"}
# Each reaches rclone unharmed: see tests/integration/test_rclone_rooms.py.
CARRIED = [
    "",
    "plain",
    "a = b : c ; # d",
    "#no comment",
    "[no section]",
    "%",
    "%(",
    "%()s",
    "100%(s",
    '"quoted"',
    "'single'",
    '"',
    "a`b",
    "`",
    "tab\tinside",
    "ünïcödé 🔑",
    '{"access_token":"a b","expiry":"2026"}',
    '""',
    '"""""',
]
# These need quotes, which rclone loses when it saves the file.
QUOTED = [" lead", "trail ", "\ttab", "`tick`", "``", "`open", '"""x"""', '"""""""', "\u00a0nbsp", "  "]


@pytest.mark.parametrize("value", CARRIED + QUOTED)
def test_a_value_comes_back_as_it_was(value):
    assert parse(render({"remote": {**S3, "option": value}}))["remote"]["option"] == value


@pytest.mark.parametrize("value", ["a\nb", "a\rb", "x\x00y", "x%(y)s", "%(a b)s", "\ud800"])
def test_a_value_that_rclone_would_mangle_is_refused_by_the_name_of_its_option(value):
    with pytest.raises(CloudsyncError) as caught:
        render({"remote": {**S3, "secret_access_key": value}})

    assert caught.value.reason == "usage"
    assert "'secret_access_key'" in caught.value.message
    assert value not in caught.value.message


@pytest.mark.parametrize("value", [*QUOTED, "a`b"])
def test_a_value_that_rclone_would_lose_on_saving_a_token_is_refused_where_it_saves(value):
    with pytest.raises(CloudsyncError) as caught:
        render({"remote": {**OAUTH, "client_secret": value}})

    assert "'client_secret'" in caught.value.message


def test_a_token_with_a_backtick_survives_saving_because_it_has_quotes_too():
    token = '{"access_token":"a`b"}'
    assert parse(render({"remote": {**OAUTH, "token": token}}))["remote"]["token"] == token


def test_a_crypt_section_beside_it_makes_no_remote_rewritten():
    render({"remote": {**S3, "secret_access_key": " x"}, "crypt": {"type": "crypt", "remote": "remote:b"}})


def test_names_that_would_break_the_file_are_refused():
    with pytest.raises(CloudsyncError):
        render({"remote": {"a = b": "x"}})
    with pytest.raises(ValueError):
        render({"re]mote": {}})


def test_a_file_is_read_as_rclone_reads_it():
    text = """\ufeff# a comment
[one]
type=s3
secret : colon
; another
host = H
user = %(host)s-%(nope)s
quoted = `  x `

[ two ]
"strange = key" = v
[one]
type = b2
"""
    assert parse(text) == {
        "one": {"type": "b2", "secret": "colon", "host": "H", "user": "H-", "quoted": "  x "},
        "two": {"strange = key": "v"},
    }


@pytest.mark.parametrize("text", ["key = SECRET", "[a]\nSECRET", "[a]\nk = `SECRET", "[a]\n= SECRET"])
def test_a_file_that_rclone_could_not_read_is_refused_without_showing_it(text):
    with pytest.raises(CloudsyncError) as caught:
        parse(text)

    assert "Line" in caught.value.message
    assert "SECRET" not in caught.value.message


def test_an_encrypted_file_is_named_as_such():
    with pytest.raises(CloudsyncError, match="encrypted"):
        parse("# Encrypted rclone configuration File\n\nRCLONE_ENCRYPT_V0:\nabc\n")


def test_a_value_that_grows_without_end_does_not_take_the_host_down():
    parse("[a]\nx = %(x)s%(x)s%(x)s\n")


@pytest.mark.parametrize(
    "value, text",
    [
        (True, "true"),
        (False, "false"),
        (22, "22"),
        (1.5, "1.5"),
        ("text", "text"),
        (["md5", "sha1"], "md5,sha1"),
        (["a,b", 'c"d'], '"a,b","c""d"'),
        ({"access_token": "ä", "n": 1}, '{"access_token":"ä","n":1}'),
    ],
)
def test_declared_values_become_rclones_spelling(value, text):
    assert format_option_value(value) == text
