# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this doc fragment is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Document check mode, diff mode and the host for every module."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
attributes:
  action_group:
    description: Use C(group/skyhaul.cloudsync.cloudsync) in C(module_defaults) to set defaults for all modules.
    support: full
    membership:
      - skyhaul.cloudsync.cloudsync
  check_mode:
    description: Can run in C(check_mode) and return changed status prediction without modifying target.
  diff_mode:
    description: Returns details on what has changed or will change when in diff mode.
"""

    CHANGES = r"""
attributes:
  check_mode:
    support: full
    details: The prediction is exact. Nothing is written on the host.
  diff_mode:
    support: full
    details:
      - The diff contains no secret. A secret is shown as C((set)), and a changed secret as C((new value)).
"""

    INFO = r"""
attributes:
  check_mode:
    support: full
    details: This module changes nothing.
  diff_mode:
    support: N/A
    details: This module changes nothing.
"""

    HOST = r"""
attributes:
  platform:
    description: Target OS/families that can be operated against.
    support: full
    platforms: posix
notes:
  - Run the module as root (C(become)), unless E(CLOUDSYNC_ROOT) is set.
  - The environment variable E(CLOUDSYNC_ROOT) moves all files of the collection on the host to another directory,
    including the systemd units. The module then does not call systemd. Use it for tests, demos and image builds.
"""
