#!/usr/bin/python
# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: remote_info
author:
  - skyhaul contributors (@skyhaul)
short_description: Log in at a storage provider and list what is there
version_added: 1.0.0
description:
  - Logs in from the host with a stored credential, that of a task, or one that is only given here, and lists the
    buckets, folders and files at a path. A login that fails is a failure with the reason.
  - A token that rclone refreshes meanwhile is kept in the stored credential.
  - One connection error ends it. A run is more patient.
requirements:
  - rclone >= 1.60 on the host
  - cryptography (Python library) on the host, for a stored credential
extends_documentation_fragment:
  - skyhaul.cloudsync._attributes
  - skyhaul.cloudsync._attributes.info
  - skyhaul.cloudsync._attributes.host
options:
  credential:
    description:
      - The name of a stored credential.
      - One of this, O(task) and O(provider) is required.
    type: str
  task:
    description:
      - The name of a task, to see what it has at its provider as the task sees it, with its credential, below its
        remote path, and decrypted when it is encrypted.
    type: str
  provider:
    description:
      - The provider of a credential that is not stored, as in O(skyhaul.cloudsync.credential#module:provider).
    type: str
  attributes:
    description:
      - Its public options, as in O(skyhaul.cloudsync.credential#module:attributes).
    type: dict
  secrets:
    description:
      - Its secrets, as in O(skyhaul.cloudsync.credential#module:secrets).
    type: dict
  encryption:
    description:
      - Decrypt the names, as O(skyhaul.cloudsync.task#module:encryption) of a task whose remote path is O(path).
    type: dict
    suboptions:
      password:
        description:
          - The crypt password, in clear.
        type: str
        required: true
      salt:
        description:
          - A second password, which salts the first one.
        type: str
      filenames:
        description:
          - How names of files are encrypted. The default is V(standard).
        type: str
        choices: [standard, obfuscate, 'off']
      directory_names:
        description:
          - Whether the names of folders are encrypted, too. The default is V(true).
        type: bool
  path:
    description:
      - What to list. On providers with buckets, the first part names the bucket. With O(task), it is below the remote
        path of the task, as a decrypted path.
      - The default is the top.
    type: str
  recurse:
    description:
      - List everything below O(path), too. On a large bucket this takes long, and there is a limit of 120 seconds.
    type: bool
    default: false
seealso:
  - module: skyhaul.cloudsync.credential
"""

EXAMPLES = r"""
- name: List the buckets of an account
  skyhaul.cloudsync.remote_info:
    credential: offsite
  register: top

- name: Look into one folder
  skyhaul.cloudsync.remote_info:
    credential: offsite
    path: example-backups/web1
  register: folder

- name: Show how much is there
  ansible.builtin.debug:
    msg: "{{ folder.entries | rejectattr('is_dir') | map(attribute='size') | sum }} bytes"

- name: See what an encrypted task has at its provider, names decrypted
  skyhaul.cloudsync.remote_info:
    task: documents
    path: letters
  register: letters

- name: Try a login before it is declared
  skyhaul.cloudsync.remote_info:
    provider: sftp
    attributes:
      host: sftp.example.com
      user: backup
    secrets:
      pass: "{{ vault_sftp_password }}"
"""

RETURN = r"""
path:
  description: The path that was listed, empty for the top.
  returned: success
  type: str
  sample: example-backups/web1
entries:
  description: What is there.
  returned: success
  type: list
  elements: dict
  contains:
    path:
      description: The path, relative to O(path).
      type: str
      sample: etc/hosts
    name:
      description: The last part of the path.
      type: str
      sample: hosts
    size:
      description: The size in bytes. V(-1) for folders, and for files whose size the provider does not tell.
      type: int
      sample: 220
    is_dir:
      description: Whether it is a folder or a bucket.
      type: bool
      sample: false
    is_bucket:
      description: Whether it is a bucket, container or share.
      type: bool
      sample: false
    modified:
      description: When it was modified, as ISO 8601.
      type: str
      sample: "2027-01-31T02:30:04.000000000Z"
undecryptable:
  description: >-
    Names, as the provider has them, that the encryption does not open. They are not among RV(entries). When nothing at
    all can be decrypted, the listing fails with the reason V(crypt_password).
  returned: success
  type: list
  elements: str
  sample: []
reason:
  description: One word for what is wrong, such as V(auth), V(network), V(not_found) or V(usage).
  returned: failure
  type: str
  sample: not_found
"""

from typing import Any, Dict

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._argspec import encryption_spec
from ..module_utils._engine.config.task_parser import parse_encryption
from ..module_utils._engine.host import Host
from ..module_utils._engine.operations.browse import Where, browse_task, browse_with
from ..module_utils._module import run_module, select_parameters

UNSAVED = {
    "provider": {"type": "str"},
    "attributes": {"type": "dict"},
    "secrets": {"type": "dict", "no_log": True},
}


def answer(module: AnsibleModule, host: Host) -> Dict[str, Any]:
    """List a path as a task sees it, or with a stored or a given credential."""
    task, path, recurse = module.params["task"], module.params["path"] or "", module.params["recurse"]
    if task:
        listing = browse_task(host, task, path, recurse)
    else:
        encryption = parse_encryption(module.params["encryption"])
        where = Where(root=path, encryption=encryption) if encryption else Where(path)
        listing = browse_with(host, module.params["credential"], select_parameters(module, UNSAVED), where, recurse)
    return {"changed": False, "path": path, "entries": listing.entries, "undecryptable": listing.undecryptable}


def main() -> None:
    run_module(
        dict(
            UNSAVED,
            credential={"type": "str"},
            task={"type": "str"},
            encryption={"type": "dict", "options": encryption_spec()},
            path={"type": "str"},
            recurse={"type": "bool", "default": False},
        ),
        answer,
        required_one_of=[("task", "credential", "provider")],
        mutually_exclusive=[
            ("task", "credential", "provider"),
            ("task", "encryption"),
            ("credential", "attributes"),
            ("credential", "secrets"),
        ],
    )


if __name__ == "__main__":
    main()
