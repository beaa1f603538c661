# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import pathlib
import re
from urllib.parse import quote

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.errors import REASONS
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.rclone.error_text import (
    find_main_problem,
    redact,
    unwrap,
)
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.rclone.log_lines import (
    Message,
    Stats,
    parse_line,
    parse_problems,
    remember,
)
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.rclone.outcome import (
    SYMPTOMS,
    Finished,
    classify,
    format_size,
    needs_probe,
)
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.rclone.symptoms import PLACE

RECORDED = pathlib.Path(__file__).parents[4] / "recorded" / "runs.json"
with open(RECORDED, encoding="utf-8") as stream:
    RUNS = json.load(stream)

# What each recorded run means; one of a version where the versions differ.
MEANINGS = {
    "dry_run_sync": "",
    "sync": "",
    "move": "",
    "backup_dir": "",
    "error_on_no_transfer": "",
    "source_missing": "not_found",
    "bucket_missing": "not_found",
    "dav_dir_missing": "not_found",
    "max_delete": "max_delete",
    "max_delete_dry_run": "max_delete",
    "unreadable": "deletions_suppressed",
    "immutable": "deletions_suppressed",
    "file_over_dir": "deletions_suppressed",
    "dangling": "deletions_suppressed",
    "dest_readonly": "other",
    "auth_s3bad 1.75.2": "other",
    "auth_s3bad 1.60.1": "auth",
    "auth_davbad": "auth",
    "auth_sftpbad": "auth",
    "auth_ftpbad": "auth",
    "auth_list_s3bad": "auth",
    "auth_pull_s3bad": "auth",
    "refused_s3 1.75.2": "other",
    "refused_s3 1.60.1": "network",
    "refused_sftp": "network",
    "dns": "network",
    "wrong_password 1.75.2": "undecryptable",
    # 1.60 says nothing and deletes: only the canary and the names guard against it.
    "wrong_password 1.60.1": "",
    "wrong_content_key 1.75.2": "undecryptable",
    "wrong_content_key 1.60.1": "network",
    "bad_flag": "usage",
    "bad_bwlimit": "usage",
    "missing_argument": "usage",
    "unknown_remote": "usage",
    "backup_overlap": "usage",
    "plain_password": "usage",
    "push_to_http": "other",
    "max_transfer": "max_duration",
    "max_duration": "max_duration",
    "disk_full": "disk_full",
    "sigterm": "interrupted",
    "sigint": "interrupted",
    "sigkill": "interrupted",
    "invalid_grant": "auth",
    "invalid_client": "auth",
    "no_refresh_token": "auth",
    "empty_token": "auth",
    "broken_service_account": "auth",
    "invalid_grant_list": "auth",
    "webdav_507": "quota",
    "webdav_403": "auth",
    "webdav_503": "network",
    "tls_unknown": "network",
    "s3_access_denied": "auth",
    "s3_quota": "quota",
    "s3_unknown_key": "auth",
    "s3_storage_full": "quota",
    "s3_skewed": "auth",
    "s3_slow_down": "network",
    "host_key_changed": "auth",
    "host_key_unknown": "auth",
    "azure_bad_key": "auth",
    "glacier_pull": "archived_object",
}


def finished(run):
    stats, problems = None, []
    for line in run["stderr"]:
        parsed = parse_line(line)
        if isinstance(parsed, Stats):
            stats = parsed
        elif isinstance(parsed, Message):
            remember(problems, parsed)
    return Finished(run["exit_code"], stats=stats, errors=tuple(problems))


def recorded(name, version="1.75.2"):
    return next(run for run in RUNS if (run["name"], run["version"]) == (name, version))


def find_sentence(stderr):
    """Return the shortened sentence that names the cause."""
    problem = find_main_problem(parse_problems(stderr))
    return unwrap(problem.text) if problem else ""


def failed(text, path="", exit_code=1):
    return Finished(exit_code, errors=(Message("error", text, path),))


@pytest.mark.parametrize("run", RUNS, ids=[f"{run['name']}-{run['version']}" for run in RUNS])
def test_a_recorded_run_is_understood(run):
    wanted = MEANINGS.get(run["name"], MEANINGS.get(f"{run['name']} {run['version']}"))
    outcome = classify(finished(run))

    assert outcome.reason == wanted
    assert outcome.state == ("failed" if wanted else "success")
    assert outcome.message.endswith(".")
    assert "\n" not in outcome.message
    assert outcome.reason in REASONS | {""}


@pytest.mark.parametrize("run", RUNS, ids=[f"{run['name']}-{run['version']}" for run in RUNS])
def test_the_message_of_a_recorded_run_is_plain(run):
    message = classify(finished(run)).message
    assert ";" not in message
    assert not re.search(r"https?://|\bdial\b|StatusCode|RequestID|\.partial|\.cloudsync-|Attempt \d|HostID", message)
    for sentence in re.split(r"(?<=[.?]) ", message):
        assert len(sentence.split()) <= 25, sentence
    # rclone's own words come last.
    assert "rclone reported: " not in message or re.search(r"[.] rclone reported: [^.]+\.\Z", message)


@pytest.mark.parametrize(
    "name, version, message",
    [
        (
            "refused_s3",
            "1.60.1",
            "Cannot reach the provider at 127.0.0.1:15999 (connection refused). Check the endpoint, the network and "
            "the provider's status. The next run tries again.",
        ),
        (
            "dns",
            "1.75.2",
            "Cannot reach the provider at nowhere.invalid (no such host). Check the endpoint, the network and the "
            "provider's status. The next run tries again.",
        ),
        (
            "s3_access_denied",
            "1.75.2",
            "The provider refused the login, or the account has no permission for this operation (access denied). "
            "Files: same, d/b, a. Check the credential with 'cloudsync verify', and the permissions of its key for "
            "this remote path.",
        ),
        (
            "tls_unknown",
            "1.75.2",
            "Cannot verify the TLS certificate of the provider at 127.0.0.1:16020 (certificate is for another "
            "address). Check the endpoint in the credential. If a private authority issued the certificate, install "
            "the authority's certificate on this host.",
        ),
        ("bad_flag", "1.75.2", "rclone rejected the task's options: unknown flag --no-such-flag. Check rclone_args."),
        (
            "bad_bwlimit",
            "1.60.1",
            'rclone rejected the task\'s options: invalid value "8:00,1M" for --bwlimit. Check rclone_args.',
        ),
        (
            "webdav_503",
            "1.60.1",
            "The transfer failed with a temporary error: 503 Service Unavailable. It is retried at the next scheduled "
            "run.",
        ),
        (
            "unreadable",
            "1.60.1",
            "Some files could not be transferred (permission denied), so nothing was deleted at the destination. "
            "Files: a. Correct the cause or exclude these files. If they change all the time, use a snapshot.",
        ),
        (
            "file_over_dir",
            "1.75.2",
            "Some files could not be transferred, so nothing was deleted at the destination. Files: a. Correct the "
            "cause or exclude these files. If they change all the time, use a snapshot. rclone reported: can't move "
            "object - incompatible remotes.",
        ),
        (
            "invalid_grant",
            "1.60.1",
            "The provider at 127.0.0.1:16099 no longer accepts the credential's OAuth token (invalid_grant). Log in "
            "again with the playbook authorize, or with 'rclone authorize' on a machine with a browser. Then put the "
            "new token into the credential.",
        ),
        ("sync", "1.75.2", "2 files transferred (9 B), 3 files deleted."),
    ],
)
def test_a_recorded_run_gives_this_message(name, version, message):
    assert classify(finished(recorded(name, version))).message == message


def test_a_server_that_is_down_is_named_and_our_canary_is_not():
    text = (
        ".cloudsync-canary: --files-from failed to read file: operation error S3: HeadObject, exceeded maximum number "
        "of attempts, 10, https response error StatusCode: 0, RequestID: , HostID: , request send failed, Head "
        '"http://127.0.0.1:18733/bkt/p/.cloudsync-canary": dial tcp 127.0.0.1:18733: connect: connection refused'
    )
    assert classify(failed(text)).message == (
        "Cannot reach the provider at 127.0.0.1:18733 (connection refused). Check the endpoint, the network and the "
        "provider's status. The next run tries again."
    )


@pytest.mark.parametrize("name", [".cloudsync-canary", "deep/.cloudsync-owner"])
def test_our_own_files_are_never_named(name):
    message = classify(failed(f"Failed to copy: open /data/{name}: something new", name)).message
    assert message == (
        "rclone failed with exit code 1. Read the log of the run for the details. rclone reported: open a file of "
        "cloudsync: something new."
    )


def test_a_temporary_file_has_the_name_of_the_users_file():
    message = classify(failed("Failed to copy: open /data/a.89df4b5c.partial: something new", "a")).message
    assert message == (
        "rclone failed with exit code 1. Files: a. Read the log of the run for the details. rclone reported: open "
        "/data/a: something new."
    )


def test_a_proxy_that_is_down_is_not_taken_for_the_provider():
    text = 'Get "https://b.example/x": proxyconnect tcp: dial tcp 192.0.2.1:3128: connect: connection refused'
    assert classify(failed("Failed to copy: " + text)).message.startswith(
        "Cannot reach the proxy at 192.0.2.1:3128 (connection refused)."
    )


def test_a_stop_that_was_asked_for_is_no_failure_whatever_rclone_answers():
    for exit_code in (0, 1, -15, 143):
        assert classify(Finished(exit_code, stopped=True)).state == "aborted"
    assert classify(Finished(-15, stopped=True)).reason == "stopped"


def test_time_over_is_said_with_what_was_done():
    outcome = classify(Finished(-15, timed_out=True, stats=Stats(transfers=1, bytes=2048)))
    assert (outcome.state, outcome.reason) == ("failed", "max_duration")
    assert "1 file transferred (2.0 KiB)" in outcome.message


def test_a_success_counts():
    message = classify(Finished(0, stats=Stats(transfers=2, bytes=3_500_000, deletes=1))).message
    assert message == "2 files transferred (3.3 MiB), 1 file deleted."
    assert classify(Finished(0, stats=Stats(checks=9))).message == "Nothing had to be transferred."


def test_an_error_that_a_retry_overcame_is_no_failure():
    run = Finished(0, stats=Stats(transfers=1), errors=(Message("error", "Failed to copy: i/o timeout", "a"),))
    assert classify(run).state == "success"


def test_names_that_were_skipped_because_they_do_not_decrypt_are_a_failure_even_with_exit_code_0():
    line = '{"level":"notice","msg":"Skipping undecryptable file name: bad PKCS#7 padding","object":"x"}'
    assert classify(Finished(0, errors=(parse_line(line),))).reason == "undecryptable"


def test_a_token_that_could_not_be_saved_is_said_after_a_success():
    message = Message("error", "Failed to save config after 10 tries: no")
    assert "could not save the refreshed token" in classify(Finished(0, errors=(message,))).message


def test_a_name_that_does_not_decrypt_is_found_in_the_text():
    error = (
        "error reading destination directory: there were 1 undecryptable name errors. first error: {0}: undecryptable"
    )
    message = Message("error", error.format("deep/x.txt") + " file name detected: not an encrypted file", "deep")
    assert "Files: deep/x.txt." in classify(Finished(1, errors=(message,))).message


def test_a_login_that_was_refused_to_a_listing_with_filters_is_found_by_one_without():
    run = failed("Failed to lsf: can't limit to single files when using filters: remote:b/d", "")
    assert needs_probe(run)
    assert classify(run, finished(recorded("auth_list_s3bad"))).reason == "auth"


@pytest.mark.parametrize("name", ["auth_s3bad", "refused_s3", "push_to_http"])
def test_a_cause_that_rclone_hides_is_found_by_a_listing(name):
    run = finished(recorded(name))
    assert needs_probe(run)

    probe = finished(recorded("auth_list_s3bad"))
    assert classify(run, probe).reason == "auth"
    assert not needs_probe(probe)
    assert classify(run, Finished(0)).reason == "usage"


def test_files_that_stop_the_deletions_are_named():
    message = classify(finished(recorded("unreadable"))).message
    assert "Files: a." in message
    assert "nothing was deleted" in message


@pytest.mark.parametrize("other", ["something nobody has seen before", "mkdir /data/d: permission denied"])
def test_the_time_of_a_folder_explains_a_run_only_if_nothing_else_does(other):
    times = [Message("error", "Failed to update directory timestamp or metadata: chtimes /data/d: no such file", "d")]
    times.append(Message("error", "Attempt 1/1 failed with 5 errors and: failed to set directory modtime: 2 errors"))
    times.append(Message("error", "not deleting files as there were IO errors", "Local file system at /data"))
    assert classify(Finished(1, errors=tuple(times))).message.startswith("The times of folders cannot be set")
    cause = Message("error", f"Failed to copy: {other}", "d/f")
    assert "times of folders" not in classify(Finished(1, errors=(cause, *times))).message


def test_only_the_first_of_many_files_are_named():
    errors = [Message("error", "Failed to copy: permission denied", f"f{n}") for n in range(8)]
    errors.append(Message("error", "not deleting files as there were IO errors", "Local file system at /data"))
    assert "Files: f0, f1, f2, f3, f4 and 3 more." in classify(Finished(1, errors=tuple(errors))).message


# Composed after rclone's source: no Dropbox account is at hand.
def test_dropboxs_restricted_files_are_named():
    errors = (
        Message("error", "Failed to copy: failed to open source object: path/restricted_content/.", "film.mkv"),
        Message("error", "not deleting files as there were IO errors", "Local file system at /data"),
        Message("error", "Can't retry any of the errors - not attempting retries"),
    )
    outcome = classify(Finished(6, errors=errors))
    assert outcome.reason == "restricted_content"
    assert "film.mkv" in outcome.message
    assert "Nothing was deleted at the destination." in outcome.message


def test_an_archived_object_comes_with_the_line_that_restores_it():
    message = classify(finished(recorded("glacier_pull"))).message
    assert "rclone backend restore 'REMOTE:arch/p' -o priority=Standard" in message

    one = 'Failed to copy: failed to open source object: Object in GLACIER, restore first: bucket="b", key="p/a"'
    assert "'REMOTE:b/p/a'" in classify(failed(one, "a")).message


@pytest.mark.parametrize(
    "text, reason",
    [
        ("googleapi: Error 403: The user's Drive storage quota has been exceeded., storageQuotaExceeded", "quota"),
        ("Failed to copy: path/insufficient_space/..", "quota"),
        ("Failed to copy: quotaLimitReached: Insufficient Space Available", "quota"),
        ("Failed to copy: write /data/x: no space left on device", "disk_full"),
        ("Failed to copy: write /data/x: disk quota exceeded", "disk_full"),
        ('Failed to copy: sftp: "Permission denied" (SSH_FX_PERMISSION_DENIED)', "auth"),
        ("Failed to copy: operation error S3: GetObject, api error InvalidObjectState: x", "archived_object"),
        ("Failed to copy: read tcp 10.0.0.1:1->10.0.0.2:2: read: connection reset by peer", "network"),
        ("Failed to copy: googleapi: got HTTP response code 401 with body: no", "auth"),
        ('Failed to create file system for "remote:b": Authorization Failed', "auth"),
        ("Failed to copy: failed to prepare upload: api error InvalidBucketName: no", "usage"),
        ("Failed to copy: api error BucketAlreadyExists: The requested bucket name is not available.", "usage"),
        ("Failed to copy: something nobody has seen before", "other"),
    ],
)
def test_providers_errors_have_a_reason(text, reason):
    assert classify(failed(text, "x")).reason == reason


@pytest.mark.parametrize(
    "name", ["report: 403 Forbidden.txt", "error 507.log", "no such host", "--max-delete threshold reached"]
)
def test_the_name_of_a_file_is_not_taken_for_the_cause(name):
    text = f"Failed to copy: open /data/{name}: input/output error"
    assert classify(failed(text, name)).reason == "other"


@pytest.mark.parametrize(
    "exit_code, reason",
    [(2, "usage"), (3, "not_found"), (4, "not_found"), (5, "network"), (8, "max_duration"), (10, "max_duration")],
)
def test_without_words_the_exit_code_decides(exit_code, reason):
    assert classify(Finished(exit_code)).reason == reason
    assert classify(Finished(9)).state == "success"
    assert classify(Finished(77)).reason == "other"


def test_a_kill_from_outside_is_told_from_a_stop():
    outcome = classify(Finished(-9))
    assert outcome.reason == "interrupted"
    assert "memory" in outcome.message
    assert "signal 15" in classify(Finished(143)).message


@pytest.mark.parametrize(
    "name, version, sentence",
    [
        (
            "s3_unknown_key",
            "1.75.2",
            "InvalidAccessKeyId: The AWS Access Key Id you provided does not exist in our records.",
        ),
        (
            "s3_unknown_key",
            "1.60.1",
            "InvalidAccessKeyId: The AWS Access Key Id you provided does not exist in our records.",
        ),
        ("azure_bad_key", "1.60.1", "failed to parse credentials: illegal base64 data at input byte 9"),
        ("bad_flag", "1.75.2", "unknown flag: --no-such-flag"),
        ("auth_davbad", "1.60.1", "401 Unauthorized: 401 Unauthorized"),
        ("refused_s3", "1.60.1", "dial tcp 127.0.0.1:15999: connect: connection refused"),
        ("invalid_grant", "1.75.2", "couldn't fetch token: invalid_grant"),
        ("unreadable", "1.75.2", "open src/a: permission denied"),
        ("max_delete", "1.75.2", "Got fatal error on delete: --max-delete threshold reached"),
        ("sync", "1.75.2", ""),
    ],
)
def test_a59_the_sentence_that_matters_is_found(name, version, sentence):
    assert find_sentence("\n".join(recorded(name, version)["stderr"])) == sentence


def test_azures_answer_is_its_sentence():
    text = (
        "HEAD https://a.example/c\n----\nRESPONSE 403: 403 Make sure.\nERROR CODE: AuthorizationFailure\n----\nNo body"
    )
    assert unwrap(text) == "AuthorizationFailure: Make sure."
    assert unwrap("RESPONSE 404: 404 The specified blob does not exist.") == "The specified blob does not exist."


@pytest.mark.parametrize(
    "stderr, sentence",
    [
        (
            "2026/01/31 02:30:04 ERROR : : error listing: InvalidAccessKeyId: The AWS Access Key Id you provided does "
            "not exist in our records.\n\tstatus code: 403, request id: 0123456789ABCDEF, host id: abc+def=\n"
            "2026/01/31 02:30:04 Failed to lsjson with 2 errors: last error was: error in ListJSON: "
            "InvalidAccessKeyId: The AWS Access Key Id you provided does not exist in our records.\n",
            "InvalidAccessKeyId: The AWS Access Key Id you provided does not exist in our records.",
        ),
        (
            '2026/01/31 02:30:04 Failed to create file system for "remote:": Failed to parse credentials: '
            "illegal base64 data at input byte 0\n",
            "Failed to parse credentials: illegal base64 data at input byte 0",
        ),
    ],
)
def test_a59_the_sentence_that_matters_in_plain_lines(stderr, sentence):
    assert find_sentence(stderr) == sentence


def test_an_excerpt_is_one_line_of_bounded_length():
    assert unwrap("a\n\tb") == "a b"
    assert len(unwrap("x" * 5000)) == 200


@pytest.mark.parametrize(
    "text",
    [
        'Get "https://a.blob.example/c?sv=2022&sig=TOPSECRET%2B&x=1": no such host',
        'Get "https://user:TOPSECRET@host/": no such host',
        'Get "https://b.example/?X-Amz-Signature=TOPSECRET": EOF',
        'Response: {"access_token":"TOPSECRET"}',
        "header Authorization: Bearer TOPSECRETTOPSECRET",
        "cannot parse access_token=TOPSECRET",
    ],
)
def test_what_may_be_a_login_is_not_repeated(text):
    assert "TOPSECRET" not in redact(text)
    assert "TOPSECRET" not in classify(failed("Failed to copy: " + text)).message


def test_sizes_are_for_people():
    assert [format_size(n) for n in (0, 1023, 1536, 5 << 30)] == ["0 B", "1023 B", "1.5 KiB", "5.0 GiB"]


@pytest.mark.parametrize("symptom", SYMPTOMS, ids=[symptom.patterns[0] for symptom in SYMPTOMS])
def test_each_symptom_is_described_in_short_plain_sentences(symptom):
    assert symptom.reason in REASONS
    text = f"{symptom.happened.replace(PLACE, ' at HOST')} (a short cause). {symptom.advice}"
    assert ";" not in text
    assert max(len(sentence.split()) for sentence in re.split(r"(?<=[.?]) ", text)) <= 25


OAUTH = "couldn't fetch token: "
EXPIRED = ': maybe token expired? - try refreshing with "rclone config reconnect remote:"'
# One text of each kind, as providers and rclone write them, and the reason.
TEXTS = (
    ("knownhosts: key is unknown", "auth"),
    ("ssh: handshake failed: knownhosts: key mismatch", "auth"),
    ("couldn't parse known_hosts_file: open /x: no such file or directory", "usage"),
    ("operation error S3: PutObject, https response error StatusCode: 403, api error RequestTimeTooSkewed: x", "auth"),
    (f'{OAUTH}oauth2: "invalid_client" "Unauthorized"{EXPIRED}', "auth"),
    (f'{OAUTH}oauth2: "invalid_grant" "Token has been expired or revoked."{EXPIRED}', "auth"),
    (
        f'{OAUTH}Post "https://o.example/token": dial tcp: lookup o.example on 1.1.1.1:53: no such host{EXPIRED}',
        "network",
    ),
    (
        f'{OAUTH}Post "https://o.example/token": dial tcp 1.2.3.4:443: connect: network is unreachable{EXPIRED}',
        "network",
    ),
    (f"{OAUTH}oauth2: cannot fetch token: 503 Service Unavailable{EXPIRED}", "network"),
    (f"{OAUTH}something new{EXPIRED}", "auth"),
    ("https response error StatusCode: 400, api error ExpiredToken: The provided token has expired.", "auth"),
    ("StatusCode: 301, api error PermanentRedirect: The bucket must be addressed using the endpoint", "usage"),
    (
        "StatusCode: 400, api error AuthorizationHeaderMalformed: the region 'us-east-1' is wrong; expecting 'eu'",
        "usage",
    ),
    ("ssh: no key found", "auth"),
    ("https response error StatusCode: 403, RequestID: 1, HostID: , api error AccessDenied: Access Denied", "auth"),
    ("api error InvalidBucketName: no", "usage"),
    ("didn't find section in config file", "usage"),
    ("api error NoSuchBucket: The specified bucket does not exist", "not_found"),
    ("tls: failed to verify certificate: x509: certificate signed by unknown authority", "network"),
    ("proxyconnect tcp: dial tcp 1.1.1.1:3128: connect: connection refused", "network"),
    ("read tcp 10.0.0.1:1->10.0.0.2:2: read: connection reset by peer", "network"),
    ("https response error StatusCode: 503, api error SlowDown: Please reduce your request rate.", "network"),
    (
        "https response error StatusCode: 500, api error InternalError: We encountered an internal error, failed to "
        "get rate limit token, retry quota exceeded, 0 available, 5 requested",
        "network",
    ),
    ("421 There are too many connections from your internet address", "network"),
    ("deserialization failed, failed to decode response body, XML syntax error on line 1: unexpected EOF", "network"),
    ("reached as set by --max-transfer", "max_duration"),
    ("failed to authenticate decrypted block - bad password?", "undecryptable"),
    ("path/restricted_content/", "restricted_content"),
    (
        "googleapi: Error 403: This file has been identified as malware or spam., cannotDownloadAbusiveFile",
        "restricted_content",
    ),
    ("operation error S3: GetObject, api error InvalidObjectState: x", "archived_object"),
    ("no space left on device", "disk_full"),
    ("googleapi: Error 403: The user's Drive storage quota has been exceeded., storageQuotaExceeded", "quota"),
    ("path/insufficient_space/..", "quota"),
    ("507 Insufficient Storage: 507", "quota"),
    ("file name too long", "other"),
    ("too many levels of symbolic links", "other"),
    ("corrupted on transfer: sizes differ src(Local) 11 vs dst(SharePoint) 12", "other"),
    ("something nobody has seen before", "other"),
)
# Where rclone and the libraries of the providers put a name, and the object of the message.
NAMED = (
    ("Failed to copy: open /data/docs/{name}/f.txt: {text}", "{name}/f.txt"),
    ('Failed to copy: open "/data/docs/{name}/f.txt": {text}', "{name}/f.txt"),
    ("Failed to copy: rename /data/docs/{name}.12ab34cd.partial /data/docs/{name}: {text}", "{name}"),
    ('Failed to copy: Put "https://s3.example/bucket/{url}/f.txt?x=1": {text}', "{name}/f.txt"),
    ('Failed to copy: bucket="bucket", key="far/{name}": {text}', "{name}"),
    ('Failed to create file system for "remote:{name}/x": {text}', ""),
    ("Failed to copy: 550 {name}/f.txt: {text}", "{name}/f.txt"),
    ("Failed to copy: {text}", "{name}"),
    ("Listing error: error reading directory bucket/{name}: {text}", "{name}"),
)


@pytest.mark.parametrize("text, reason", TEXTS)
def test_the_innermost_cause_is_the_reason(text, reason):
    assert classify(failed(f"Failed to copy: {text}", "f.txt")).reason == reason


@settings(deadline=None, max_examples=400, derandomize=True)
@given(st.sampled_from(TEXTS), st.sampled_from(TEXTS), st.sampled_from(NAMED), st.booleans())
@example(TEXTS[-1], ("Forbidden Planet (1956)", ""), NAMED[0], True)
@example(TEXTS[-1], ("quota exceeded", ""), NAMED[5], True)
def test_a_name_that_looks_like_an_error_does_not_change_the_reason(error, other, where, is_remote):
    """The name may be that of a file, a folder, a bucket, or a part of the task's path or remote_path."""
    text, reason = error
    name = other[0].replace("/", "_")
    pattern, path = where
    line = pattern.format(name=name, url=quote(name), text=text)
    found = Finished(
        1,
        errors=(Message("error", line, path.format(name=name)),),
        remote_path=f"bucket/{name}" if is_remote else name,
        path="/data/docs",
    )

    assert classify(found).reason == reason


def test_a_region_says_what_to_set_and_a_malware_refusal_which_option_allows_it():
    texts = [text for text, _reason in TEXTS]
    moved = classify(failed(next(text for text in texts if "PermanentRedirect" in text)))
    assert "Set the attributes region and endpoint" in moved.message
    refused = classify(failed("Failed to copy: " + next(text for text in texts if "malware" in text), "setup.exe"))
    assert "Files: setup.exe." in refused.message
    assert "provider_options.acknowledge_abuse" in refused.message
