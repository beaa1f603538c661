# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Notices of runs: when they are due, what they say, and sending them.

A notice that can't be sent never fails a run: the reason comes back as a sentence, in which an address is only shown
as redact_target() has it.
"""

from __future__ import annotations

import json
import os
import socket
from dataclasses import asdict
from email.message import EmailMessage
from typing import Any, Dict, List
from urllib.parse import urlsplit

from ..common.http import post
from ..common.processes import ToolError, run_tool
from .events import Event
from .targets import Target, redact_target, split_login

COMMAND_SECONDS = 60
SENDMAIL = "/usr/sbin/sendmail"
# ntfy makes an attachment of more than 4096 bytes.
NTFY_BYTES = 4000
PING_LENGTH = 10000
NTFY_LOOKS = {"failed": (4, "rotating_light"), "overdue": (4, "hourglass"), "recovered": (3, "white_check_mark")}
PING_ENDS = {"started": "/start", "succeeded": "", "failed": "/fail"}


def send(
    target: Target, event: Event, sendmail: str = SENDMAIL, systemctl: str = "systemctl", real_host: bool = True
) -> List[str]:
    """Send ``event``, if ``target`` is for events of its kind; a sentence if that failed, else nothing.

    Without ``real_host`` no unit is started.
    """
    if event.kind not in target.takes:
        return []
    if target.kind == "mail":
        return _report_problem(target, _run([sendmail, "-oi", "-t"], _build_mail(target.address, event)))
    if target.kind == "unit":
        # A template gets the task as its instance, or it could not know what failed.
        unit = target.address.replace("@.", f"@{event.task}.")
        return _report_problem(target, _run([systemctl, "start", "--no-block", unit]) if real_host else "")
    url, user, password = split_login(target.address)
    if target.kind == "healthchecks":
        parts = urlsplit(url)
        url = parts._replace(path=parts.path.rstrip("/") + PING_ENDS[event.kind]).geturl()
        body = f"{event.headline}\n{event.text}"[:PING_LENGTH].encode()
        return _report_problem(target, post(url, body, "text/plain; charset=utf-8", user, password))
    if target.kind == "ntfy":
        parts = urlsplit(url)
        base, _slash, topic = parts.path.rstrip("/").rpartition("/")
        url = parts._replace(path=base + "/").geturl()
        return _report_problem(
            target, post(url, _encode_json(_build_ntfy(topic, event)), "application/json", user, password)
        )
    return _report_problem(target, post(url, _encode_json(_build_webhook(event)), "application/json", user, password))


def _report_problem(target: Target, problem: str) -> List[str]:
    return [f"The notice to {redact_target(target)} could not be sent: {problem}."] if problem else []


def _build_webhook(event: Event) -> Dict[str, Any]:
    """``text`` is what Slack, Mattermost and their like show, ``content`` what Discord shows (2000 letters at most)."""
    content = asdict(event)
    content["event"] = content.pop("kind")
    content["text"] = f"{event.headline}\n{event.text}"
    content["content"] = content["text"][:1990]
    return content


def _build_ntfy(topic: str, event: Event) -> Dict[str, Any]:
    priority, tag = NTFY_LOOKS[event.kind]
    return {
        "topic": topic,
        "title": event.headline,
        "message": event.text.encode()[:NTFY_BYTES].decode("utf-8", "ignore"),
        "priority": priority,
        "tags": [tag],
    }


def _encode_json(content: Dict[str, Any]) -> bytes:
    return json.dumps(content).encode()


def _build_mail(recipients: str, event: Event) -> bytes:
    """No From: the host's mail system knows the address that it may send from."""
    message = EmailMessage()
    message["To"] = recipients
    message["Subject"] = " ".join(event.headline.split())
    message["Auto-Submitted"] = "auto-generated"
    message["X-Cloudsync-Host"] = " ".join(socket.gethostname().split())
    message.set_content(f"{event.headline}.\n\n{event.text}\n")
    return message.as_bytes()


def _run(argv: List[str], content: bytes = b"") -> str:
    """Run a program; what went wrong, "" if nothing did."""
    try:
        done = run_tool(argv, COMMAND_SECONDS, content, {"HOME": os.path.expanduser("~")})
    except ToolError as error:
        if error.missing:
            remedy = "; install a mail transport, msmtp-mta or postfix for example" if "-t" in argv else ""
            return f"there is no {argv[0]}{remedy}"
        return error.message.rstrip(".")
    if done.exit_code != 0:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines() or ["it said nothing"]
        return f"{argv[0]} failed with exit code {done.exit_code}: {said[-1]}"
    return ""
