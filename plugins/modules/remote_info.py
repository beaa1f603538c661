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
short_description: Log in to a storage provider and list files
version_added: 1.0.0
description:
  - Logs in from the host and lists the buckets, folders and files at a path. If the login fails, the module fails with
    the reason.
  - Returns the versioning and the lifecycle rules of the bucket that contains the path, if rclone can read them.
  - The login uses a stored credential, the credential of a task, or the options of a credential that is not stored.
  - If rclone refreshes the token of a stored credential, the new token is stored.
  - A connection error is not retried, unlike in a run.
requirements:
  - rclone >= 1.60 on the host
  - cryptography (Python library) on the host, for a stored credential
extends_documentation_fragment:
  - skyhaul.cloudsync._attributes
  - skyhaul.cloudsync._attributes.info
  - skyhaul.cloudsync._attributes.host
  - skyhaul.cloudsync._encryption
options:
  credential:
    description:
      - Name of a stored credential.
      - Exactly one of O(credential), O(task) and O(provider) is required.
    type: str
  task:
    description:
      - Name of a task. The module uses its credential, lists files below its remote path, and decrypts their names if
        the task is encrypted.
    type: str
  provider:
    description:
      - Provider of a credential that is not stored, as in O(skyhaul.cloudsync.credential#module:provider).
    type: str
  attributes:
    description:
      - Public options of that credential, as in O(skyhaul.cloudsync.credential#module:attributes).
    type: dict
  secrets:
    description:
      - Secrets of that credential, as in O(skyhaul.cloudsync.credential#module:secrets).
    type: dict
  encryption:
    description:
      - Encryption of the files at O(path), to decrypt their names. The suboptions are those of
        O(skyhaul.cloudsync.task#module:encryption).
    type: dict
  path:
    description:
      - Path to list. On providers with buckets, the first part of the path is the bucket.
      - With O(task), the path is relative to the remote path of the task, with decrypted names.
      - "Default: the top."
    type: str
  recurse:
    description:
      - Whether to list all files and folders below O(path). The time limit of 120 seconds can be too short for a large
        bucket.
    type: bool
    default: false
  at:
    description:
      - Moment of the past to list, with O(task). Use ISO 8601, or the ID of a run, as in
        O(skyhaul.cloudsync.run#module:at).
    type: str
seealso:
  - module: skyhaul.cloudsync.bucket
  - module: skyhaul.cloudsync.credential
"""

EXAMPLES = r"""
- name: List the buckets of an account
  skyhaul.cloudsync.remote_info:
    credential: offsite
  register: top

- name: List one folder
  skyhaul.cloudsync.remote_info:
    credential: offsite
    path: example-backups/web1
  register: folder

- name: Show the total size of the files
  ansible.builtin.debug:
    msg: "{{ folder.entries | rejectattr('is_dir') | map(attribute='size') | sum }} bytes"

- name: List the files of an encrypted task, with decrypted names
  skyhaul.cloudsync.remote_info:
    task: documents
    path: letters
  register: letters

- name: List the files as they were after a run
  skyhaul.cloudsync.remote_info:
    task: documents
    recurse: true
    at: "2027-01-31T02:30:00+01:00"

- name: Test a login before you declare the credential
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
  description: Path that was listed. Empty for the top.
  returned: success
  type: str
  sample: example-backups/web1
entries:
  description: Files, folders and buckets at the path.
  returned: success
  type: list
  elements: dict
  contains:
    path:
      description: Path of the entry, relative to O(path).
      type: str
      sample: etc/hosts
    name:
      description: Last part of the path.
      type: str
      sample: hosts
    size:
      description: Size in bytes. V(-1) for folders, and for files with an unknown size.
      type: int
      sample: 220
    is_dir:
      description: Whether the entry is a folder or a bucket.
      type: bool
      sample: false
    is_bucket:
      description: Whether the entry is a bucket, container or share.
      type: bool
      sample: false
    modified:
      description: Time of the last modification, as ISO 8601.
      type: str
      sample: "2027-01-31T02:30:04.000000000Z"
versioning:
  description:
    - Versioning of the bucket that contains the path, V(enabled), V(suspended) or V(unversioned).
    - Null if RV(unknown) says why it cannot be read.
  returned: success
  type: str
  version_added: 1.1.0
  sample: enabled
lifecycle:
  description:
    - Lifecycle rules of the bucket that contains the path, in the words of B2.
    - Null if RV(unknown) says why they cannot be read.
  returned: success
  type: list
  elements: dict
  version_added: 1.1.0
  sample:
    - fileNamePrefix: ""
      daysFromHidingToDeleting: 30
      daysFromUploadingToHiding: null
      daysFromStartingToCancelingUnfinishedLargeFiles: null
object_lock:
  description:
    - Object lock of the bucket that contains the path. Null, because rclone cannot read it at any provider yet.
  returned: success
  type: bool
  version_added: 1.1.0
  sample: null
unknown:
  description: For each of V(versioning), V(lifecycle) and V(object_lock) that is null, a sentence that says why.
  returned: success
  type: dict
  version_added: 1.1.0
  sample:
    object_lock: rclone cannot read the object lock of a bucket at the provider b2.
undecryptable:
  description:
    - Names at the provider that cannot be decrypted. They are not included in RV(entries).
    - If no name can be decrypted, the module fails with the reason V(crypt_password).
  returned: success
  type: list
  elements: str
  sample: []
reason:
  description: Reason of the failure, such as V(auth), V(network), V(not_found) or V(usage).
  returned: failure
  type: str
  sample: not_found
"""

from typing import Any, Dict

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._argspec import build_encryption_spec
from ..module_utils._engine.buckets.facts import explain_no_facts
from ..module_utils._engine.config.task_parser import parse_encryption
from ..module_utils._engine.host import Host
from ..module_utils._engine.operations.browse import Listing, Where, browse_task, browse_with, explain_untried_listing
from ..module_utils._engine.operations.look import browse_past
from ..module_utils._module import run_module, select_parameters

UNSAVED = {
    "provider": {"type": "str"},
    "attributes": {"type": "dict"},
    "secrets": {"type": "dict", "no_log": True},
}


def list_remote(module: AnsibleModule, host: Host) -> Dict[str, Any]:
    """List a path of a task, of a stored credential, or of a credential that is not stored."""
    task, path, recurse = module.params["task"], module.params["path"] or "", module.params["recurse"]
    untried = explain_untried_listing(host, module.params["credential"], task) if module.check_mode else None
    if untried:
        return {**_build_result(path, Listing(path, [], facts=explain_no_facts(untried))), "warnings": [untried]}
    if task and module.params["at"]:
        listing = browse_past(host, task, path, recurse, module.params["at"])
    elif task:
        listing = browse_task(host, task, path, recurse)
    else:
        encryption = parse_encryption(module.params["encryption"])
        where = Where(root=path, encryption=encryption) if encryption else Where(path)
        listing = browse_with(host, module.params["credential"], select_parameters(module, UNSAVED), where, recurse)
    return _build_result(path, listing)


def _build_result(path: str, listing: Listing) -> Dict[str, Any]:
    return {
        "changed": False,
        "path": path,
        "entries": listing.entries,
        "undecryptable": listing.undecryptable,
        "versioning": listing.facts.versioning,
        "lifecycle": listing.facts.lifecycle,
        "object_lock": listing.facts.object_lock,
        "unknown": listing.facts.unknown,
    }


def main() -> None:
    run_module(
        dict(
            UNSAVED,
            credential={"type": "str"},
            task={"type": "str"},
            encryption={"type": "dict", "options": build_encryption_spec()},
            path={"type": "str"},
            recurse={"type": "bool", "default": False},
            at={"type": "str"},
        ),
        list_remote,
        required_one_of=[("task", "credential", "provider")],
        mutually_exclusive=[
            ("task", "credential", "provider"),
            ("task", "encryption"),
            ("credential", "attributes"),
            ("credential", "secrets"),
            ("at", "credential", "provider"),
        ],
        required_by={"at": "task"},
    )


if __name__ == "__main__":
    main()
