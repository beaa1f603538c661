# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this doc fragment is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Document the option ``encryption``."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  encryption:
    description:
      - Encryption of the files at O(remote_path) with rclone crypt. The provider sees neither content nor names.
      - Each run first tests the password on the existing files. A wrong password refuses the run.
    type: dict
    suboptions:
      password:
        description:
          - Crypt password, in clear text. Keep it in Ansible Vault. Without the password and the salt, the data is
            lost.
        type: str
        required: true
      salt:
        description:
          - Second password, which salts the first one.
        type: str
      filenames:
        description:
          - Encryption of file names. V(standard) encrypts them, V(obfuscate) makes them hard to read, and V(off)
            leaves them unchanged.
          - "Default: V(standard)."
        type: str
        choices: [standard, obfuscate, 'off']
      directory_names:
        description:
          - Whether to encrypt the names of folders too.
          - "Default: V(true)."
        type: bool
"""
