# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Answers of a fleet that does not exist, as hosts give them to the report. The same numbers give the same fleet."""

from __future__ import annotations

import datetime
import random

NAMES = ["documents", "photos", "mail", "postgres", "www", "media", "home", "etc", "git", "wiki", "videos", "logs"]
NAMES += ["minio", "vm-images", "archive", "scans", "invoices", "projects", "music", "registry"]
ACCOUNTS = [("offsite", "s3 s3.example.net:443"), ("archive", "b2"), ("nas", "sftp nas.example.net:22 user=backup")]
FAILURES = {
    "auth": "The provider refused the login: InvalidAccessKeyId. Check the credential.",
    "network": "Cannot reach the provider at s3.example.net:443 (connection refused). The next run tries again.",
    "empty_source": "The source contains no files that match the task's filters. A sync would delete everything.",
    "max_delete": "The run would delete 1203 of 2210 files. Nothing was changed.",
    "quota": "The account is full.",
}
HOUR, DAY = datetime.timedelta(hours=1), datetime.timedelta(days=1)
BAD = 0.02


def build(hosts, tasks, runs, now, seed=1):
    """Return the answers of ``hosts`` hosts. Some of their tasks fail, are overdue, active or disabled."""
    chance = random.Random(seed)
    names = [f"web{number:03}.example.net" for number in range(1, hosts + 1)]
    return {name: {"tasks": [_Task(chance, place, runs, now).answer(name) for place in range(tasks)]} for name in names}


def _iso(moment):
    return moment.isoformat()


class _Task:
    def __init__(self, chance, place, runs, now):
        self.chance, self.now = chance, now
        self.name = NAMES[place % len(NAMES)]
        self.credential, self.account = ACCOUNTS[place % 3]
        self.is_daily = place % 7 != 3
        self.step = DAY if self.is_daily else HOUR
        self.last = now.replace(hour=2 if self.is_daily else now.hour, minute=chance.choice([0, 0, 0, 30]), second=0)
        if self.last >= now:
            self.last -= self.step
        self.reason = chance.choice(list(FAILURES)) if chance.random() < BAD else ""
        self.runs = self._past(runs)

    def _past(self, count):
        """Return the runs, newest first. A task that fails has failed some times."""
        failing = self.chance.randrange(1, 9) if self.reason else 0
        size, seconds = 10 ** self.chance.uniform(4, 10), 10 ** self.chance.uniform(0.5, 3)
        runs = []
        for number in range(count):
            reason = self.reason if number < failing else "network" if number and self.chance.random() < 0.01 else ""
            started = self.last - number * self.step + datetime.timedelta(seconds=self.chance.randrange(60))
            took = 1 + int(seconds * self.chance.uniform(0.7, 1.3))
            moved = 0 if reason else int(size * self.chance.uniform(0.3, 2))
            runs.append(["failed" if reason else "success", reason, _iso(started), took, moved])
        return runs

    def answer(self, host):
        state, reason, started, took, moved = self.runs[0]
        ended = _iso(datetime.datetime.fromisoformat(started) + datetime.timedelta(seconds=took))
        files, is_active = self.chance.randrange(1, 4000), not reason and self.chance.random() < 0.005
        log = f"/var/log/cloudsync/{self.name}/{started}-{self.chance.randrange(16**6):06x}.log"
        counts = {"bytes": moved, "transfers": files, "deletes": self.chance.randrange(4), "errors": int(bool(reason))}
        coming = [_iso(self.last + number * self.step) for number in range(1, 25)][: 1 if self.is_daily else 24]
        overdue = _iso(self.now - 5 * HOUR) if self.chance.random() < 0.003 else None
        status = {
            "task": self.name,
            "enabled": bool(reason) or self.chance.random() > 0.02,
            "state": "running" if is_active else state,
            "reason": reason,
            "message": FAILURES.get(reason) or f"{files} files transferred ({moved / 2**20:.1f} MiB).",
            "direction": "push",
            "mode": "copy" if self.name in ("archive", "photos") else "sync",
            "credential": self.credential,
            "path": f"/srv/{self.name}",
            "remote_path": f"backup/{host}/{self.name}",
            "schedule_text": "At 02:00 every day, Etc/UTC" if self.is_daily else "Every hour, Etc/UTC",
            "run": {"started": started, "ended": "" if is_active else ended, "log": log, **counts},
            "progress": {**counts, "bytes": 500, "total_bytes": 1200} if is_active else None,
            "next": coming[0],
            "overdue_since": overdue,
            "stalled_since": None,
            "drill": self._drill(),
        }
        return {
            "name": self.name,
            "description": "",
            "shard": None,
            "status": status,
            "report": self._report(coming, started),
        }

    def _drill(self):
        if self.name not in ("documents", "postgres"):
            return None
        proven = _iso(self.now - self.chance.randrange(1, 40) * DAY)
        return {"task": f"drill-{self.name}", "state": "success", "last_proven": proven}

    def _report(self, coming, started):
        failed = [run for run in self.runs if run[1] == self.reason] if self.reason else []
        success = next((run for run in self.runs if run[0] == "success"), None)
        lines = ["task starts", f"ERROR : {FAILURES[self.reason]}", f"failed ({self.reason})"] if self.reason else []
        return {
            "account": self.account,
            "last_success": success and _iso(_end(success)),
            "failing_since": failed[-1][2] if failed else None,
            "runs": self.runs,
            "starts": coming,
            "log": [f"{started} {line}" for line in lines],
        }


def _end(run):
    return datetime.datetime.fromisoformat(run[2]) + datetime.timedelta(seconds=run[3])
