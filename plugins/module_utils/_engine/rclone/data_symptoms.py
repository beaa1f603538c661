# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Symptoms of failures that concern the data: limits, encryption, archives, disk space."""

from __future__ import annotations

from typing import Tuple

from .causes import STATUS
from .symptoms import TARGET, Symptom

ARCHIVED = "Objects are in an archive storage class and "

DATA_SYMPTOMS: Tuple[Symptom, ...] = (
    Symptom(
        "max_delete",
        (r"--max-delete(-size)? threshold reached",),
        "The run would delete more than --max-delete allows, so rclone ended it",
        "Check the plan with a dry run. If the plan is right, raise the limit.",
        has_cause=False,
    ),
    Symptom(
        "max_duration",
        (r"reached as set by --max-duration",),
        "The time limit of the run was reached before all files were transferred",
        "The next run continues. If this happens at every run, allow more time.",
        has_cause=False,
    ),
    Symptom(
        "max_duration",
        (r"reached as set by --max-transfer",),
        "The limit of --max-transfer was reached before all files were transferred",
        "The next run continues.",
        has_cause=False,
    ),
    Symptom(
        "undecryptable",
        (r"undecryptable (file|dir) name",),
        "The remote path contains a name that the task's password and salt cannot decrypt",
        "If this file is not the task's, move it out of remote_path, which may contain nothing else. If it is the "
        "task's, correct encryption.password and encryption.salt.",
        names_files=True,
        has_cause=False,
        file=r"(?:first error: |\A)([^:]+): undecryptable (?:file|dir) name",
    ),
    Symptom(
        "undecryptable",
        (
            r"failed to authenticate decrypted block",
            r"not an encrypted file",
            r"file is too short to be encrypted",
            r"file has truncated block header",
        ),
        "A file at the remote path was encrypted with another password or salt, or is damaged",
        "Correct encryption.password and encryption.salt. If they are correct, remove or restore the damaged file.",
        names_files=True,
        has_cause=False,
    ),
    Symptom(
        "restricted_content",
        (r"restricted_content",),
        "Dropbox blocks the download of some files because of a copyright claim",
        "Exclude these files from the task, or remove them at Dropbox.",
        names_files=True,
        has_cause=False,
    ),
    Symptom(
        "restricted_content",
        (r"cannotDownloadAbusiveFile", r"identified as malware"),
        "Google Drive blocks the download of some files because it takes them for malware or spam",
        "Exclude these files from the task. To download them anyway, set provider_options.acknowledge_abuse to true.",
        names_files=True,
        has_cause=False,
    ),
    Symptom(
        "archived_object",
        (r"can't update archive tier blob",),
        "Blobs are in the tier Archive, where Azure does not allow anybody to overwrite them",
        "To have them deleted and written again, set provider_options.archive_tier_delete.",
        names_files=True,
        has_cause=False,
    ),
    Symptom(
        "archived_object",
        (r"ObjectNotInActiveTier",),
        f"{ARCHIVED}cannot be copied or moved at the provider before they are restored",
        "A task without keep_deleted and --track-renames does not need to copy or move them.",
        names_files=True,
        has_cause=False,
    ),
    Symptom(
        "archived_object",
        (
            r"Object in \w+, restore first",
            r"InvalidObjectState",
            r"BlobArchived",
            r"operation.{0,20} archived blob",
            r"blob in archive tier",
        ),
        f"{ARCHIVED}cannot be read before they are restored",
        "",
        names_files=True,
        has_cause=False,
    ),
    Symptom(
        "disk_full",
        (
            r"no space left on device",
            r"file too big for remaining disk space",
            r"disk quota exceeded",
            r"not enough space on the disk",
        ),
        "The local disk is full" + TARGET,
        "Free some space, then run the task again.",
    ),
    Symptom(
        "other",
        (r"read-only file system",),
        "The destination is on a read-only file system" + TARGET,
        "Mount it with write access, then run the task again.",
        has_cause=False,
    ),
    Symptom(
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
        "The provider accepts no more data because a limit of the account is reached",
        "Free some space at the provider, or raise the account's limit.",
    ),
    Symptom(
        "other",
        (r"file ?name too long|name is too long|KeyTooLong|path too long",),
        "Some names are too long for the destination",
        "Shorten them or exclude them. Encrypted names are longer. With encryption.filenames set to off, only .bin is "
        "added.",
        names_files=True,
        has_cause=False,
    ),
    Symptom(
        "other",
        (r"too many levels of symbolic links",),
        "A symbolic link leads to itself, and follow_symlinks is set",
        "Remove the link, or exclude it.",
        names_files=True,
        has_cause=False,
    ),
    Symptom(
        "other",
        (r"corrupted on transfer: .{0,40}(sizes|hash(es)?) differ",),
        "Some files at the destination are not equal to the source after their transfer, so rclone removed them there",
        "If they change during the transfer, use a snapshot. SharePoint changes Office files that it receives: for it, "
        "add --ignore-size and --ignore-checksum to rclone_args.",
        names_files=True,
        has_cause=False,
    ),
    Symptom(
        "other",
        (r"\bmkdir ?: (permission denied|operation not permitted)",),
        "Some folders cannot be created" + TARGET,
        "Give the task's user write access to the folder that contains them, or run the task as another user.",
        names_files=True,
    ),
    Symptom(
        "other",
        (r"\bmkdir ?: (not a directory|file exists)",),
        "A file has the name of a folder that has to be created" + TARGET,
        "Rename or remove this file, or exclude the folder.",
        names_files=True,
        has_cause=False,
    ),
    Symptom(
        "other",
        (
            r"failed to (set|update) (directory|dir) (mod(ification )?time|timestamp)",
            r"\A(Attempt \S+ failed with \d+ errors and|Failed to \w+( with \d+ errors: last error was)?): chtimes ?: ",
        ),
        "The times of folders cannot be set at the destination",
        "Add --no-update-dir-modtime to rclone_args. The files themselves were transferred.",
        names_files=True,
        file=r"\bchtimes (/.*): ",
        may_follow=True,
    ),
    Symptom(
        "other",
        (r"\ACouldn't delete: ",),
        "Some files could not be deleted",
        "Allow the credential, or for a local folder the task's user, to delete them. Then run the task again.",
        names_files=True,
    ),
)
