# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""What to do about each reason of a failure, for many tasks at once. The message of a run says it for one task."""

from __future__ import annotations

REMEDIES = {
    "auth": "The provider refused the login. Check the credential, or log in again with the playbook authorize.",
    "network": "The provider could not be reached. Check its status, the network and the endpoint. Runs try again.",
    "not_found": "A bucket, a folder or a file does not exist. Check the paths of the task.",
    "empty_source": "The source contains no files, so a sync would delete the copy. Check whether its data is there.",
    "not_mounted": "The file system of the source or the destination is not mounted. Mount it.",
    "marker_missing": "The marker file is missing in the source, so the source may be the wrong one. Check its data.",
    "max_delete": "The run would delete too many files. See its plan (--dry-run). Change max_delete, or restore files.",
    "source_changed": "The source is not that of the last run. Check which file system is mounted there.",
    "same_place": "The source and the destination are the same place. Change one of the paths.",
    "foreign": "The destination belongs to another task or host. Use another one, or adopt it: cloudsync adopt TASK.",
    "crypt_password": "The encryption password does not fit the destination. Set the password that wrote the files.",
    "undecryptable": "Names at the destination cannot be decrypted. Check the encryption options and the remote path.",
    "locked": "Another run uses the same task or paths. Give the tasks other times, or set on_overlap to wait.",
    "hook": "A hook failed. Read the last lines of the log, and run the command of the hook by hand.",
    "deletions_suppressed": "Some files could not be read, so nothing was deleted. The log names them.",
    "restricted_content": "The provider does not allow this content to be read. Exclude the files, or ask their owner.",
    "archived_object": "Objects are in an archive tier. Request them with cloudsync thaw TASK, then run it again.",
    "quota": "The account is full or has reached a limit. Free space there, or extend the plan.",
    "disk_full": "A disk of the host is full. Free space there. The next run tries again.",
    "max_duration": "The run took longer than max_duration. Increase it, or split the task.",
    "stopped": "Somebody stopped the run. The next run continues.",
    "interrupted": "The run was killed, or the host went down. The next run continues.",
    "stalled": "The run made no progress. Check the network and the provider. The next run continues.",
    "drill": "A restored file differs from its source. Read the log of the drill before you rely on this copy.",
    "damaged": "A file of cloudsync is damaged. The message names the file. Apply your playbook, or restore the file.",
    "usage": "The options of the task are invalid. The message names the option.",
    "other": "Read the message and the log of the run.",
}
