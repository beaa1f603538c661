# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.rclone.providers import known_hosts


def key(key_type):
    """The third word of a line: rclone and ssh look at the type only here."""
    return base64.b64encode(len(key_type).to_bytes(4, "big") + key_type.encode() + b"\0\0\0\x01x").decode()


def line(hosts, key_type="ssh-ed25519", marker=""):
    return f"{marker} {hosts} {key_type} {key(key_type)} comment".strip() + "\n"


# What ssh-keygen -H made of "store.example" and "[store.example]:2222".
HASHED = "|1|k6yysNZIhjQi3o8keK+T6K0fS3s=|iERPbLrYSCZui3CDIW2mNrDm7O8="
HASHED_2222 = "|1|XB1ezmsZ/6FR/pjqo+8htSR/wwU=|0LIMMpli3yp2vd61uw/uHjgSaGQ="


@pytest.mark.parametrize(
    ("hosts", "host", "port", "expected"),
    [
        ("store.example", "store.example", "", True),
        ("store.example", "STORE.example", "22", True),
        ("store.example", "store.example", "23", False),
        ("store.example", "other.example", "", False),
        ("[store.example]:23", "store.example", "23", True),
        ("[store.example]:23", "store.example", "22", False),
        ("a,store.example,10.0.0.1", "10.0.0.1", "", True),
        ("*.example", "store.example", "", True),
        ("*.example,!store.example", "store.example", "", False),
        ("[*.example]:23", "store.example", "23", True),
        ("2001:db8::1", "2001:db8::1", "", True),
        (HASHED, "store.example", "", True),
        (HASHED, "store.example", "2222", False),
        (HASHED, "other.example", "", False),
        (HASHED_2222, "store.example", "2222", True),
        ("|1|rubbish", "store.example", "", False),
    ],
)
def test_a_line_is_about_the_servers_that_its_patterns_match(hosts, host, port, expected):
    assert (known_hosts.list_algorithms(line(hosts), host, port) != "") is expected


def test_the_algorithms_are_those_of_the_keys_that_are_known_of_this_server():
    text = line("a", "ssh-rsa") + line("b") + "# comment\n\n" + line("a", "ecdsa-sha2-nistp256")
    assert known_hosts.list_algorithms(text, "a", "") == "rsa-sha2-512 rsa-sha2-256 ssh-rsa ecdsa-sha2-nistp256"
    assert known_hosts.list_algorithms(text, "b", "") == "ssh-ed25519"
    assert known_hosts.list_algorithms(text, "c", "") == ""


def test_a_revoked_key_is_no_reason_to_ask_for_its_algorithm_and_an_authority_signs_any():
    assert known_hosts.list_algorithms(line("a", "ssh-rsa", "@revoked") + line("a"), "a", "") == "ssh-ed25519"
    assert known_hosts.list_algorithms(line("a", marker="@cert-authority") + line("a"), "a", "") == ""


@pytest.mark.parametrize(
    "text",
    [
        "SHA256:Dbxdvtn7PGx5Jje02JiLej3e9ovLyJUiJ8IPWu65VDY",
        "ssh-ed25519 " + key("ssh-ed25519"),
        "store.example ssh-ed25519 AAAA",
        "store.example ssh-rsa " + key("ssh-ed25519"),
        "store.example ssh-ed25519 no-base64!",
        "# only a comment",
        "false",
    ],
)
def test_what_is_no_line_of_a_known_hosts_file_is_refused(text):
    (problem,) = known_hosts.find_problems({"known_hosts": text})
    assert "ssh-keyscan" in problem
    assert line("a").strip() not in problem


def test_the_wrong_line_is_named_by_its_number():
    assert "line 3," in known_hosts.find_problems({"known_hosts": line("a") + "\n" + "rubbish\n"})[0]


@pytest.mark.parametrize(
    "login",
    [
        {},
        {"known_hosts": ""},
        {"known_hosts": "none"},
        {"known_hosts": line("a")},
        {"known_hosts_file": "/etc/ssh/ssh_known_hosts"},
        {"pin_host_key": "false", "host_keys": "ssh-ed25519 " + key("ssh-ed25519")},
    ],
)
def test_what_names_its_server_or_opts_out_passes(login):
    assert known_hosts.find_problems(login) == []


def test_two_sources_and_trust_at_first_sight_are_refused():
    both = {"known_hosts": line("a"), "known_hosts_file": "/x"}
    assert "both set" in known_hosts.find_problems(both)[0]
    assert "again in each run" in known_hosts.find_problems({"pin_host_key": "true"})[0]
