# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import email
import email.policy
import http.server
import json
import threading

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common import http as notify_http
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.errors import CloudsyncError
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.notify import events, targets
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.notify import send as notify

SECRET = "T0pS3cr3tT0ken"
FAILED = notify.Event(
    "failed", "nightly", "web1", "R1", "failed", "network", "The server of ü can't be reached.", ("one", "two")
)


@pytest.fixture(autouse=True)
def quick_and_direct(monkeypatch):
    monkeypatch.setattr(notify_http, "PAUSE_SECONDS", 0)
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


class Server:
    """An HTTP server on loopback that answers with each of ``answers``, then with 200."""

    def __init__(self):
        self.seen = []
        self.answers = []
        seen, answers = self.seen, self.answers

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                seen.append((self.command, self.path, dict(self.headers), body))
                self.send_response(answers.pop(0) if answers else 200)
                self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_GET = do_POST  # noqa: N815

            def log_message(self, *_args):
                pass

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self.http.server_address[1]}"
        threading.Thread(target=self.http.serve_forever, args=(0.01,), daemon=True).start()


@pytest.fixture
def server():
    made = Server()
    yield made
    made.http.shutdown()
    made.http.server_close()


def send(text, event=FAILED, **options):
    return notify.send(targets.parse_target(text), event, **options)


@pytest.mark.parametrize(
    "text, kind, public",
    [
        ("mailto:ops@example.com", "mail", "mailto:ops@example.com"),
        ("mailto:a@example.com,b@example.org", "mail", "mailto:a@example.com,b@example.org"),
        ("https://hooks.example.com/services/" + SECRET, "webhook", "https://hooks.example.com"),
        ("http://u:" + SECRET + "@h.example.com:8080/x?k=" + SECRET, "webhook", "http://h.example.com:8080"),
        ("HTTPS://[::1]:99/" + SECRET, "webhook", "https://[::1]:99"),
        ("ntfy+https://:" + SECRET + "@ntfy.sh/" + SECRET, "ntfy", "ntfy+https://ntfy.sh"),
        ("healthchecks+https://hc-ping.com/" + SECRET, "healthchecks", "healthchecks+https://hc-ping.com"),
        ("unit:alert@.service", "unit", "unit:alert@.service"),
    ],
)
def test_targets_are_parsed_and_shown_without_secrets(text, kind, public):
    target = targets.parse_target(text)
    assert target.kind == kind
    assert targets.redact_target(target) == public
    assert SECRET not in repr(target)
    assert targets.redact_text(text) == public


@pytest.mark.parametrize(
    "text, words",
    [
        (SECRET, "has no scheme"),
        ("ftp://x/" + SECRET, "has the unknown scheme 'ftp'"),
        (SECRET + "://x", "has an invalid scheme"),
        ("mailto:" + SECRET, "not an e-mail address"),
        ("mailto:a@example.com\nBcc: b@example.com", "not an e-mail address"),
        ("https:hooks.example.com/" + SECRET, "is not a web address"),
        ("https:///" + SECRET, "is not a web address"),
        ("https://h:99999/" + SECRET, "is not a web address"),
        ("https://h:0/" + SECRET, "is not a web address"),
        ("https://[::1/" + SECRET, "is not a web address"),
        ("https://h/" + SECRET + " x", "blanks"),
        ("https://h/\r\nX: " + SECRET, "is not a web address"),
        ("https://h/\u00fc" + SECRET, "non-ASCII letters as %XX"),
        ("ntfy+https://ntfy.sh", "Add the topic after the host"),
        ("healthchecks+https://hc-ping.com/", "Add the check's UUID after the host"),
        ("unit:alert", "is not a unit. Use the name of a .service"),
        ("unit:--now.service", "is not a unit. Use the name of a .service"),
        ("unit:../x.service", "is not a unit. Use the name of a .service"),
    ],
)
def test_the_error_for_an_invalid_target_does_not_show_it(text, words):
    with pytest.raises(CloudsyncError) as caught:
        targets.parse_target(text)
    assert caught.value.reason == "usage"
    assert words in caught.value.message
    assert SECRET.lower() not in caught.value.message.lower()
    assert targets.redact_text(text) == "an invalid target"


def told(history, reason=""):
    """Return the alerts for a series of run states."""
    heard, done = [], []
    for state in history:
        state, _colon, reason = state.partition(":")
        heard.append(" ".join(events.select_events(events.find_last_alarm(done), state, reason)))
        done.insert(0, (state, reason))
    return heard


def test_alerts_are_sent_once_per_change_until_a_run_succeeds():
    assert told(["success", "failed", "failed", "success", "success", "failed"]) == [
        "",
        "failed",
        "",
        "recovered",
        "",
        "failed",
    ]


def test_the_first_run_sends_an_alert_only_if_it_fails():
    assert told(["success"]) == [""]
    assert told(["failed"]) == ["failed"]


def test_a_stopped_or_skipped_run_changes_no_alarm():
    assert told(["failed", "aborted:stopped", "skipped:locked", "failed", "aborted:stopped", "success"]) == [
        "failed",
        "",
        "",
        "",
        "",
        "recovered",
    ]
    assert told(["success", "aborted:stopped", "success"]) == ["", "", ""]


def test_a_killed_run_is_treated_as_failed():
    assert told(["success", "aborted:interrupted", "failed", "success"]) == ["", "failed", "", "recovered"]


def test_an_overdue_task_sends_one_alert_and_recovers():
    assert events.select_events("success", "overdue") == ["overdue"]
    assert events.select_events("overdue", "overdue") == []
    assert events.select_events("overdue", "success") == ["recovered"]
    assert events.select_events("overdue", "failed") == ["failed"]
    assert events.select_events("failed", "overdue") == ["overdue"]


def test_a_ping_is_sent_for_every_run():
    assert events.select_events("failed", "running", pings=True) == ["started"]
    assert events.select_events("success", "success", pings=True) == ["succeeded"]
    assert events.select_events("failed", "failed", pings=True) == ["failed"]
    assert events.select_events("success", "aborted", "interrupted", pings=True) == ["failed"]
    assert events.select_events("success", "aborted", "stopped", pings=True) == []
    assert events.select_events("success", "running") == []


def test_a_webhook_gets_the_event_as_json(server):
    assert send(f"http://{server.host}/hook?key={SECRET}") == []
    method, path, headers, body = server.seen[0]
    assert (method, path) == ("POST", "/hook?key=" + SECRET)
    assert headers["Content-Type"] == "application/json"
    content = json.loads(body.decode())
    assert content["event"] == "failed"
    assert content["task"] == "nightly"
    assert content["host"] == "web1"
    assert content["run_id"] == "R1"
    assert content["reason"] == "network"
    assert content["message"] == "The server of ü can't be reached."
    assert content["last_lines"] == ["one", "two"]
    assert content["text"].startswith("Cloud sync task nightly failed on web1\n")
    assert "two" in content["text"]


def test_a_login_in_the_address_is_sent_as_a_header(server):
    assert send(f"http://me:p%40ss@{server.host}/hook") == []
    assert server.seen[0][2]["Authorization"] == "Basic " + base64.b64encode(b"me:p@ss").decode()
    assert server.seen[0][2]["Host"] == server.host


def test_ntfy_gets_title_text_and_priority(server):
    assert send(f"ntfy+http://:tk_abc@{server.host}/sub/mytopic") == []
    _method, path, headers, body = server.seen[0]
    assert path == "/sub/"
    assert headers["Authorization"] == "Basic " + base64.b64encode(b":tk_abc").decode()
    content = json.loads(body.decode())
    assert content["topic"] == "mytopic"
    assert content["title"] == "Cloud sync task nightly failed on web1"
    assert content["priority"] == 4
    assert "reason: network" in content["message"]


def test_an_ntfy_message_is_shorter_than_an_attachment(server):
    long = notify.Event("failed", "t", "h", message="\u00fc" * 9000)
    assert send(f"ntfy+http://{server.host}/topic", long) == []
    assert len(json.loads(server.seen[0][3].decode())["message"].encode()) <= 4096


@pytest.mark.parametrize(
    "kind, path", [("started", "/ping/uuid/start"), ("succeeded", "/ping/uuid"), ("failed", "/ping/uuid/fail")]
)
def test_healthchecks_gets_start_success_and_fail(server, kind, path):
    event = notify.Event(kind, "nightly", "web1", "R1", message="what happened")
    assert send(f"healthchecks+http://{server.host}/ping/uuid/", event) == []
    assert server.seen[0][:2] == ("POST", path)
    assert b"what happened" in server.seen[0][3]


def test_each_target_gets_only_its_kinds_of_events(server):
    recovered = notify.Event("recovered", "t", "h")
    started = notify.Event("started", "t", "h")
    assert send(f"healthchecks+http://{server.host}/uuid", recovered) == []
    assert send(f"http://{server.host}/hook", started) == []
    assert send("unit:alert.service", recovered, systemctl="/bin/false") == []
    assert server.seen == []


def test_a_server_error_is_retried_once(server):
    server.answers[:] = [503]
    assert send(f"http://{server.host}/x") == []
    assert len(server.seen) == 2


def test_a_failing_server_is_reported_without_the_address(server):
    server.answers[:] = [500, 500, 500]
    problems = send(f"http://{server.host}/{SECRET}")
    assert problems == [
        f"Cannot send the notification to http://{server.host}: the server answered HTTP 500 (Internal Server Error)."
    ]
    assert len(server.seen) == 2


def test_a_client_error_is_not_retried(server):
    server.answers[:] = [404]
    assert "HTTP 404 (Not Found)" in send(f"http://{server.host}/{SECRET}")[0]
    assert len(server.seen) == 1


def test_a_redirect_is_reported_as_an_error(server):
    server.answers[:] = [302]
    problems = send(f"http://{server.host}/{SECRET}")
    assert "redirects to another address (HTTP 302). Use the final address" in problems[0]
    assert SECRET not in problems[0]
    assert len(server.seen) == 1


def test_a_refused_connection_is_reported_without_the_address(server):
    server.http.shutdown()
    server.http.server_close()
    problems = send(f"https://u:{SECRET}@{server.host}/{SECRET}")
    assert len(problems) == 1
    assert "Connection refused" in problems[0]
    assert SECRET not in problems[0]


def test_a_server_without_tls_is_reported_without_the_address(server):
    problems = send(f"https://{server.host}/{SECRET}")
    assert "SSL" in problems[0]
    assert SECRET not in problems[0]


def test_a_request_to_a_silent_server_times_out(server, monkeypatch):
    monkeypatch.setattr(notify_http, "TIMEOUT_SECONDS", 0.2)
    silent = http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
    try:
        problems = send(f"http://127.0.0.1:{silent.server_address[1]}/{SECRET}")
    finally:
        silent.server_close()
    assert "no response within 0.2 s" in problems[0]
    assert SECRET not in problems[0]


@pytest.fixture
def program(tmp_path):
    """Return a program that saves its arguments and its input."""
    script = tmp_path / "program"

    def make(end="exit 0"):
        script.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/args\ncat > {tmp_path}/input\n{end}\n')
        script.chmod(0o755)
        return str(script)

    return make


def test_a_mail_is_sent_by_sendmail_with_all_facts(program, tmp_path):
    assert send("mailto:ops@example.com,b@example.org", sendmail=program()) == []
    assert (tmp_path / "args").read_text() == "-oi -t\n"
    raw = (tmp_path / "input").read_bytes()
    mail = email.message_from_bytes(raw, policy=email.policy.default)
    assert mail["To"] == "ops@example.com, b@example.org"
    assert mail["Subject"] == "Cloud sync task nightly failed on web1"
    assert mail["From"] is None
    assert mail["Auto-Submitted"] == "auto-generated"
    text = mail.get_content()
    for words in ("The server of ü can't be reached.", "run: R1", "reason: network", "one\ntwo"):
        assert words in text


def test_a_line_break_in_a_name_adds_no_header(program, tmp_path):
    assert send("mailto:a@example.com", notify.Event("failed", "t\nBcc: x@y.z", "h"), sendmail=program()) == []
    mail = email.message_from_bytes((tmp_path / "input").read_bytes())
    assert mail["Bcc"] is None


def test_a_failing_sendmail_is_reported_with_its_output(program):
    problems = send("mailto:ops@example.com", sendmail=program("echo no such mailbox >&2; exit 67"))
    assert len(problems) == 1
    assert "Cannot send the notification to mailto:ops@example.com: " in problems[0]
    assert problems[0].endswith("failed with exit code 67: no such mailbox.")


def test_a_sendmail_that_does_not_read_its_input_is_reported(tmp_path):
    problems = send(
        "mailto:ops@example.com", notify.Event("failed", "t", "h", message="x" * 500000), sendmail="/bin/false"
    )
    assert "/bin/false failed with exit code 1" in problems[0]


def test_the_error_for_a_missing_sendmail_says_what_to_install():
    problems = send("mailto:ops@example.com", sendmail="/no/sendmail")
    assert "/no/sendmail does not exist. Install a mail transport agent, such as msmtp-mta or postfix" in problems[0]


def test_a_unit_is_started_and_a_template_gets_the_task(program, tmp_path):
    assert send("unit:alert@.service", systemctl=program()) == []
    assert (tmp_path / "args").read_text() == "start --no-block alert@nightly.service\n"
    assert send("unit:alert@ops.service", systemctl=program()) == []
    assert (tmp_path / "args").read_text() == "start --no-block alert@ops.service\n"


def test_no_unit_is_started_under_another_root(program, tmp_path):
    assert send("unit:alert.service", systemctl=program(), real_host=False) == []
    assert not (tmp_path / "args").exists()
