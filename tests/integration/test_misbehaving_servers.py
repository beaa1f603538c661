# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A server that misbehaves ends a run in bounded time with the right reason, and the next run succeeds."""

from __future__ import annotations

import json
import time

import pytest
from harness import read_tree, s3_credential, write_tree
from misbehaving import Proxy, answer, close, cut, drip, hang, misbehaving, page, shorten

FILES = {"a.txt": b"alpha", "big.bin": b"0123456789abcdef" * 2**16, "z.txt": b"omega"}
STALE = {"stale.txt": b"only the destination has it"}
SKEW = [("Date", "Mon, 01 Jan 2001 00:00:00 GMT")]
# More than rclone needs to see an error, and to try again.
BOUND = 40


def on_objects(request):
    return request.is_object() and "canary" not in request.path


def on_big(request):
    return request.is_object() and "big.bin" in request.path


def on_all(_request):
    return True


CASES = {
    "hangs at once": (hang, on_all, "stalled", "made no progress for 4 s"),
    "hangs in the transfer": (hang, on_big, "network", "timed out"),
    "is slow": (drip, on_big, "", ""),
    "resets the connection in a file": (cut, on_big, "network", "Cannot reach the provider"),
    "closes connections": (close, on_objects, "network", "Cannot reach the provider"),
    "announces a wrong length": (shorten, on_big, "network", "Cannot reach the provider"),
    "has an internal error": (answer(500, "InternalError"), on_objects, "network", "temporary error"),
    "asks to slow down": (answer(503, "SlowDown"), on_objects, "network", "temporary error"),
    "refuses the login midway": (answer(403, "AccessDenied"), on_big, "auth", "big.bin"),
    "answers with a web page": (page, on_all, "network", "web page"),
    "redirects": (answer(301, "PermanentRedirect"), on_all, "usage", "region and endpoint"),
    "has another time": (answer(403, "RequestTimeTooSkewed", "no", SKEW), on_all, "auth", "Set the clock"),
    "accepts no more data": (answer(403, "QuotaExceeded"), on_big, "quota", "a limit of the account is reached"),
    "has lost the bucket": (answer(404, "NoSuchBucket"), on_all, "not_found", ""),
    "loses the bucket in the transfer": (answer(404, "NoSuchBucket"), on_objects, "not_found", ""),
}


@pytest.mark.parametrize("case", CASES)
def test_a_server_that(case, machine, s3_server, bucket, reliability):
    misbehave, strikes, reason, said = CASES[case]
    local, remote, back = machine.data / "push", bucket / "push", machine.data / "pull"
    write_tree(local, FILES)
    write_tree(bucket / "pull", FILES)
    write_tree(remote, STALE)
    write_tree(back, STALE)
    proxy = Proxy(misbehave, strikes)
    with misbehaving(proxy, s3_server[0]) as port:
        common = {
            "credential": "store",
            "mode": "sync",
            "retries": 0,
            "limits": {"max_stall": 4 if reason == "stalled" else 12},
        }
        common.update(rclone_args=["--low-level-retries=1"], guards={"max_delete": "100%"})
        push = {"name": "push", "direction": "push", "path": str(local), "remote_path": f"{bucket.name}/push"}
        pull = {"name": "pull", "direction": "pull", "path": str(back), "remote_path": f"{bucket.name}/pull"}
        machine.declare([s3_credential(port)], [{**push, **common}, {**pull, **common}])
        began = time.monotonic()
        runs = [machine.start(name) for name in ("push", "pull")]
        records = [json.loads(run.communicate(timeout=2 * BOUND)[0]) for run in runs]
        took = time.monotonic() - began
        assert took < BOUND
        # rclone reports a connection that hangs after half of max_stall, and tries again: whichever comes first.
        wanted = {reason, "stalled"} if misbehave is hang else {reason}
        assert {record["reason"] for record in records} <= wanted
        if reason:
            assert all(said in record["message"] for record in records if record["reason"] == reason), records
            for folder in (remote, back):
                found = read_tree(folder)
                assert STALE.items() <= found.items()
                assert all(FILES.get(name, content) == content for name, content in found.items())
            assert read_tree(local) == read_tree(bucket / "pull") == FILES
        proxy.heal()
        for name in ("push", "pull"):
            machine.run(name)
    assert read_tree(remote) == read_tree(back) == FILES
    reliability.add(f"The server {case}.", records[0], heard="record, notification, check")
