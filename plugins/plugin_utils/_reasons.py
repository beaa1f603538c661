# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""The meaning of each reason of a run, and what to do, for people. Hosts need only the words (common/errors.py)."""

from __future__ import annotations

from typing import NamedTuple


class Reason(NamedTuple):
    """meaning says what happened, for all tasks with this reason. remedy says what to do."""

    meaning: str
    remedy: str


REASONS = {
    "auth": Reason(
        "The provider refused the login, or the account has no permission for the operation.",
        "Check the credential with 'cloudsync verify CREDENTIAL'. If a token has expired, log in again with the "
        "playbook authorize.",
    ),
    "network": Reason(
        "The provider could not be reached, or it answered with a temporary error.",
        "Check the endpoint, the network and the provider's status. The next run tries again.",
    ),
    "not_found": Reason(
        "The source, the bucket or the folder of the task does not exist.",
        "Correct path or remote_path, or create what is missing. 'cloudsync ls TASK' shows what exists.",
    ),
    "empty_source": Reason(
        "The source contains no files that match the task's filters. A sync would delete the copy.",
        "Check that the source is mounted and has its files. If it may be empty, set guards.empty_source to allow.",
    ),
    "not_mounted": Reason(
        "The mount point in guards.mounted is not mounted, or the destination was unmounted during the run.",
        "Mount the volume, then run the task again.",
    ),
    "marker_missing": Reason(
        "The file in guards.marker does not exist in the source, so the source may be the wrong one.",
        "Check that the source is mounted and that its path is correct. Then restore the marker file.",
    ),
    "max_delete": Reason(
        "The run would delete more files than its limit allows.",
        "Check the plan with 'cloudsync run TASK --dry-run'. If it is correct, set guards.max_delete for one run.",
    ),
    "source_changed": Reason(
        "The source is not the one of the last success: another volume is mounted there, or folders became links.",
        "Check the mounts and the links. If the change is correct, do what the message says.",
    ),
    "same_place": Reason(
        "The source and the destination are the same folder, or one contains the other.",
        "Use two folders that do not contain each other.",
    ),
    "foreign": Reason(
        "Another host or another task writes to this destination.",
        "Use another remote_path. If this host replaces the other one, run 'cloudsync adopt TASK'.",
    ),
    "crypt_password": Reason(
        "The files at the destination were not encrypted with the task's password and salt.",
        "Correct encryption.password and encryption.salt, or use another remote_path.",
    ),
    "undecryptable": Reason(
        "A name or a file at the remote path cannot be decrypted, or the seed of the host is missing.",
        "Move the files that do not belong to the task out of remote_path. For the seed, restore a backup.",
    ),
    "locked": Reason(
        "Another run uses the same task or the same paths, and on_overlap is skip.",
        "Wait for the next start. To queue the run instead, set on_overlap to wait.",
    ),
    "hook": Reason(
        "A hook of the task failed, or its time limit ended it.",
        "Read the last lines of the hook in the message and in the log, and correct its command.",
    ),
    "deletions_suppressed": Reason(
        "Some files could not be transferred, so nothing was deleted at the destination.",
        "Correct the cause or exclude these files. If they change all the time, use a snapshot.",
    ),
    "restricted_content": Reason(
        "The provider blocks the download of some files.",
        "Exclude these files from the task, or remove them at the provider.",
    ),
    "archived_object": Reason(
        "Files are in an archive storage class and cannot be read before the provider restores them.",
        "Ask for them with 'cloudsync thaw TASK', wait, and run the task again. Or exclude them.",
    ),
    "quota": Reason(
        "The provider accepts no more data because a limit of the account is reached.",
        "Free some space at the provider, or raise the account's limit.",
    ),
    "disk_full": Reason(
        "A disk of the host is full.",
        "Free some space at the path that the message names. Then run the task again.",
    ),
    "max_duration": Reason(
        "A limit of time or of data ended the run before all files were transferred.",
        "The next run continues. If this happens at every run, raise the limit or extend the window.",
    ),
    "stopped": Reason(
        "Somebody stopped the run, or the host was shut down.",
        "Nothing needs to be done. The next scheduled run continues.",
    ),
    "interrupted": Reason(
        "The run was killed, or the host went down without a shutdown.",
        "Run the task again. It continues. If memory ran out, raise limits.memory_max or lower transfers.",
    ),
    "stalled": Reason(
        "The run made no progress for the time in limits.max_stall.",
        "Check the network and the provider's status. If the provider needs longer pauses, raise limits.max_stall.",
    ),
    "drill": Reason(
        "A restore drill found a file of the copy that is missing or differs from its source.",
        "Keep the source, which may be the only good copy. Find out what has changed the destination.",
    ),
    "damaged": Reason(
        "A file of cloudsync was edited or truncated, or a disk damaged it. No code overwrites it.",
        "Apply your playbook again, or restore the file from a backup.",
    ),
    "usage": Reason(
        "An option of the task or of the credential is invalid, or does not fit this host or provider.",
        "Correct the option that the message names.",
    ),
    "other": Reason(
        "None of the other reasons fits.",
        "Do what the message says. If it does not help, read the log of the run with 'cloudsync logs TASK'.",
    ),
}
