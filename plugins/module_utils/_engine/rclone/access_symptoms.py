# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Symptoms of failures that concern the access: login, options, buckets, certificates, network."""

from __future__ import annotations

from typing import Tuple

from .causes import STATUS
from .symptoms import PLACE, Symptom

TOKEN = f"The provider{PLACE} no longer accepts the credential's OAuth token"
LOG_IN = (
    "Log in again with the playbook authorize, or with 'rclone authorize' on a machine with a browser. Then put the "
    "new token into the credential."
)
WEB_PAGE = "The server answers with a web page, as a proxy or a login page of a network does"
CHECK_ENDPOINT = "Check the endpoint of the credential, and the network of this host. The next run tries again."

ACCESS_SYMPTOMS: Tuple[Symptom, ...] = (
    Symptom(
        "auth",
        (r"knownhosts: key is unknown",),
        "The server's host key is not among the keys that the credential trusts",
        "Print the server's keys with 'ssh-keyscan -p PORT HOST'. Compare their fingerprints ('ssh-keygen -lf -') with "
        "those that the server's operator gives you. Then put the lines into the credential's known_hosts.",
        has_cause=False,
    ),
    Symptom(
        "auth",
        (r"knownhosts: key mismatch", r"host key mismatch"),
        "The server's host key differs from the key that the credential trusts. Another server may be answering",
        "Ask the server's operator whether the key was replaced. If so, put the new key into the credential's "
        "known_hosts. Otherwise do not connect. rclone 1.60 needs the server's keys of all types there.",
        has_cause=False,
    ),
    Symptom(
        "usage",
        (r"couldn't parse known_hosts_file",),
        "The file of the option known_hosts_file cannot be read, or is not a known_hosts file",
        "Correct the file, or put its lines into the credential's known_hosts.",
    ),
    Symptom(
        "auth",
        (r"RequestTimeTooSkewed", r"RequestExpired"),
        "The provider refused the login because the clock of this host is wrong",
        "Set the clock (timedatectl), then run the task again.",
        has_cause=False,
    ),
    Symptom(
        "auth",
        (r"invalid_client", r"unauthorized_client"),
        f"The provider{PLACE} does not accept the credential's OAuth client",
        "Correct client_id and client_secret. A token is valid only for the client that it was made with.",
    ),
    Symptom(
        "auth",
        (
            r"invalid_grant",
            r"empty token found",
            r"no refresh token",
            r"expired_access_token",
            r"invalid_access_token",
        ),
        TOKEN,
        LOG_IN,
    ),
    Symptom(
        "auth",
        (r"ExpiredToken", r"security token .{0,40}expired"),
        f"The provider{PLACE} refused the login because the credential's temporary keys have expired",
        "Put new keys and a new session_token into the credential. Use permanent keys for a task with a schedule.",
        has_cause=False,
    ),
    Symptom(
        "usage",
        (
            r"AuthorizationHeaderMalformed",
            r"region '[^']*' is wrong",
            r"IllegalLocationConstraint",
            r"PermanentRedirect|MovedPermanently|BucketRegionError",
            r"actual location",
            r"api error (Moved|Temporary) ?Redirect",
            STATUS + r"30[1278]\b",
        ),
        "The bucket is in another region, or at another endpoint, than the credential says",
        "Set the attributes region and endpoint of the credential to those of the bucket.",
        has_cause=False,
    ),
    Symptom(
        "auth",
        (r"failed to (parse|read|load) (private )?key|pem key not formatted|ssh: no key found",),
        "The credential's private key cannot be read",
        "Put the complete key with its line breaks into the credential. In YAML, use a literal block (|), not a folded "
        "block (>).",
    ),
    Symptom(
        "auth",
        (
            r"SignatureDoesNotMatch",
            r"InvalidAccessKeyId",
            r"InvalidSecurity",
            r"InvalidToken",
            r"AccessDenied",
            r"access denied",
            r"AuthorizationFailure",
            r"AuthenticationFailed",
            STATUS + r"40[13]\b",
            r"unauthori[sz]ed",
            r"authorization failed",
            r"\bForbidden\b",
            r"unable to authenticate",
            r"ssh: handshake failed: (EOF|ssh:)",
            r": 530\b",
            r"login incorrect",
            r"bad_auth_token",
            r"logon failure",
            r"STATUS_LOGON_FAILURE|STATUS_ACCESS_DENIED",
            r"could not find default credentials",
            r"error processing credentials",
            r"failed to parse (shared key )?credentials|shared key credential failed",
            r"SSH_FX_PERMISSION_DENIED|550 .{0,40}(permission|not permitted)",
            r"insufficient (oauth scope|permissions?)",
        ),
        f"The provider{PLACE} refused the login, or the account has no permission for this operation",
        "Check the credential with 'cloudsync verify', and the permissions of its key for this remote path.",
        names_files=True,
    ),
    Symptom(
        "usage",
        (
            r"invalid ?bucket ?name",
            r"InvalidResourceName|resource name (contains invalid|length is not)",
            r"BucketAlreadyExists|bucket name is not available",
        ),
        "The provider does not accept the first part of remote_path as the name of a bucket of this account",
        "Correct remote_path. It begins with the bucket's name, for which the provider has rules. The name may also "
        "belong to another account.",
    ),
    Symptom(
        "usage",
        (
            r"didn't find (section in config file|backend called)",
            r"couldn't (find backend|parse config item)",
            r"is it obscured\?",
            r"password not set in config file",
        ),
        "rclone rejected the credential's options:",
        "Check the credential's attributes and secrets, and the task's provider_options.",
    ),
    Symptom(
        "usage",
        (
            r"unknown (shorthand )?flag",
            r"invalid argument .* for ",
            r"unknown command",
            r"needs \d+ arguments (minimum|maximum)",
            r"mustn't (overlap|be the same)",
            r"has to be on the same remote",
            r"remotes? (are|is) read only|in read only mode",
            r"can't use (both )?--",
            r"can't (use|limit) .*(--backup-dir|--suffix)",
            r"can't (delete and move|sync or move|move) .*overlap|overlapping remotes",
        ),
        "rclone rejected the task's options:",
        "Check rclone_args.",
    ),
    Symptom(
        "not_found",
        (
            r"root directory: (directory|object) not found",
            r"NoSuchBucket",
            r"ContainerNotFound|container not found",
            r"bucket .*(not found|does not exist|doesn't exist)",
            r"couldn't find (root directory|drive)",
        ),
        "The source or the bucket does not exist",
        "Check the task's path and remote_path, and that nothing was renamed or unmounted.",
        has_cause=False,
    ),
    Symptom(
        "network",
        (r"(\A|: )421 .{0,60}(too many|maximum|limit)",),
        f"The FTP server{PLACE} refused the connection because there are too many connections",
        "Lower transfers, and checkers in provider_options, until the server allows their sum. The next run tries "
        "again.",
        has_cause=False,
    ),
    Symptom(
        "network",
        (r"x509:", r"certificate (signed by unknown|is not trusted|has expired)"),
        f"Cannot verify the TLS certificate of the provider{PLACE}",
        "Check the endpoint in the credential. If a private authority issued the certificate, install the authority's "
        "certificate on this host.",
    ),
    Symptom(
        "network",
        (
            r"XML syntax error|expected element (type )?<.*> but have <(!doctype )?html",
            r"invalid character '<' looking for beginning of value",
            r"bad (PROPFIND|status) .*text/html",
        ),
        WEB_PAGE,
        CHECK_ENDPOINT,
        has_cause=False,
    ),
    Symptom(
        "network",
        (r"proxyconnect",),
        f"Cannot reach the proxy{PLACE}",
        "Check HTTP_PROXY and HTTPS_PROXY of the unit, and the proxy's status. The next run tries again.",
    ),
    Symptom(
        "network",
        (
            r"connection (refused|reset|timed out)",
            r"no such host",
            r"server misbehaving",
            r"i/o timeout",
            r"timeout awaiting",
            r"handshake timeout",
            r"network is unreachable",
            r"no route to host",
            r"broken pipe",
            r"unexpected EOF",
            r"\bEOF\Z",
            r"context deadline exceeded",
            r"use of closed network connection",
            r"couldn't connect",
            r"failed to make (FTP|SSH) connection",
            r"StatusCode: 0\b",
            r"temporary failure in name resolution",
        ),
        f"Cannot reach the provider{PLACE}",
        "Check the endpoint, the network and the provider's status. The next run tries again.",
    ),
    Symptom(
        "network",
        (
            STATUS + r"(429|500|502|503|504)\b",
            r"(\A|: )421 ",
            r"cannot fetch token: 5\d\d",
            r"SlowDown|ServiceUnavailable|InternalError|RequestTimeout",
            r"too[ _]many[ _]requests",
        ),
        "The transfer failed with a temporary error:",
        "It is retried at the next scheduled run.",
    ),
    # rclone wraps every failure of a refresh in these words, so the other symptoms come first.
    Symptom("auth", (r"couldn't fetch token", r"(?<!maybe )token expired"), TOKEN, LOG_IN),
)
