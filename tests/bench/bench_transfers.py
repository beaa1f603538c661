# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""First pushes, compared with rclone's defaults: small, large and deep files, near and far."""

from __future__ import annotations

import contextlib
import pathlib
import subprocess
import sys
from collections.abc import Iterator

import chart
from measure import Pair, compare
from root import (
    BUCKET,
    KEY,
    PLACE,
    S3_SECRETS,
    SECRET,
    Root,
    find_free_port,
    make_files,
    make_large_files,
    run_server,
    serve_folder,
)
from rows import IMAGES, Row

# Milliseconds of a round trip: the same building, the same country, another continent.
LATENCIES = (0, 20, 100)
PROVIDERS = ("s3", "sftp", "webdav")
FOLDERS, LARGE = 2_000, 4
# Small files, and files for the distances. Over WebDAV, bare rclone waits 10 ms between two requests. Over SFTP, it
# creates the files of a folder one after the other. Each would take ten minutes with the numbers of S3.
SMALL = {"s3": 20_000, "sftp": 20_000, "webdav": 2_000}
FAR = {"s3": 600, "sftp": 200, "webdav": 600}
KIB, MIB = 1024, 1024 * 1024
# The causes of a missed target: near, and far away.
WHY = (
    "The guards list the source once more, and the log of each file is read",
    "Before the transfer, each guard logs in and asks by itself",
)
PROXY = pathlib.Path(__file__).with_name("delay.py")
CRYPT = {"password": "benchmark", "salt": "salt"}
# The options of rclone crypt for those of a task.
CRYPT_FLAGS = {"password": "password", "password2": "salt"}
UNKNOWN_HOST = {"known_hosts": "none"}  # an option of the collection


def bench(root: Root, is_quick: bool) -> Iterator[Row]:
    """Push each set of files to each provider, then small files over each distance."""
    part = 20 if is_quick else 1
    deep = make_files(PLACE / "sources" / "deep", FOLDERS // part, 4 * KIB, in_each=1, depth=8)
    large = make_large_files(PLACE / "sources" / "large", LARGE, 512 * MIB // part)
    faster: dict[str, list[tuple[float, float]]] = {}
    for provider in PROVIDERS:
        small, some = _make_small(SMALL[provider] // part)
        far, few = _make_small(FAR[provider] // part)
        with serve_folder(provider, PLACE / "served-by" / provider) as port:
            near = Account(root, provider, port)
            yield near.judge("small", small, some)
            yield near.judge("crypt", small, some + ", encrypted", CRYPT)
            yield near.judge("deep", deep, f"{FOLDERS // part:,} nested folders")
            yield near.judge("large", large, f"{LARGE} files of {512 // part} MiB")
            for latency in LATENCIES:
                with _delay(port, latency) as distant:
                    row = Account(root, provider, distant).judge("far", far, few, at=latency)
                faster.setdefault(provider, []).append((latency, 1 / row.value))
                if latency:
                    yield row
    if not is_quick:
        ticks = {float(latency): f"{latency} ms" for latency in LATENCIES}
        title = "Hundreds of small files: how many times faster than rclone's defaults"
        chart.draw(IMAGES / "latency.svg", title, "round trip", ticks, faster)


def _make_small(count: int) -> tuple[pathlib.Path, str]:
    """Return a folder with ``count`` small files, and what it is."""
    folder = PLACE / "sources" / f"small-{count}"
    return folder if folder.exists() else make_files(folder, count, 4 * KIB), f"{count:,} files of 4 KiB"


class Account:
    """An account of a server on loopback, for the collection and for rclone alone."""

    def __init__(self, root: Root, provider: str, port: int) -> None:
        self.root, self.provider = root, provider
        self.credential = f"{provider}-{port}"
        self.attributes, self.secrets = {
            "s3": (root.attributes(port), S3_SECRETS),
            "sftp": ({"host": "127.0.0.1", "port": port, "user": KEY, **UNKNOWN_HOST}, {"pass": SECRET}),
            "webdav": ({"url": f"http://127.0.0.1:{port}", "vendor": "other", "user": KEY}, {"pass": SECRET}),
        }[provider]

    def judge(
        self, name: str, source: pathlib.Path, what: str, encryption: dict[str, str] | None = None, at: int = 0
    ) -> Row:
        """Push ``source`` with both, and return the row. Far away, the target is three times the speed."""
        took = self._compare(f"{name}-{self.provider}-{at}", source, encryption)
        ours, theirs = took.seconds
        target = 1 / 3 if at else 1.0
        factor = f"{1 / took.ratio:.2f} times faster" if took.ratio < 1 else f"{took.ratio:.2f} times as long"
        distance = f", {at} ms away" if at else ""
        return Row(
            f"push-{name}-{self.provider}-{at}",
            f"{what} to {self.provider}{distance}",
            "`rclone sync`",
            "3 times faster" if at else "not slower",
            f"{factor} ({ours:.1f} s instead of {theirs:.1f} s)",
            took.ratio,
            took.ratio <= target * 1.02,
            WHY[bool(at)],
        )

    def _compare(self, name: str, source: pathlib.Path, encryption: dict[str, str] | None) -> Pair:
        remote, bare = f"{BUCKET}/{name}", f"{BUCKET}/{name}-bare"
        task = {"name": name, "credential": self.credential, "direction": "push", "mode": "sync", "path": str(source)}
        credential = {"name": self.credential, "provider": self.provider}
        credential.update(attributes=self.attributes, secrets=self.secrets)
        self.root.declare([{**task, "remote_path": remote, "encryption": encryption}], [credential])
        flags = [f"--{self.provider}-{key.replace('_', '-')}={value}" for key, value in self._for_rclone().items()]
        target = f":{self.provider}:{bare}"
        if encryption is not None:
            secret = [f"--crypt-{key}={self.root.obscure(encryption[word])}" for key, word in CRYPT_FLAGS.items()]
            flags, target = [*flags, *secret, f"--crypt-remote={target}"], ":crypt:"

        def wipe() -> None:
            for path in (remote, bare):
                place = f":{self.provider}:{path}"
                subprocess.run(self.root.bare("purge", *flags, place), stderr=subprocess.DEVNULL, check=False)

        theirs = self.root.bare("sync", *flags, str(source), target)
        return compare(self.root.run(name), theirs, 1, self.root.environment, before=wipe)

    def _for_rclone(self) -> dict[str, object]:
        obscured = {key: self.root.obscure(value) if key == "pass" else value for key, value in self.secrets.items()}
        attributes = {key: value for key, value in self.attributes.items() if key not in UNKNOWN_HOST}
        return {**attributes, **obscured}


@contextlib.contextmanager
def _delay(server: int, milliseconds: int) -> Iterator[int]:
    """Run a proxy in front of a server, and yield its port."""
    port = find_free_port()
    with run_server([sys.executable, str(PROXY), str(port), str(server), str(milliseconds)], port):
        yield port
