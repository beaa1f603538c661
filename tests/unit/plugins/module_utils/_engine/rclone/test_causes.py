# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.rclone.causes import find_address, find_cause


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("dial tcp 127.0.0.1:1: connect: connection refused", "connection refused"),
        ("dial tcp: lookup a.example on 192.0.2.53:53: no such host", "no such host"),
        (
            "lookup a.example on 192.0.2.53:53: read udp 10.0.0.1:2->192.0.2.53:53: i/o timeout",
            "name resolution timed out",
        ),
        ("read tcp 10.0.0.1:1->10.0.0.2:2: read: connection reset by peer", "connection reset"),
        ("net/http: TLS handshake timeout", "TLS handshake timed out"),
        (
            "x509: certificate has expired or is not yet valid: current time 2026 is after 2025",
            "certificate has expired",
        ),
        (
            "x509: certificate has expired or is not yet valid: current time 2026 is before 2027",
            "certificate is not yet valid",
        ),
        ("x509: certificate signed by unknown authority", "certificate signed by unknown authority"),
        ("x509: certificate is valid for a.example, not b.example", "certificate is for another address"),
        ("api error AccessDenied: Access Denied", "access denied"),
        ("StatusCode: 403, api error QuotaExceeded: no", "quota exceeded"),
        ("googleapi: got HTTP response code 401 with body: no", "401 Unauthorized"),
        ("write /data/x: no space left on device", "no space left on device"),
        ("something that nobody has seen before", ""),
        ("", ""),
    ],
)
def test_a_text_is_reduced_to_its_cause(text, cause):
    assert find_cause(text) == cause


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ('Head "http://10.0.0.1:18733/b/x": dial tcp 10.0.0.1:18733: connect: connection refused', "10.0.0.1:18733"),
        ("dial tcp [::1]:443: connect: connection refused", "[::1]:443"),
        ("dial tcp: lookup a.example on 192.0.2.53:53: no such host", "a.example"),
        ("dial tcp: lookup a.example: no such host", "a.example"),
        ("read tcp 10.0.0.1:1->10.0.0.2:2: read: connection reset by peer", "10.0.0.2:2"),
        ('failed to make FTP connection to "ftp.example:21": 530 no', "ftp.example:21"),
        ('Get "https://user:SECRET@a.example:8443/SECRET?sig=SECRET": EOF', "a.example:8443"),
        ("See https://docs.example/credentials for more information", ""),
        ("no such file or directory", ""),
    ],
)
def test_the_address_of_an_error_has_no_login_path_or_query(text, address):
    assert find_address(text) == address
