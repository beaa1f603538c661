# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Failures with a misleading symptom: the message of the run names the cause, the files, and what to do."""

from __future__ import annotations

import os
import pathlib
import socketserver
import tempfile
import threading
from http.server import ThreadingHTTPServer

import pytest
from doorman import Doorman, Handler
from harness import PASSWORD, SECRET, SLOW, answering, copy_of, documents_task, serving, text_tree, write_tree
from sftp_server import private, serving_sftp

HEARD = "the run fails, notification, `cloudsync check`"
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="another user needs root")


@pytest.fixture(name="foreign")
def fixture_foreign(new_machine, rclone):
    """Return a machine whose rclone every user can run."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        yield new_machine(copy_of(rclone, folder))


@pytest.fixture(name="documents")
def fixture_documents(machine):
    return machine.data / "documents"


def push_to_disk(machine, **options):
    machine.declare([{"name": "disk", "provider": "local"}])
    remote = str(machine.data / "copies")
    machine.declare(
        [], [documents_task(machine, pathlib.Path(), credential="disk", **{"remote_path": remote, **options})]
    )


def pull_as_nobody(machine, **options):
    """Declare a pull from the folder ``source`` of the same host."""
    source = machine.data / "source"
    write_tree(source, {"sub/a.txt": "a", "other/b.txt": "b"})
    machine.declare([{"name": "disk", "provider": "local"}])
    there = {"credential": "disk", "remote_path": str(source), "user": "nobody", "retries": 0}
    machine.declare([], [documents_task(machine, source, "pull", **{**there, **options})])
    target = machine.data / "documents"
    target.mkdir()
    return target


@needs_root
@pytest.mark.parametrize("mode", ["copy", "sync"])
def test_a_folder_that_cannot_be_created_is_the_cause_and_not_the_time_of_the_folder(foreign, reliability, mode):
    target = pull_as_nobody(foreign, mode=mode)
    record = foreign.run("documents", 1, "other")
    assert record["message"].startswith(f"Some folders cannot be created at {target} (permission denied). Files: ")
    assert "sub/a.txt" in record["message"] and "other/b.txt" in record["message"]
    assert "time" not in record["message"]
    reliability.add(f"The user of a pull ({mode}) must not create folders at the target.", record, heard=HEARD)


@needs_root
def test_a_target_that_the_user_cannot_write_is_named(foreign, bucket, store):
    write_tree(bucket / "documents", {"sub/a.txt": "a"})
    foreign.declare([store])
    target = pull_as_nobody(foreign, credential="store", remote_path=bucket.name + "/documents")
    message = foreign.run("documents", 1, "other")["message"]
    assert message.startswith(f"The probe .cloudsync-probe could not be written to path {target}. ")
    assert "permission denied" in message


def test_a_file_in_the_place_of_a_folder_is_the_cause(machine, bucket, store, documents):
    write_tree(bucket / "documents", {"sub/a.txt": "a"})
    write_tree(documents, {"sub": "a file"})
    machine.declare([store], [documents_task(machine, bucket, "pull", mode="copy", retries=0)])
    message = machine.run("documents", 1, "other")["message"]
    assert message.startswith("A file has the name of a folder that has to be created")
    assert "Files: sub/a.txt." in message
    assert text_tree(documents) == {"sub": "a file"}


@needs_root
def test_times_of_folders_that_cannot_be_set_are_named_with_the_flag_that_helps(foreign):
    target = pull_as_nobody(foreign, mode="copy")
    for folder in (target, target / "sub"):
        folder.mkdir(exist_ok=True)
        folder.chmod(0o777)
    message = foreign.run("documents", 1, "other")["message"]
    assert message.startswith("The times of folders cannot be set at the destination (permission denied). Files: ")
    assert f"Files: {target}/sub." in message
    assert "--no-update-dir-modtime" in message
    assert text_tree(target) == {"sub/a.txt": "a", "other/b.txt": "b"}


def test_a_link_that_leads_to_itself_is_named(machine, documents):
    write_tree(documents, {"a.txt": "a"})
    (documents / "loop").symlink_to("loop")
    push_to_disk(machine, follow_symlinks=True, mode="copy", retries=0)
    message = machine.run("documents", 1, "other")["message"]
    assert message.startswith("A symbolic link leads to itself, and follow_symlinks is set")
    assert "Files: loop." in message


def test_a_name_that_encryption_makes_too_long_is_named(machine, documents, reliability):
    name = "minutes-of-a-long-meeting-" * 7 + ".txt"
    write_tree(documents, {name: "a", "short.txt": "b"})
    push_to_disk(machine, encryption={"password": PASSWORD}, retries=0)
    record = machine.run("documents", 1, "other")
    assert record["message"].startswith("Some names are too long for the destination.")
    assert f"Files: {name}." in record["message"]
    assert "Encrypted names are longer." in record["message"]
    reliability.add("The encrypted name of a file is longer than the destination allows.", record, heard=HEARD)


@pytest.mark.parametrize("mode", ["copy", "sync"])
def test_a_file_that_grows_during_its_transfer_is_named(machine, documents, reliability, mode):
    write_tree(documents, {"growing.log": b"x" * 500000})
    push_to_disk(machine, mode=mode, retries=0, bandwidth=SLOW)
    run = machine.start("documents")
    machine.wait_for_bytes("documents")
    with open(documents / "growing.log", "ab") as stream:
        stream.write(b"more")
    record = machine.ended(run, 1)
    assert "(the file changed during the transfer)" in record["message"]
    assert "Files: growing.log." in record["message"]
    assert "use a snapshot" in record["message"]
    reliability.add(f"A file of a push ({mode}) grows during its transfer.", record, heard=HEARD)


class Rewriting(Handler):
    """A WebDAV server that changes Office files when it receives them, as SharePoint does."""

    def _body(self):
        body = super()._body()
        return body + b"<!-- checked in -->" if self.command == "PUT" and self.path.endswith(".docx") else body


def test_a_file_that_the_server_changes_is_named_with_the_flags_for_sharepoint(machine, rclone, documents, reliability):
    write_tree(documents, {"report.docx": "words", "a.txt": "a"})
    served = machine.root / "served"
    served.mkdir()
    with serving(rclone, "webdav", served) as port:
        handler = type("RewritingHandler", (Rewriting,), {"doorman": Doorman(), "port": port})
        with answering(ThreadingHTTPServer(("127.0.0.1", 0), handler)) as front:
            login = {"name": "there", "provider": "webdav", "attributes": {"url": f"http://127.0.0.1:{front}"}}
            options = {"credential": "there", "remote_path": "d", "retries": 0, "mode": "copy"}
            machine.declare([login], [documents_task(machine, served, **options)])
            record = machine.run("documents", 1, "other")
    assert record["message"].startswith(
        "Some files at the destination are not equal to the source after their transfer"
    )
    assert "Files: report.docx." in record["message"]
    assert "--ignore-size and --ignore-checksum" in record["message"]
    reliability.add("The server changes a file that it receives, as SharePoint does.", record, heard=HEARD)


def test_an_ftp_server_with_too_many_connections_is_a_matter_of_the_network(machine, documents, reliability):
    class Full(socketserver.StreamRequestHandler):
        def handle(self):
            self.wfile.write(b"421 There are too many connections from your internet address.\r\n")

    write_tree(documents, {"a.txt": "a"})
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Full) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        attributes = {"host": "127.0.0.1", "port": str(server.server_address[1]), "user": "u"}
        login = {"name": "there", "provider": "ftp", "attributes": attributes, "secrets": {"pass": SECRET}}
        options = {"credential": "there", "remote_path": "d", "retries": 0}
        machine.declare([login], [documents_task(machine, pathlib.Path(), **options)])
        record = machine.run("documents", 1, "network")
        server.shutdown()
        thread.join()
    assert "too many connections" in record["message"]
    assert "concurrency" in record["message"] or "transfers" in record["message"]
    reliability.add("The FTP server accepts no more connections (421).", record, heard=HEARD)


def test_a_private_key_whose_line_breaks_yaml_folded_is_a_matter_of_its_notation(machine, rclone, tmp_path):
    with serving_sftp(rclone, tmp_path / "sftp") as server:
        folded = " ".join(private(server.key).split("\n"))
        login = server.credential({"key_pem": folded}, known_hosts=server.known("ed25519"))
        said = machine.module("credential", **login, verify=True)
    assert said.get("failed"), said
    assert "private key" in said["msg"]
    assert "literal block (|)" in said["msg"]
    assert folded[40:80] not in str({**said, "invocation": None})
