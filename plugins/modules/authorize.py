#!/usr/bin/python
# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: authorize
author:
  - skyhaul contributors (@skyhaul)
short_description: Log in to a provider in a browser
version_added: 1.0.0
description:
  - Logs in to a provider such as Google Drive, OneDrive or Dropbox in a browser, as C(rclone authorize) does. The token
    is stored in a file of variables that is encrypted with Ansible Vault.
  - The module runs on the control node. It shows the address to open, opens a browser on a desktop, and waits until you
    have allowed the access.
  - The token never appears in the output or in a result. It is never written in clear text.
  - An existing file is replaced only with O(replace=true), and only if it contains nothing except the login.
requirements:
  - rclone >= 1.60 on the control node
  - a vault password (C(--ask-vault-pass) or C(--vault-password-file))
extends_documentation_fragment:
  - skyhaul.cloudsync._attributes
attributes:
  check_mode:
    support: full
    details: The module checks the options, the file and the vault password. It does not log in.
  diff_mode:
    support: none
    details: All changes are secret.
  action:
    description: Indicates that the module runs on the control node.
    support: full
options:
  provider:
    description:
      - Provider, by the name that a credential uses for it.
      - Only providers with a login in a browser are supported.
    type: str
    required: true
  file:
    description:
      - File to write, relative to the current directory of C(ansible-playbook). Missing directories are created.
      - The file is encrypted with the vault password of the play.
    type: path
    required: true
  variable:
    description:
      - Name of the variable in the file. The variable is a dictionary of C(provider), C(attributes) and C(secrets), as
        in M(skyhaul.cloudsync.credential).
      - "Default: C(cloudsync_login_) followed by the provider, such as C(cloudsync_login_drive)."
    type: str
  attributes:
    description:
      - Attributes of the login, such as C(scope) of Google Drive, or C(region) of Zoho and OneDrive. They are stored
        together with the token.
    type: dict
    default: {}
  client_id:
    description:
      - ID of your own OAuth client. It is stored together with the token, which cannot be used without it.
      - "Default: rclone's own client."
    type: str
  client_secret:
    description:
      - Secret of your own OAuth client.
    type: str
  drive_id:
    description:
      - ID of the OneDrive drive that the credential uses.
      - "Default: the account's own drive."
    type: str
  graph_url:
    description:
      - Address of Microsoft Graph, which lists the OneDrive drives.
      - "Default: the address for the C(region)."
    type: str
  vault_id:
    description:
      - ID of the vault password that encrypts the file, if the play has several.
      - "Default: the setting C(vault_encrypt_identity) of Ansible."
    type: str
  open_browser:
    description:
      - Whether to open a browser if there is a desktop. The address is always shown.
    type: bool
    default: true
  timeout:
    description:
      - Number of seconds to wait for the login.
    type: int
    default: 300
  replace:
    description:
      - Whether to log in again and replace an existing login in the file.
    type: bool
    default: false
seealso:
  - module: skyhaul.cloudsync.credential
"""

EXAMPLES = r"""
- name: Log in to Google Drive
  skyhaul.cloudsync.authorize:
    provider: drive
    file: group_vars/all/vault_drive.yml
  delegate_to: localhost
  run_once: true

# The file must be one of the variable files of the play.
- name: Use the login
  skyhaul.cloudsync.credential:
    name: gdrive
    provider: drive
    attributes: "{{ cloudsync_login_drive.attributes }}"
    secrets: "{{ cloudsync_login_drive.secrets }}"
"""

RETURN = r"""
file:
  description: Path of the file.
  returned: success
  type: str
  sample: /home/admin/fleet/group_vars/all/vault_drive.yml
variable:
  description: Name of the variable in the file.
  returned: success
  type: str
  sample: cloudsync_login_drive
drives:
  description: OneDrive drives that you can choose. Empty without a new login, and for other providers.
  returned: success
  type: list
  elements: dict
  contains:
    drive_id:
      description: ID of the drive, for O(drive_id).
      type: str
    drive_type:
      description: Type of the drive, V(personal), V(business) or V(documentLibrary).
      type: str
    name:
      description: Name of the drive.
      type: str
    description:
      description: Description of the drive.
      type: str
    default:
      description: Whether the drive is the account's own.
      type: bool
reason:
  description: Reason of the failure, such as V(auth).
  returned: failure
  type: str
  sample: auth
"""
