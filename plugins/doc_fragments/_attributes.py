# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this doc fragment is **PRIVATE** to the collection. It can have breaking changes at any time.

"""What the documentation of every module says about check mode, diff mode and the host."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
attributes:
  check_mode:
    description: Can run in C(check_mode) and return changed status prediction without modifying target.
  diff_mode:
    description: >-
      Will return details on what has changed (or possibly needs changing in C(check_mode)), when in diff mode.
"""

    CHANGES = r"""
attributes:
  check_mode:
    support: full
    details: The prediction is exact. Nothing is written on the host.
  diff_mode:
    support: full
    details:
      - The diff has no secret in it. A secret that is set is shown as C((set)), one that gets another value as
        C((new value)).
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
  - Run it as root (C(become)), unless E(CLOUDSYNC_ROOT) is set.
  - The environment variable E(CLOUDSYNC_ROOT), for the module's process, moves everything that the collection keeps
    on a host, units included, below another directory. No system manager is then asked to reload or start anything.
    This serves tests, demos and image builds.
"""
