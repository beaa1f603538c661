# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this doc fragment is **PRIVATE** to the collection. It can have breaking changes at any time.

"""What one transfer can say, as a task that is kept or as a run that happens once."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  credential:
    description:
      - The name of the credential to log in with. The host must have it.
      - Required, unless O(reverse_of) gives it.
    type: str
  direction:
    description:
      - V(push) transfers from O(path) on the host to O(remote_path) at the provider, V(pull) the other way.
      - A provider that is read-only can only be pulled from.
      - Required, unless O(reverse_of) gives it.
    type: str
    choices: [push, pull]
  mode:
    description:
      - V(copy) copies new and changed files, and deletes nothing.
      - V(sync) makes the destination equal to the source. It deletes files that only the destination has.
      - V(move) copies, and then deletes at the source what was copied.
      - The default is V(copy).
    type: str
    choices: [sync, copy, move]
  path:
    description:
      - The folder on the host, an absolute path. V(/) is refused, unless O(guards.allow_root) is set.
      - The source of a push must be there when it runs. The folder of a pull is created when it is missing.
      - Required, unless O(reverse_of) gives it.
    type: str
  remote_path:
    description:
      - The folder at the provider. On providers with buckets, the first part names the bucket. On SFTP, a path without
        a leading slash begins at the user's home directory.
      - For O(mode=sync), the root of a bucket, or of a remote without buckets, is refused, unless
        O(guards.allow_root) is set.
      - The default is the top of the remote.
    type: str
  provider_options:
    description:
      - Options of the credential's provider that hold for this task only, by rclone's names, such as C(storage_class),
        C(server_side_encryption) or C(chunk_size). A secret is refused here.
      - C(fast_list) with the value V(true) lists with fewer requests and more memory.
      - C(checkers), C(tpslimit) and C(multi_thread_cutoff) are rclone's global flags, for this task.
      - Where the credential has TrueNAS's name of the provider, TrueNAS's options and values are understood, such as
        C(encryption) for V(S3), or C(chunk_size) in MiB for V(B2).
      - Sizes need a unit, as in V(96Mi).
      - C(cleanup) with the value V(true), on Backblaze B2, removes after each successful push all versions below
        O(remote_path) that were overwritten or deleted. Without it, B2 keeps them until a lifecycle rule of the bucket
        removes them.
    type: dict
  include:
    description:
      - Patterns of rclone. When there is one, only files that match one of them are transferred.
    type: list
    elements: str
  exclude:
    description:
      - Patterns of rclone, such as V(*.tmp) or V(/cache/**). Files that match one of them are left out, O(include) or
        not. A sync does not delete them at the destination either.
    type: list
    elements: str
  bandwidth:
    description:
      - A timetable of limits, by the clock of the host. Each limit holds until the next time. The times are in rising
        order.
      - The default is no limit.
    type: list
    elements: dict
    suboptions:
      time:
        description:
          - From when on the limit holds, V(HH:MM) each day, or V(Mon-HH:MM) on one day of the week. Put it in quotes.
        type: str
        required: true
      limit:
        description:
          - Bytes per second with a unit (V(512K), V(10M)), a pair of upload and download (V(1M:10M)), or V(off).
        type: str
        required: true
  transfers:
    description:
      - How many files are transferred at the same time.
      - The default is rclone's, which is 4.
    type: int
  follow_symlinks:
    description:
      - Whether to transfer what a symbolic link points to. Otherwise symbolic links are left out.
      - The default is V(false).
    type: bool
  create_empty_dirs:
    description:
      - Whether folders without files are created at the destination, too.
      - The default is V(false).
    type: bool
  encryption:
    description:
      - Encrypt what is at O(remote_path), so that the provider sees neither content nor names (rclone crypt).
      - Before each run the password is tried on what is there. A wrong one refuses the run.
    type: dict
    suboptions:
      password:
        description:
          - The crypt password, in clear. Keep it in Ansible Vault. Without it and the salt the data is lost.
        type: str
        required: true
      salt:
        description:
          - A second password, which salts the first one.
        type: str
      filenames:
        description:
          - V(standard) encrypts the names of files, V(obfuscate) makes them hard to read, V(off) leaves them as they
            are.
          - The default is V(standard).
        type: str
        choices: [standard, obfuscate, 'off']
      directory_names:
        description:
          - Whether the names of folders are encrypted, too.
          - The default is V(true).
        type: bool
  snapshot:
    description:
      - Push from a snapshot of the volume that holds O(path), so that files that change meanwhile are transferred as
        they were at one moment. It is removed after the run.
      - V(auto) uses whichever of ZFS, btrfs and LVM the volume is on. The run is refused when it is on none of them.
      - Not with O(direction=pull) or O(mode=move).
      - The default is V(none).
    type: str
    choices: [none, auto, zfs, btrfs, lvm]
  guards:
    description:
      - What must hold before anything is touched. A run that a guard refuses fails, with the guard as its reason.
      - That the source exists and is a directory is always checked.
    type: dict
    suboptions:
      empty_source:
        description:
          - Whether a V(sync) or V(move) may run when the source holds no file that the filters let through. On object
            stores a folder that does not exist looks empty.
          - The default is V(refuse).
        type: str
        choices: [refuse, allow]
      mounted:
        description:
          - A mount point that must be mounted, such as V(/mnt/data).
        type: path
      marker:
        description:
          - A file that must exist in the source, relative to it.
        type: str
      allow_root:
        description:
          - Whether the path may be V(/), and the remote path of a V(sync) the root of a bucket or remote.
          - The default is V(false).
        type: bool
      max_delete:
        description:
          - How many files a run may delete at the destination, as a count (V(100)) or as a percentage of the files
            that the destination holds now (V(10%)). It is checked on the plan, so either all is deleted or nothing.
          - The default is no limit.
        type: str
  keep_deleted:
    description:
      - Keep the files that a run deletes or overwrites at the destination.
    type: dict
    suboptions:
      path:
        description:
          - Where they are kept, on the side of the destination, in a folder for each run. For a push it begins with
            the bucket, as the remote path does, and with encryption it must be inside the remote path.
        type: str
        required: true
      days:
        description:
          - How many days they are kept. V(0) is for ever.
          - The default is V(0).
        type: int
  hooks:
    description:
      - Commands of your own, each the absolute path of a program, or shell text. They see the facts of the run as
        environment variables C(CLOUDSYNC_TASK), C(CLOUDSYNC_RUN_ID), C(CLOUDSYNC_STATE), C(CLOUDSYNC_REASON) and so
        on, and never a secret.
      - A task with hooks runs outside of the sandbox that systemd gives the others.
    type: dict
    suboptions:
      before:
        description:
          - Before anything else. When it fails, the run fails with the reason V(hook).
        type: str
      success:
        description:
          - After a run that did all that it had to do.
        type: str
      failure:
        description:
          - After a run that did not succeed, however it ended. After a kill it runs at the next start.
        type: str
      always:
        description:
          - After every run, last.
        type: str
      timeout:
        description:
          - How long each of them may take, in seconds or as a length such as V(10m).
          - The default is V(1h).
        type: str
  on_overlap:
    description:
      - What a run does while another run of the task is under way, or a run of another task uses one of its paths.
        V(skip) ends it as skipped, V(wait) waits.
      - The default is V(skip).
    type: str
    choices: [skip, wait]
  limits:
    description:
      - What a run may use of the host.
    type: dict
    suboptions:
      max_duration:
        description:
          - How long the transfer may take, in seconds or as a length such as V(6h). Then the run fails, and the next
            one goes on with the rest.
          - The default is no limit.
        type: str
      nice:
        description:
          - The scheduling priority, from V(-20) (first) to V(19) (last).
          - The default is V(0).
        type: int
      io_weight:
        description:
          - The share of disk access, from V(1) to V(10000), where other services have 100. V(0) leaves it unset.
          - The default is V(0).
        type: int
      memory_max:
        description:
          - The most memory, such as V(512M), or a percentage of the host's.
        type: str
      cpu_quota:
        description:
          - The most processor time, as a percentage of one processor, such as V(50%).
        type: str
  retries:
    description:
      - How often the transfer is tried again after an error.
      - The default is V(2).
    type: int
  verify_after:
    description:
      - Compare both sides after the transfer, by V(size) or by V(checksum). A difference fails the run.
      - The default is V(none).
    type: str
    choices: [none, size, checksum]
  notify:
    description:
      - Whom to tell when the task begins to fail, when it works again, and when a run is overdue.
      - 'Each is one of V(mailto:ops@example.com), V(https://HOST/PATH) (a webhook that gets JSON),
        V(ntfy+https://HOST/TOPIC), V(healthchecks+https://HOST/UUID) (pinged at every start and end) and
        V(unit:NAME.service) (a unit to start).'
      - An address can hold a secret. Of web addresses only the host is ever shown.
    type: list
    elements: str
  rclone_args:
    description:
      - Further options for rclone, each as V(--flag) or V(--flag=value). Those that an option of this module stands
        for, and those that would break a promise of the collection, are refused with the reason.
    type: list
    elements: str
  user:
    description:
      - The user on the host whom rclone and the hooks run as.
      - The default is V(root).
    type: str
  reverse_of:
    description:
      - The name of a task on this host whose restore this is. The options are those of that task, with the other
        direction, disabled, and without hooks, snapshot, O(keep_deleted), O(guards.mounted) and O(guards.marker). A
        V(move) becomes a V(copy). A V(sync) stays one, and deletes what else is in O(path); say O(mode=copy) when that
        is not wanted. In a one-time run that is the default.
      - What is given beside it wins.
    type: str
"""
