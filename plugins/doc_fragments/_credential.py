# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this doc fragment is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Document the options that declare one credential."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  name:
    description:
      - Name of the credential.
      - 1 to 63 letters, digits, C(.), C(_) and C(-). The first character is a letter or a digit.
    type: str
    required: true
  provider:
    description:
      - Type of storage, by rclone's name, such as V(s3), V(b2), V(azureblob), V(drive), V(sftp) or V(webdav).
      - The names that TrueNAS uses, such as V(AZUREBLOB) or V(STORJ_IX), are accepted for the same providers.
      - Required, unless the credential is removed.
    type: str
  attributes:
    description:
      - Public options of the provider, by rclone's names.
      - Passwords, keys and tokens are refused here. Put them in O(secrets).
      - Booleans, numbers, lists and dictionaries are converted to the format of rclone's configuration. An option that
        means text accepts only text. Write numbers in quotes.
      - With O(provider=sftp), C(known_hosts) contains the lines of a known_hosts file. The server's host key is checked
        against these lines.
      - Without C(known_hosts), the host key is checked against the file that C(known_hosts_file) names. The default is
        C(/etc/ssh/ssh_known_hosts) if it exists, or else C(~/.ssh/known_hosts) of the user who runs the task.
      - Without any known host keys, the login is refused. With C(known_hosts) set to V(none), the host key is not
        checked, and a warning is shown.
      - The file C(docs/providers.md) has an example for each provider.
    type: dict
  secrets:
    description:
      - Secret options of the provider, in clear text, by rclone's names. Keep them in Ansible Vault.
      - Options that rclone stores obscured are obscured by the collection. Do not use C(rclone obscure) on them.
      - Any option of the provider can be set here. Only the names of these options are ever shown.
    type: dict
  description:
    description:
      - Free text that describes the credential.
    type: str
"""
