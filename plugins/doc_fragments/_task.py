# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this doc fragment is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Document the options that only a stored task has. The others are in ``_transfer`` and ``_encryption``."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  name:
    description:
      - Name of the task.
      - 1 to 63 letters, digits, C(.), C(_) and C(-). The first character is a letter or a digit.
    type: str
    required: true
  description:
    description:
      - Free text that describes the task.
    type: str
  schedule:
    description:
      - Schedule of the task. Set O(schedule.preset), or O(schedule.cron), or one or more of O(schedule.minute),
        O(schedule.hour), O(schedule.day), O(schedule.month) and O(schedule.weekday).
      - Without a schedule, the task runs only when you start it.
      - The lookup P(skyhaul.cloudsync.schedule_preview#lookup) shows the start times of a schedule.
    type: dict
    suboptions:
      preset:
        description:
          - Named schedule. V(hourly) runs on the hour, and V(daily) at midnight. V(weekly) runs at midnight on
            Sunday, and V(monthly) at midnight on the first day of the month.
        type: str
        choices: [hourly, daily, weekly, monthly]
      cron:
        description:
          - Cron expression with five fields, such as V(30 2 * * mon-fri), or a macro such as V(@daily).
          - If you set both a day of the month and a weekday, the task runs on every day that matches either of them.
        type: str
      minute:
        description:
          - Minute, as a cron field.
          - "Default: V(0) if you set any of the other cron fields."
        type: str
      hour:
        description:
          - Hour, as a cron field.
          - "Default: V(*) if you set any of the other cron fields."
        type: str
      day:
        description:
          - Day of the month, as a cron field.
          - "Default: V(*) if you set any of the other cron fields."
        type: str
      month:
        description:
          - Month, as a cron field of numbers or three-letter names.
          - "Default: V(*) if you set any of the other cron fields."
        type: str
      weekday:
        description:
          - Weekday, as a cron field of numbers or three-letter names. V(0) and V(7) are Sunday.
          - "Default: V(*) if you set any of the other cron fields."
        type: str
      timezone:
        description:
          - Time zone of the schedule, as a canonical name of the time zone database, such as V(Europe/Berlin) or
            V(Etc/UTC).
          - "Default: the time zone of the host."
        type: str
      begin:
        description:
          - Earliest time of day for a start, as C(HH:MM) in quotes.
          - If O(schedule.end) is earlier than O(schedule.begin), the window lasts over midnight.
        type: str
      end:
        description:
          - Latest time of day for a start, as C(HH:MM) in quotes. An active run continues after this time.
        type: str
      spread:
        description:
          - Maximum random delay of each start, in seconds or as a duration such as V(10m).
          - The delay of a host is always the same, so the runs of a fleet are spread evenly.
          - The value must be shorter than the shortest time between two starts.
          - "Default: V(0)."
        type: str
      catch_up:
        description:
          - Whether to start the task at boot if a start was missed while the host was down.
          - "Default: V(false)."
        type: bool
  enabled:
    description:
      - Whether the schedule is active. You can still start a disabled task yourself.
      - "Default: V(true)."
    type: bool
  drill:
    description:
      - Restore drills of a push with mode V(copy) or V(sync). A drill chooses some files of the destination at
        random, and restores them to a new folder. It compares each of them with its source, and removes them.
      - It fails if a file cannot be restored or is different. It also fails if a name cannot be decrypted, or if a file
        of the last successful run is missing. The message names the files.
      - Without O(drill.schedule), a drill starts only when you start it, as C(cloudsync drill TASK) or as the task
        C(drill-TASK) of the module P(skyhaul.cloudsync.run#module). That is also the name of its records.
      - "Default: no drills."
    type: dict
    suboptions:
      schedule:
        description:
          - Schedule of the drills, with the same options as O(schedule).
        type: dict
        suboptions:
          preset:
            description:
              - Named schedule. V(hourly) runs on the hour, and V(daily) at midnight. V(weekly) runs at midnight on
                Sunday, and V(monthly) at midnight on the first day of the month.
            type: str
            choices: [hourly, daily, weekly, monthly]
          cron:
            description:
              - Cron expression with five fields, such as V(30 2 * * mon-fri), or a macro such as V(@daily).
              - If you set both a day of the month and a weekday, a drill runs on every day that matches either of them.
            type: str
          minute:
            description:
              - Minute, as a cron field.
              - "Default: V(0) if you set any of the other cron fields."
            type: str
          hour:
            description:
              - Hour, as a cron field.
              - "Default: V(*) if you set any of the other cron fields."
            type: str
          day:
            description:
              - Day of the month, as a cron field.
              - "Default: V(*) if you set any of the other cron fields."
            type: str
          month:
            description:
              - Month, as a cron field of numbers or three-letter names.
              - "Default: V(*) if you set any of the other cron fields."
            type: str
          weekday:
            description:
              - Weekday, as a cron field of numbers or three-letter names. V(0) and V(7) are Sunday.
              - "Default: V(*) if you set any of the other cron fields."
            type: str
          timezone:
            description:
              - Time zone of the schedule, as a canonical name of the time zone database, such as V(Europe/Berlin) or
                V(Etc/UTC).
              - "Default: the time zone of the host."
            type: str
          begin:
            description:
              - Earliest time of day for a start, as C(HH:MM) in quotes.
              - If O(drill.schedule.end) is earlier than O(drill.schedule.begin), the window lasts over midnight.
            type: str
          end:
            description:
              - Latest time of day for a start, as C(HH:MM) in quotes. An active drill continues after this time.
            type: str
          spread:
            description:
              - Maximum random delay of each start, in seconds or as a duration such as V(10m).
              - The delay of a host is always the same, so the runs of a fleet are spread evenly.
              - The value must be shorter than the shortest time between two starts.
              - "Default: V(0)."
            type: str
          catch_up:
            description:
              - Whether to start a drill at boot if a start was missed while the host was down.
              - "Default: V(false)."
            type: bool
      files:
        description:
          - Number of files to restore, such as V(20), or a percentage of the files, such as V(5%).
          - "Default: V(20)."
        type: str
      max_bytes:
        description:
          - Largest total size of the files of one drill, with a unit, such as V(500M) or V(1G). Larger files are never
            restored by a drill.
          - "Default: V(1G)."
        type: str
      scratch:
        description:
          - Folder on the host for the restored files, outside of O(path). The drill creates a folder in it, and removes
            that.
          - "Default: a folder in C(/var/lib/cloudsync)."
        type: str
  shard:
    description:
      - Part of the files that this host transfers. Hosts that share a file system can each transfer one part of
        O(path), at the same time. The hash of a file's path decides which part it belongs to.
      - All hosts of such a task have the same name, O(path), O(remote_path) and number of parts. A run looks at its own
        part of both sides only, so it deletes nothing of another part. A restore without C(at) restores all parts.
      - The variable C(cloudsync_shard_group) of the role P(skyhaul.cloudsync.sync_tasks#role) sets both values.
      - Requires rclone 1.70 or later.
      - "Default: all files."
    type: dict
    suboptions:
      index:
        description:
          - Number of the part. You can count from V(0), or from V(1) as rclone does. The last part is also part V(0).
        type: int
        required: true
      count:
        description:
          - Number of parts, from V(1) to V(1000).
        type: int
        required: true
"""
