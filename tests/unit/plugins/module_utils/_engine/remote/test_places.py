# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.mounts import parse_mountinfo
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.config.credentials import Credential
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.remote.account import find_server
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.remote.places import any_overlap, locate_task

MOUNTS = parse_mountinfo(
    "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n"
    "2 1 8:2 / /vol rw - xfs /dev/sdb1 rw\n"
    "3 1 8:2 /data/in /bound rw - xfs /dev/sdb1 rw\n"
    "4 1 0:40 / /nfs-a rw - nfs4 nas:/a rw\n"
    "5 1 0:40 / /nfs-b rw - nfs4 nas:/b rw\n"
)


def login(kind, /, secrets=None, **attributes):
    return Credential("one", kind, attributes=attributes, secrets=secrets or {})


def destination(make_task, credential, remote_path="bucket/data", **options):
    return locate_task(make_task(remote_path=remote_path, **options), credential, MOUNTS).destination


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (login("s3", endpoint="https://s3.example.net"), login("S3", endpoint="S3.example.net:443/", region="eu")),
        (login("s3", endpoint="http://127.0.0.1:9000"), login("s3", endpoint="http://localhost:9000/")),
        (login("s3", provider="AWS", region="eu-west-1"), login("s3", endpoint="https://s3.eu-west-1.amazonaws.com")),
        (login("s3", endpoint="e.net", secrets={"access_key_id": "A"}), login("s3", secrets={"endpoint": "e.net"})),
        (login("b2", account="key1"), login("b2", account="key2")),
        (login("sftp", host="Nas.lan."), login("sftp", host="nas.lan", port="22", user="root")),
        (login("sftp", host="::1", user="u"), login("sftp", host="localhost", user="u")),
        (login("ftp", host="nas", user="u"), login("ftp", host="nas", user="u", port="21", tls="false")),
        (login("webdav", url="https://u@dav.net/x/", user="u"), login("webdav", url="https://dav.net:443/x", user="u")),
        (login("drive", secrets={"token": "T"}), login("drive", secrets={"token": "T"}, scope="drive")),
        (login("mega", user="u@example.net"), login("mega", user="u@example.net", hard_delete="true")),
        (login("STORJ_IX", secrets={"access_key_id": "A"}), login("STORJ_IX", secrets={"access_key_id": "A"})),
    ],
)
def test_two_credentials_for_one_account_are_one_place(make_task, one, other):
    twin = Credential("two", other.provider, attributes=other.attributes, secrets=other.secrets)
    assert destination(make_task, one) == destination(make_task, twin)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (login("s3", endpoint="https://s3.example.net"), login("s3", endpoint="https://other.example.net")),
        (login("s3", endpoint="https://s3.example.net"), login("s3", endpoint="https://s3.example.net:9000")),
        (login("s3", endpoint="https://s3.example.net"), login("b2", endpoint="https://s3.example.net")),
        (login("s3", provider="Scaleway", region="nl-ams"), login("s3", provider="Scaleway", region="fr-par")),
        (login("STORJ_IX", secrets={"access_key_id": "A"}), login("STORJ_IX", secrets={"access_key_id": "B"})),
        (login("sftp", host="nas", user="u"), login("sftp", host="nas", user="v")),
        (login("sftp", host="nas", user="u"), login("sftp", host="nas", user="u", port="2222")),
        (login("drive"), login("drive")),
        (login("drive", secrets={"token": "T"}), login("drive", secrets={"token": "S"})),
        (login("drive", secrets={"token": "T"}), login("drive", secrets={"token": "T"}, root_folder_id="F")),
        (login("azureblob", account="a"), login("azureblob", account="b")),
    ],
)
def test_two_accounts_are_two_places(make_task, one, other):
    twin = Credential("two", other.provider, attributes=other.attributes, secrets=other.secrets)
    assert not any_overlap(destination(make_task, one), destination(make_task, twin))


def test_the_folder_of_a_web_address_is_a_part_of_the_path(make_task):
    whole, part = login("webdav", url="https://dav.net/x"), login("webdav", url="https://dav.net/x/y")
    assert destination(make_task, whole, "y/z") == destination(make_task, part, "z")


def test_options_of_the_task_select_the_part_of_an_account(make_task):
    drive = login("drive", secrets={"token": "T"})
    shared = destination(make_task, drive, provider_options={"root_folder_id": "F"})
    assert not any_overlap(destination(make_task, drive), shared)


def test_a_provider_that_ignores_the_letter_case_has_one_folder_for_both(make_task):
    box = login("dropbox", secrets={"token": "T"})
    assert destination(make_task, box, "Photos") == destination(make_task, box, "photos")


@pytest.mark.parametrize(
    ("credential", "remote_path"),
    [
        (login("local"), "/vol/data"),
        (login("local"), "vol/data"),
        (login("local"), "/bound"),
        (login("local"), "/vol"),
        (login("local"), "/"),
        (login("alias", remote="/vol"), "data"),
        (login("alias", remote=":local:/vol"), "data"),
        (login("alias", remote=":local,links=true:/vol"), "data"),
        (login("crypt", remote="/vol/data/in"), "anything"),
        (login("union", upstreams="/elsewhere:ro /vol"), "data"),
        (login("combine", upstreams="a=/elsewhere b=/vol"), "b/data"),
    ],
)
def test_a_remote_that_leads_to_this_host_is_the_local_folder(make_task, credential, remote_path):
    places = locate_task(make_task(path="/vol/data", remote_path=remote_path), credential, MOUNTS)
    assert any_overlap(places.source, places.destination)


@pytest.mark.parametrize(
    ("credential", "path", "remote_path"),
    [
        (login("local"), "/vol/data", "/vol/data2"),
        (login("local"), "/vol/data/out", "/bound"),
        (login("local"), "/nfs-a/x", "/nfs-b/x"),
        (login("alias", remote=':s3,endpoint="http://h:9":bucket'), "/vol", "vol"),
        (login("combine", upstreams="a=/vol b=/elsewhere"), "/vol", "b"),
    ],
)
def test_other_folders_of_this_host_are_other_places(make_task, credential, path, remote_path):
    places = locate_task(make_task(path=path, remote_path=remote_path), credential, MOUNTS)
    assert not any_overlap(places.source, places.destination)


def test_a_path_on_no_visible_mount_is_its_real_path(make_task):
    places = locate_task(make_task(path="/vol/data"), login("local"), ())
    assert places.source == (("local", "/vol/data"),)


@pytest.mark.parametrize(
    ("options", "server"),
    [
        ({"endpoint": "https://h.net:9/x"}, "h.net"),
        ({"host": "h.net"}, "h.net"),
        ({"host": "::1"}, "::1"),
        ({"endpoint": "https://[::1"}, "::1"),
        ({}, ""),
    ],
)
def test_the_server_of_a_login(options, server):
    assert find_server(options) == server
