#!/usr/bin/python
# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: bucket
author:
  - skyhaul contributors (@skyhaul)
short_description: Declare a bucket, its versioning and its lifecycle rule
version_added: 1.1.0
description:
  - Creates a bucket at a storage provider, sets its versioning and its lifecycle rule, or removes it while it is empty.
  - The host needs rclone and the credential. It does not need another program or library of the provider.
  - If rclone or the provider cannot do what an option says, the module fails, names the provider and the option, and
    changes nothing.
  - Options that you omit are not changed.
requirements:
  - rclone >= 1.60 on the host
  - cryptography (Python library) on the host
extends_documentation_fragment:
  - skyhaul.cloudsync._attributes
  - skyhaul.cloudsync._attributes.changes
  - skyhaul.cloudsync._attributes.host
options:
  credential:
    description:
      - Name of a stored credential. Its key needs the permissions to create and configure buckets.
      - The bucket is created with the region, the location and the ACL that the credential has. Without a
        C(location_constraint), the location is the region.
    type: str
    required: true
  name:
    description:
      - Name of the bucket, or of the container. It is the first part of the remote path of a task.
    type: str
    required: true
  state:
    description:
      - State of the bucket. V(present) creates it.
      - V(absent) removes it. A bucket with any content is refused. Older versions and deleted files are content, too.
      - With V(absent), do not let other programs write to the bucket. Some servers, such as SeaweedFS, also remove
        files that were written since the check.
      - Not possible for V(smb), V(internetarchive) and V(memory), where rclone creates no buckets. V(absent) is not
        possible for V(azureblob), where rclone cannot list older versions and snapshots.
    type: str
    choices: [present, absent]
    default: present
  versioning:
    description:
      - Versioning of the bucket. V(enabled) keeps the older versions of files that are overwritten or deleted.
        V(suspended) keeps the existing versions, and creates no new ones.
      - Only for the providers V(s3) and V(b2). The S3 server must support versioning.
      - B2 keeps all versions of all files. V(suspended) is therefore refused there.
      - "Default: not changed."
    type: str
    choices: [enabled, suspended]
  hidden_days:
    description:
      - Number of days after which B2 removes an older version. The days begin when the file is overwritten or hidden.
        A deletion only hides a file.
      - Sets the lifecycle rule for the whole bucket. The other parts of this rule are kept. If the bucket has rules for
        some of its folders, the change is refused, because rclone would remove them.
      - Only for the provider V(b2), and not with older versions of rclone, which would remove parts of the rule.
      - "Default: not changed."
    type: int
seealso:
  - module: skyhaul.cloudsync.credential
  - module: skyhaul.cloudsync.remote_info
    description: Returns the versioning and the lifecycle rules of a bucket.
"""

EXAMPLES = r"""
- name: Create a bucket at B2, and remove older versions after 30 days
  skyhaul.cloudsync.bucket:
    credential: offsite
    name: example-backups
    hidden_days: 30

- name: Create a bucket of an S3 server, with versioning
  skyhaul.cloudsync.bucket:
    credential: minio
    name: example-backups
    versioning: enabled

- name: Remove an empty bucket
  skyhaul.cloudsync.bucket:
    credential: minio
    name: example-old
    state: absent
"""

RETURN = r"""
bucket:
  description: Settings of the bucket. Empty without the bucket.
  returned: success
  type: dict
  contains:
    name:
      description: Name of the bucket.
      type: str
      sample: example-backups
    versioning:
      description: Versioning of the bucket, V(enabled), V(suspended) or V(unversioned). Null if rclone cannot read it.
      type: str
      sample: enabled
    hidden_days:
      description: Days after which an older version is removed. Null without such a rule for the whole bucket.
      type: int
      sample: 30
    lifecycle:
      description: All lifecycle rules, in the words of B2. Null if rclone cannot read them.
      type: list
      elements: dict
      sample:
        - fileNamePrefix: ""
          daysFromHidingToDeleting: 30
          daysFromUploadingToHiding: null
          daysFromStartingToCancelingUnfinishedLargeFiles: null
reason:
  description: Reason of the failure, such as V(auth), V(network) or V(usage).
  returned: failure
  type: str
  sample: usage
"""

from typing import Any, Dict

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._engine.buckets.abilities import Wanted
from ..module_utils._engine.buckets.converge import converge_bucket
from ..module_utils._engine.host import Host
from ..module_utils._engine.operations.browse import explain_untried_listing
from ..module_utils._module import add_diff, run_module


def apply_bucket(module: AnsibleModule, host: Host) -> Dict[str, Any]:
    """Create, change or remove the bucket."""
    given = module.params
    untried = explain_untried_listing(host, given["credential"], None) if module.check_mode else None
    if untried:
        return add_diff(module, {"changed": False, "bucket": {}, "warnings": [untried]}, {}, {})
    wanted = Wanted(given["name"], given["state"] == "present", given["versioning"], given["hidden_days"])
    before, after = converge_bucket(host, given["credential"], wanted, module.check_mode)
    return add_diff(module, {"changed": before != after, "bucket": after}, before, after)


def main() -> None:
    run_module(
        {
            "credential": {"type": "str", "required": True},
            "name": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "versioning": {"type": "str", "choices": ["enabled", "suspended"]},
            "hidden_days": {"type": "int"},
        },
        apply_bucket,
    )


if __name__ == "__main__":
    main()
