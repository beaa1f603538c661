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
  - Logs in to a provider such as Google Drive, OneDrive or Dropbox in a browser, as C(rclone authorize) does, and keeps
    the token in a file of variables that is encrypted with Ansible Vault.
  - It runs on the control node, opens a browser on a desktop, shows the address to open, and waits until somebody has
    allowed the access.
  - The token is in no output and in no result. In clear it is only in memory.
  - An existing file is only replaced when O(replace=true), and only when it holds nothing but the login.
requirements:
  - rclone >= 1.60 on the control node
  - a vault password (C(--ask-vault-pass) or C(--vault-password-file))
extends_documentation_fragment:
  - skyhaul.cloudsync._attributes
attributes:
  check_mode:
    support: full
    details: The options, the file and the vault password are checked. Nobody is asked to log in.
  diff_mode:
    support: none
    details: There is nothing to show that is no secret.
  action:
    description: Indicates that this runs on the control node.
    support: full
options:
  provider:
    description:
      - The provider, by the name that a credential uses for it.
      - It must be one that is logged in to in a browser.
    type: str
    required: true
  file:
    description:
      - The file to write, relative to the current directory of C(ansible-playbook). Missing directories are made.
      - It is encrypted with the vault password that the play was started with.
    type: path
    required: true
  variable:
    description:
      - The variable that the file holds, a dictionary of C(provider), C(attributes) and C(secrets) as
        M(skyhaul.cloudsync.credential) takes them.
      - The default is C(cloudsync_login_) and the provider, such as C(cloudsync_login_drive).
    type: str
  attributes:
    description:
      - Attributes that matter for the login, such as C(scope) of Google Drive or C(region) of Zoho and OneDrive. They
        are kept with the token.
    type: dict
    default: {}
  client_id:
    description:
      - The id of a client of your own. It is kept with the token, which is worth nothing without it.
      - Without it, rclone's own client is used.
    type: str
  client_secret:
    description:
      - The secret of that client.
    type: str
  drive_id:
    description:
      - OneDrive's drive that the credential is for. The default is the account's own.
    type: str
  graph_url:
    description:
      - Where Microsoft Graph answers, to list OneDrive's drives. The default is the address for the C(region).
    type: str
  vault_id:
    description:
      - Which vault password encrypts the file, when the play has several. The default is the setting
        C(vault_encrypt_identity) of Ansible.
    type: str
  open_browser:
    description:
      - Whether to open a browser where there is a desktop. The address is shown either way.
    type: bool
    default: true
  timeout:
    description:
      - How many seconds to wait for the login.
    type: int
    default: 300
  replace:
    description:
      - Log in again although the file holds a login, and replace that.
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

# With that file among the variables
- name: Use the login
  skyhaul.cloudsync.credential:
    name: gdrive
    provider: drive
    attributes: "{{ cloudsync_login_drive.attributes }}"
    secrets: "{{ cloudsync_login_drive.secrets }}"
"""

RETURN = r"""
file:
  description: The path of the file.
  returned: success
  type: str
  sample: /home/admin/fleet/group_vars/all/vault_drive.yml
variable:
  description: The name of the variable that it holds.
  returned: success
  type: str
  sample: cloudsync_login_drive
drives:
  description: OneDrive's drives to choose from. Empty when nobody had to log in, and for other providers.
  returned: success
  type: list
  elements: dict
  contains:
    drive_id:
      description: The id, for O(drive_id).
      type: str
    drive_type:
      description: V(personal), V(business) or V(documentLibrary).
      type: str
    name:
      description: Its name.
      type: str
    description:
      description: Its description.
      type: str
    default:
      description: Whether it is the account's own.
      type: bool
reason:
  description: One word for what is wrong.
  returned: failure
  type: str
  sample: auth
"""
