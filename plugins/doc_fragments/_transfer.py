# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this doc fragment is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Document the options of one transfer, which a stored task and a one-time run share.

The option ``encryption`` is in ``_encryption``.
"""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  credential:
    description:
      - Name of the credential to log in with. The credential must exist on the host.
      - Required, unless O(reverse_of) is set.
    type: str
  direction:
    description:
      - Direction of the transfer. V(push) transfers from O(path) on the host to O(remote_path) at the provider.
        V(pull) transfers from O(remote_path) to O(path).
      - Read-only providers accept only V(pull).
      - Required, unless O(reverse_of) is set.
    type: str
    choices: [push, pull]
  mode:
    description:
      - Kind of transfer. V(copy) copies new and changed files and deletes nothing.
      - V(sync) makes the destination equal to the source. It deletes files that exist only at the destination.
      - V(move) copies the files and then deletes the copied files at the source.
      - "Default: V(copy)."
    type: str
    choices: [sync, copy, move]
  path:
    description:
      - Folder on the host, as an absolute path. V(/) is refused, unless O(guards.allow_root=true).
      - The source folder of a push must exist when the task runs. The destination folder of a pull is created if it is
        missing.
      - Required, unless O(reverse_of) is set.
    type: str
  remote_path:
    description:
      - Folder at the provider. On providers with buckets, the first part of the path is the bucket.
      - On SFTP, a path without a leading slash is relative to the user's home directory.
      - With O(mode=sync), the root of a bucket or of a remote without buckets is refused, unless
        O(guards.allow_root=true).
      - A task is refused if this folder and O(path) are the same folder, or if one contains the other.
      - With O(mode=sync), a task is refused if its destination overlaps that of another task on the host. To allow it,
        add the folder of the other task to O(exclude), such as V(/other/**). With other modes, and if one of the two
        tasks is disabled, you get a warning.
      - "Default: the top of the remote."
    type: str
  provider_options:
    description:
      - Options of the credential's provider that apply only to this task, by rclone's names. Examples are
        C(storage_class), C(server_side_encryption) and C(chunk_size). Secrets are refused here.
      - C(fast_list) with the value V(true) lists with fewer requests and more memory.
      - C(checkers), C(tpslimit) and C(multi_thread_cutoff) set rclone's global flags for this task.
      - Sizes need a unit, as in V(96Mi).
      - On Backblaze B2, C(cleanup) with the value V(true) removes old versions after each successful push. It removes
        all overwritten or deleted versions below O(remote_path). Without it, B2 keeps them until a lifecycle rule of
        the bucket removes them, which O(skyhaul.cloudsync.bucket#module:hidden_days) sets.
    type: dict
  include:
    description:
      - Patterns, in rclone's syntax, of the files to transfer. If you set any pattern, files that match none are
        excluded.
      - rclone parses the patterns before the task is stored. Any number of patterns is accepted.
    type: list
    elements: str
  exclude:
    description:
      - Patterns, in rclone's syntax, of the files to exclude, such as V(*.tmp) or V(/cache/**). They override
        O(include).
      - A sync does not delete excluded files at the destination.
    type: list
    elements: str
  bandwidth:
    description:
      - Timetable of bandwidth limits, in the host's local time. Each limit applies until the next time. List the times
        in ascending order.
      - "Default: no limit."
    type: list
    elements: dict
    suboptions:
      time:
        description:
          - Start time of the limit, in quotes. Use V(HH:MM) for every day, or V(Mon-HH:MM) for one day of the week.
        type: str
        required: true
      limit:
        description:
          - Bytes per second with a unit, such as V(512K) or V(10M). V(1M:10M) limits upload and download separately.
            V(off) removes the limit.
        type: str
        required: true
  transfers:
    description:
      - Number of files to transfer at the same time.
      - "Default: V(16) for S3, V(8) for SFTP and WebDAV. For other providers, rclone's default, which is V(4)."
    type: int
  follow_symlinks:
    description:
      - Whether to transfer the targets of symbolic links. If not, symbolic links are skipped.
      - "Default: V(false)."
    type: bool
  create_empty_dirs:
    description:
      - Whether to create empty folders at the destination.
      - "Default: V(false)."
    type: bool
  snapshot:
    description:
      - Type of snapshot to push from. A snapshot shows all files of O(path) as they were at one moment, even if they
        change during the run. It is removed after the run.
      - V(auto) detects whether O(path) is on ZFS, btrfs or LVM. If it is on none of them, the run is refused.
      - Not supported with O(direction=pull) or O(mode=move).
      - "Default: V(none)."
    type: str
    choices: [none, auto, zfs, btrfs, lvm]
  guards:
    description:
      - Checks that must pass before a run changes anything. If a guard refuses a run, the run fails, and its reason
        names the guard.
      - Every run also checks that the source exists and is a directory.
    type: dict
    suboptions:
      empty_source:
        description:
          - Whether to refuse or allow a V(sync) or V(move) if no file in the source matches the filters.
          - On object stores, a missing folder looks like an empty one.
          - "Default: V(refuse)."
        type: str
        choices: [refuse, allow]
      mounted:
        description:
          - Mount point that must be mounted, such as V(/mnt/data).
        type: path
      marker:
        description:
          - File that must exist in the source, as a path relative to the source.
        type: str
      allow_root:
        description:
          - Whether O(path) can be V(/), and O(remote_path) of a V(sync) the root of a bucket or remote.
          - "Default: V(false)."
        type: bool
      max_delete:
        description:
          - Maximum number of files that a run can delete at the destination. Use a count (V(100)), or a percentage of
            the files at the destination (V(10%)).
          - The limit is checked on the plan. If the plan exceeds it, the run is refused, and nothing is deleted.
          - Without this option, a sync that would delete more than half of the files, and more than 10, is refused.
            V(100%) allows it.
          - Without this option, the first sync of the task on a host is refused if it would delete anything.
          - The file C(docs/deletions.md) describes the checks and their costs.
        type: str
      owner:
        description:
          - Whether to refuse or allow a push with O(mode=sync) or O(mode=move) to a folder that another host pushes to.
          - Such a push leaves the file C(.cloudsync-owner) at its destination. A run is refused if another host has
            left it there, or in a folder above or below. With O(mode=copy), this is a warning.
          - V(allow) neither leaves nor reads that file. Use it if several hosts move their files to one folder, or if
            the destination does not accept that file.
          - "Default: V(refuse)."
        type: str
        choices: [refuse, allow]
  keep_deleted:
    description:
      - Folder for the files that a run deletes or overwrites at the destination.
    type: dict
    suboptions:
      path:
        description:
          - Path of the folder, on the same side as the destination. It contains the folders C(TASK@HOST), and in each
            of them one folder for each run. Several tasks can use the same path, because each removes its own files.
          - For a push, the path begins with the bucket, as in O(remote_path). With O(encryption), it must be inside
            O(remote_path).
        type: str
        required: true
      days:
        description:
          - Number of days to keep the files. V(0) keeps them forever.
          - "Default: V(0)."
        type: int
  hooks:
    description:
      - Commands that a run executes. Each one is the absolute path of a program, or shell text.
      - The environment contains facts of the run, such as E(CLOUDSYNC_TASK), E(CLOUDSYNC_RUN_ID), E(CLOUDSYNC_STATE)
        and E(CLOUDSYNC_REASON). It never contains a secret.
      - In a run that systemd started, each hook runs in a separate systemd unit. The sandbox and limits of the run do
        not apply to it. Background processes of a hook continue after the run.
    type: dict
    suboptions:
      before:
        description:
          - Command to execute first. If it fails, the run fails with the reason V(hook).
        type: str
      success:
        description:
          - Command to execute after a successful run.
        type: str
      failure:
        description:
          - Command to execute after every run that was not successful. After a killed run, it is executed at the next
            start.
        type: str
      always:
        description:
          - Command to execute last, after every run.
        type: str
      timeout:
        description:
          - Time limit for each command, in seconds or as a duration such as V(10m).
          - "Default: V(1h)."
        type: str
  on_overlap:
    description:
      - Action if another run of this task is active, or if a run of another task uses one of its paths. V(skip) skips
        the new run. V(wait) waits until the other run ends.
      - "Default: V(skip)."
    type: str
    choices: [skip, wait]
  limits:
    description:
      - Resource limits of a run on the host.
    type: dict
    suboptions:
      max_duration:
        description:
          - Time limit for the transfer, in seconds or as a duration such as V(6h). When it is reached, the run fails.
            The next run transfers the remaining files.
          - "Default: no limit."
        type: str
      max_stall:
        description:
          - Time limit without progress, in seconds or as a duration such as V(30m). A command of rclone that lists,
            transfers, checks and deletes nothing for this long is ended with the reason V(stalled), and O(retries)
            applies. Lower values also shorten the time that rclone waits for a connection. V(0) sets no limit.
          - "Default: V(10m)."
        type: str
      nice:
        description:
          - Scheduling priority, from V(-20) (highest) to V(19) (lowest).
          - "Default: V(0)."
        type: int
      io_weight:
        description:
          - Share of disk access, from V(1) to V(10000). Other services have V(100). V(0) leaves it unset.
          - "Default: V(0)."
        type: int
      memory_max:
        description:
          - Memory limit, such as V(512M), or a percentage of the host's memory.
          - "Default: no limit."
        type: str
      cpu_quota:
        description:
          - Processor time limit, as a percentage of one processor, such as V(50%).
          - "Default: no limit."
        type: str
  retries:
    description:
      - Number of times to retry the transfer after an error.
      - "Default: V(2)."
    type: int
  verify_after:
    description:
      - Comparison of both sides after the transfer, by V(size) or by V(checksum). If they differ, the run fails.
      - If the provider has no checksums, V(checksum) reads both sides completely. FTP and most WebDAV servers have
        none. The message of the run says what was compared.
      - The run also fails if rclone skipped objects of the source, for example because of their names.
      - "Default: V(none)."
    type: str
    choices: [none, size, checksum]
  notify:
    description:
      - Targets of notifications. The task sends a notification when it begins to fail, when it succeeds again, and when
        a run is overdue.
      - V(mailto:ops@example.com) sends an email.
      - V(https://HOST/PATH) calls a webhook with JSON.
      - V(ntfy+https://HOST/TOPIC) publishes to an ntfy topic.
      - V(healthchecks+https://HOST/UUID) pings a healthchecks server at every start and end.
      - V(unit:NAME.service) starts a systemd unit.
      - A target can contain a secret. For web addresses, only the host is ever shown.
    type: list
    elements: str
  rclone_args:
    description:
      - Additional global flags of rclone, each as V(--flag) or V(--flag=value). They apply to every command of a run.
      - Flags that select files, such as V(--max-size=1G), apply to listings, guards, plan, transfer and verification.
      - V(--max-transfer), V(--cutoff-mode), V(--size-only) and V(--ignore-size) apply only to plan and transfer.
      - Flags of a backend, such as V(--drive-skip-gdocs), are refused. Set the backend's option in
        O(provider_options), or in the credential. Flags of the backend C(local) are accepted.
      - A flag that this module already has an option for is refused, with the reason. So are flags that make a run
        unsafe, secrets in a value, and flags that the rclone of the host does not have.
    type: list
    elements: str
  user:
    description:
      - User on the host who runs rclone and the hooks.
      - "Default: V(root)."
    type: str
  reverse_of:
    description:
      - Name of the task on this host that this task restores. The options are copied from that task, and the direction
        is reversed. Options that you set override the copied ones.
      - The new task is disabled, and its mode is V(copy), which deletes nothing. O(mode=sync) deletes every file in
        O(path) that is not in the backup.
      - Hooks, snapshot and O(keep_deleted) are not copied. O(guards.mounted) is copied only if it contains O(path).
    type: str
"""
