# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Send notifications of runs.

A notification that cannot be sent never fails a run. The reason is returned as a sentence, in which the address is
redacted.
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
# ntfy turns a message of more than 4096 bytes into an attachment.
NTFY_BYTES = 4000
PING_LENGTH = 10000
NTFY_LOOKS = {
    "failed": (4, "rotating_light"),
    "overdue": (4, "hourglass"),
    "problem": (4, "warning"),
    "recovered": (3, "white_check_mark"),
}
PING_ENDS = {"started": "/start", "succeeded": "", "failed": "/fail"}


def send(
    target: Target, event: Event, sendmail: str = SENDMAIL, systemctl: str = "systemctl", real_host: bool = True
) -> List[str]:
    """Send ``event`` if ``target`` takes events of its kind. Return a sentence if that failed, else an empty list.

    Without ``real_host``, no unit is started.
    """
    if event.kind not in target.takes:
        return []
    if target.kind == "mail":
        return _report_problem(target, _run([sendmail, "-oi", "-t"], _build_mail(target.address, event)))
    if target.kind == "unit":
        # The task is the instance of a template unit, so that the unit knows which task failed.
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
    return [f"Cannot send the notification to {redact_target(target)}: {problem}."] if problem else []


def _build_webhook(event: Event) -> Dict[str, Any]:
    """Return the event as JSON. Slack, Mattermost and others show ``text``, Discord shows the shorter ``content``."""
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
    """Return the event as a mail. It has no From: the host's mail system sets the sender's address."""
    message = EmailMessage()
    message["To"] = recipients
    message["Subject"] = " ".join(event.headline.split())
    message["Auto-Submitted"] = "auto-generated"
    message["X-Cloudsync-Host"] = " ".join(socket.gethostname().split())
    message.set_content(f"{event.headline}.\n\n{event.text}\n")
    return message.as_bytes()


def _run(argv: List[str], content: bytes = b"") -> str:
    """Run a program. Return the problem, "" on success."""
    try:
        done = run_tool(argv, COMMAND_SECONDS, content, {"HOME": os.path.expanduser("~")})
    except ToolError as error:
        if error.missing:
            remedy = ". Install a mail transport agent, such as msmtp-mta or postfix" if "-t" in argv else ""
            return f"{argv[0]} does not exist{remedy}"
        return error.message.rstrip(".")
    if done.exit_code != 0:
        output = (done.stderr.strip() or done.stdout.strip()).splitlines() or ["no output"]
        return f"{argv[0]} failed with exit code {done.exit_code}: {output[-1]}"
    return ""
