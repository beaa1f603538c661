# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""How rclone and the providers say what went wrong: from a text to one of the contract's reasons.

The first entry that matches any of a run's errors decides, so what explains more stands further up.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Iterable, Optional, Sequence, Tuple

from .log_lines import Message


@dataclass(frozen=True)
class Symptom:
    """``happened`` begins the message, ``advice`` ends it; ``names_files``: the files belong between them.

    ``quotes`` False: what rclone says would add nothing. ``file``: where in the text the file stands, in a group, when
    the message's object is another one.
    """

    reason: str
    pattern: str
    happened: str
    advice: str
    names_files: bool = False
    quotes: bool = True
    file: str = ""

    def is_shown_by(self, text: str) -> bool:
        # Compiled here and not above: only a failed run needs it, and all of them take 20 ms.
        return bool(re.search(self.pattern, text, re.IGNORECASE))


def _symptom(
    reason: str,
    patterns: Iterable[str],
    happened: str,
    advice: str,
    names_files: bool = False,
    quotes: bool = True,
    file: str = "",
) -> Symptom:
    return Symptom(reason, "|".join(patterns), happened, advice, names_files, quotes, file)


# A status code, and not a number in the name of a file.
STATUS = r"(?:StatusCode: |status code: |response code |error |: )"

SYMPTOMS: Tuple[Symptom, ...] = (
    _symptom(
        "max_delete",
        (r"--max-delete(-size)? threshold reached",),
        "The run would have deleted more than --max-delete allows, and stopped",
        "Look at the plan with a dry run; if it is right, raise the limit.",
        quotes=False,
    ),
    _symptom(
        "max_duration",
        (r"reached as set by --max-duration",),
        "The time that the run may take was over before everything was transferred",
        "The next run goes on with the rest; allow more time if that happens every time.",
        quotes=False,
    ),
    _symptom(
        "max_duration",
        (r"reached as set by --max-transfer",),
        "The amount that --max-transfer allows was reached before everything was transferred",
        "The next run goes on with the rest.",
        quotes=False,
    ),
    _symptom(
        "undecryptable",
        (r"undecryptable (file|dir) name",),
        "The remote path holds something whose name this task's password and salt do not decrypt",
        "If it is not the task's, move it out of remote_path, which must hold nothing else; if it is, correct "
        "encryption.password and encryption.salt.",
        names_files=True,
        quotes=False,
        file=r"(?:first error: |\A)([^:]+): undecryptable (?:file|dir) name",
    ),
    _symptom(
        "undecryptable",
        (
            r"failed to authenticate decrypted block",
            r"not an encrypted file",
            r"file is too short to be encrypted",
            r"file has truncated block header",
        ),
        "What is at the remote path was not encrypted with the task's password and salt, or is damaged",
        "Correct encryption.password and encryption.salt; if they are right, remove or restore what is damaged.",
        names_files=True,
    ),
    _symptom(
        "restricted_content",
        (r"restricted_content",),
        "Dropbox does not hand out files that it holds to infringe a copyright",
        "Exclude them from the task, or remove them at Dropbox.",
        names_files=True,
        quotes=False,
    ),
    _symptom(
        "archived_object",
        (r"can't update archive tier blob",),
        "Blobs are in the tier Archive, where Azure lets nobody overwrite them",
        "To have them deleted and written anew, set provider_options.archive_tier_delete.",
        names_files=True,
        quotes=False,
    ),
    _symptom(
        "archived_object",
        (r"ObjectNotInActiveTier",),
        "Objects are in an archive storage class, and the server can't copy or move them before they are restored",
        "A task without keep_deleted and --track-renames does not copy at the server.",
        names_files=True,
        quotes=False,
    ),
    _symptom(
        "archived_object",
        (
            r"Object in \w+, restore first",
            r"InvalidObjectState",
            r"BlobArchived",
            r"operation.{0,20} archived blob",
            r"blob in archive tier",
        ),
        "Objects are in an archive storage class and can't be read before they are restored",
        "",
        names_files=True,
        quotes=False,
    ),
    _symptom(
        "disk_full",
        (
            r"no space left on device",
            r"file too big for remaining disk space",
            r"disk quota exceeded",
            r"not enough space on the disk",
        ),
        "The local disk is full",
        "Free some space there, then run the task again.",
    ),
    _symptom(
        "quota",
        (
            r"quota[ _-]?exceeded",
            r"exceeded.{0,20}quota",
            r"quotaLimitReached",
            r"over quota",
            r"insufficient[ _]?(space|storage)",
            STATUS + r"507\b",
            r"StorageFull",
            r"storage_limit_exceeded",
            r"cap[ _]?exceeded",
            r"(daily|user|upload|rate)\w*LimitExceeded",
            r": 552\b",
            r"STATUS_DISK_FULL",
        ),
        "The provider takes no more: the account's space or a limit of it is used up",
        "Free some space at the provider or raise the account's limit.",
    ),
    _symptom(
        "auth",
        (r"knownhosts: key is unknown",),
        "The server's host key is not among those that the credential trusts",
        "Print the server's keys (ssh-keyscan -p PORT HOST), compare their fingerprints (ssh-keygen -lf -) with what "
        "its operator says, and put the lines into the credential's known_hosts.",
        quotes=False,
    ),
    _symptom(
        "auth",
        (r"knownhosts: key mismatch", r"host key mismatch"),
        "The server's host key is not the one that the credential trusts: somebody else may be answering",
        "When its operator says that the key was replaced, put the new one into the credential's known_hosts; else do "
        "not connect. rclone 1.60 needs the server's keys of all types there.",
        quotes=False,
    ),
    _symptom(
        "usage",
        (r"couldn't parse known_hosts_file",),
        "The file that known_hosts_file names can't be read, or is no known_hosts file",
        "Correct it, or give its lines in the credential's known_hosts.",
    ),
    _symptom(
        "auth",
        (r"RequestTimeTooSkewed", r"RequestExpired"),
        "The provider refused the login because this host's clock is wrong",
        "Set the clock (timedatectl) and run again.",
    ),
    _symptom(
        "auth",
        (r"invalid_client", r"unauthorized_client"),
        "The provider does not accept the OAuth client of the credential",
        "Correct client_id and client_secret; a token belongs to the client that it was made with.",
    ),
    _symptom(
        "auth",
        (
            r"invalid_grant",
            r"couldn't fetch token",
            r"empty token found",
            r"no refresh token",
            r"token expired",
            r"expired_access_token",
            r"invalid_access_token",
        ),
        "The OAuth token of the credential is no longer accepted",
        "Log in anew (playbook authorize, or 'rclone authorize' on a machine with a browser) and put the new token "
        "into the credential.",
    ),
    _symptom(
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
            r"failed to (parse|read|load) (private )?key|pem key not formatted",
            r"SSH_FX_PERMISSION_DENIED|550 .{0,40}(permission|not permitted)",
            r"insufficient (oauth scope|permissions?)",
        ),
        "The provider refused the login, or the account may not do this",
        "Check the credential with 'cloudsync verify', and what its key may do on this remote path.",
    ),
    _symptom(
        "usage",
        (
            r"invalid ?bucket ?name",
            r"InvalidResourceName|resource name (contains invalid|length is not)",
            r"BucketAlreadyExists|bucket name is not available",
        ),
        "The provider does not take the first part of remote_path as the name of a bucket of this account",
        "Correct remote_path: it begins with the bucket's name, whose rules the provider sets, and which nobody else "
        "may have.",
    ),
    _symptom(
        "usage",
        (
            r"unknown (shorthand )?flag",
            r"invalid argument .* for ",
            r"unknown command",
            r"needs \d+ arguments (minimum|maximum)",
            r"didn't find (section in config file|backend called)",
            r"couldn't (find backend|parse config item)",
            r"mustn't (overlap|be the same)",
            r"has to be on the same remote",
            r"is it obscured\?",
            r"password not set in config file",
            r"remotes? (are|is) read only|in read only mode",
            r"can't use (both )?--",
            r"can't (use|limit) .*(--backup-dir|--suffix)",
            r"can't (delete and move|sync or move|move) .*overlap|overlapping remotes",
        ),
        "rclone does not take what the task or credential asks for",
        "Correct the task's rclone_args and provider_options, or the credential's attributes.",
    ),
    _symptom(
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
        quotes=False,
    ),
    _symptom(
        "network",
        (r"x509:", r"certificate (signed by unknown|is not trusted|has expired)"),
        "The server's TLS certificate is not trusted",
        "Check the address in the credential; install the authority's certificate on the host if it is a private one.",
    ),
    _symptom(
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
            r"proxyconnect",
            STATUS + r"(429|500|502|503|504)\b",
            r"StatusCode: 0\b",
            r"SlowDown|ServiceUnavailable|InternalError|RequestTimeout",
            r"too[ _]many[ _]requests",
            r"temporary failure in name resolution",
        ),
        "The provider could not be reached, or did not answer in time",
        "Check the network, the proxy and the provider's status; the next run tries again.",
    ),
)

AMBIGUOUS = re.compile(r"is a file not a directory|can't limit to single files when using filters")
NOT_DELETING = re.compile(r"\Anot deleting (files|directories) as there were IO errors")
UNSAVED = re.compile(r"\AFailed to save config")


def find_symptom(problems: Sequence[Message]) -> Tuple[Optional[Symptom], Tuple[Message, ...]]:
    """The first symptom that any of ``problems`` shows, and those that show it."""
    for symptom in SYMPTOMS:
        shown = tuple(message for message in problems if symptom.is_shown_by(_without_name(message)))
        if shown:
            return symptom, shown
    return None, ()


def _without_name(message: Message) -> str:
    """The text without the file that it is about, whose name may look like anything."""
    if not message.object:
        return message.text
    return re.sub(r"(?<=[/\"'])" + re.escape(message.object) + r"(?!\w)", "", message.text)
