# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json

import pytest

UPLOADS = "daysFromStartingToCancelingUnfinishedLargeFiles"
EMPTY = {"fileNamePrefix": "", "daysFromHidingToDeleting": None, "daysFromUploadingToHiding": None, UPLOADS: None}
RULE = {**EMPTY, "daysFromHidingToDeleting": 30}
DENIED = json.dumps({"level": "error", "msg": "operation error S3: AccessDenied: Access Denied"})
FOUND = "\n".join(("echo '{{}}' > '{folder}/lsjson.out'", "echo 0 > '{folder}/lsjson.code'"))


@pytest.fixture
def account(host):
    """Provide the options of a B2 credential."""
    return {
        "name": "account",
        "provider": "b2",
        "attributes": {"account": "key-id"},
        "secrets": {"key": host.secret("b2-key")},
    }


@pytest.fixture
def there(host, offsite, account):
    """Provide a host with an S3 and a B2 credential. At both, each bucket exists, is empty and has no settings."""
    host.ok("credential", offsite)
    host.ok("credential", account)
    host.rclone.answers("lsjson", "{}")
    host.rclone.answers("lsf")
    host.rclone.answers("mkdir")
    host.rclone.answers("rmdir")
    folder = host.rclone.folder
    # The last line of the file `setting` is the versioning, or the rules.
    (folder / "setting").write_text('"Unversioned"\n')
    host.rclone.does(
        "backend",
        f"""case "$*" in
          *"help b2"*) echo {UPLOADS};;
          *Enabled) echo '"Enabled"' > '{folder}/setting';;
          *Suspended) echo '"Suspended"' > '{folder}/setting';;
          *--option*) echo '{json.dumps([RULE])}' > '{folder}/setting';;
        esac
        cp '{folder}/setting' '{folder}/backend.out'
        [ "$1 $2" != "backend help" ] || echo {UPLOADS} > '{folder}/backend.out'""",
    )
    host.rclone.answers("backend")
    host.rclone.does("rmdir", f"echo 3 > '{folder}/lsjson.code'")
    return host


@pytest.fixture
def missing(there):
    """Provide the same host. No bucket exists before it is created."""
    there.rclone.answers("lsjson", code=3)
    there.rclone.does("mkdir", FOUND.format(folder=there.rclone.folder))
    return there


def set_rules(host, rules):
    (host.rclone.folder / "setting").write_text(json.dumps(rules))


def list_changes(host):
    """Return the commands so far that change a bucket."""
    changing = (" mkdir ", " rmdir ", "Enabled", "Suspended", "--option")
    return [line for line in host.rclone.commands() if any(word in line for word in changing)]


def test_a_bucket_is_created_with_its_versioning(missing):
    wanted = {"credential": "offsite", "name": "backups", "versioning": "enabled"}
    predicted = missing.ok("bucket", wanted, check=True)
    assert list_changes(missing) == []
    result = missing.ok("bucket", wanted)
    assert result == predicted
    assert result["changed"]
    assert result["bucket"] == {"name": "backups", "versioning": "enabled", "hidden_days": None, "lifecycle": None}
    assert result["diff"] == {"before": {}, "after": result["bucket"]}
    assert [line.rpartition(" -- ")[2] for line in list_changes(missing)] == [
        "remote:backups",
        "remote:backups Enabled",
    ]


def test_a_second_declaration_changes_nothing(missing):
    wanted = {"credential": "offsite", "name": "backups", "versioning": "suspended"}
    missing.ok("bucket", wanted)
    changes = list_changes(missing)
    result = missing.ok("bucket", wanted)
    assert not result["changed"]
    assert result["diff"]["before"] == result["diff"]["after"] == result["bucket"]
    assert list_changes(missing) == changes


def test_an_omitted_option_is_not_changed(there):
    there.ok("bucket", {"credential": "offsite", "name": "backups", "versioning": "enabled"})
    result = there.ok("bucket", {"credential": "offsite", "name": "backups"})
    assert (result["changed"], result["bucket"]["versioning"]) == (False, "enabled")


def test_the_rule_of_a_b2_bucket_keeps_its_other_parts(there):
    set_rules(there, [{**EMPTY, UPLOADS: 2}])
    there.ok("bucket", {"credential": "account", "name": "backups", "hidden_days": 30})
    assert [line.partition("--option ")[2] for line in list_changes(there)] == [
        f"daysFromHidingToDeleting=30 --option {UPLOADS}=2 -- remote:backups"
    ]


def test_a_rule_that_the_credential_creates_is_predicted(missing, account):
    missing.ok("credential", {**account, "attributes": {"account": "key-id", "lifecycle": 30}})
    set_rules(missing, [RULE])
    wanted = {"credential": "account", "name": "backups"}
    predicted = missing.ok("bucket", wanted, check=True)
    assert predicted["bucket"] == missing.ok("bucket", wanted)["bucket"]
    assert predicted["bucket"]["hidden_days"] == 30


def test_rules_for_folders_are_not_dropped(there):
    set_rules(there, [{**RULE, "fileNamePrefix": "logs/"}, {**RULE, "fileNamePrefix": "tmp/"}])
    for check in (True, False):
        message = there.refused("bucket", {"credential": "account", "name": "backups", "hidden_days": 30}, check)
        assert "lifecycle rules for logs/, tmp/, which rclone would remove" in message
        assert message.endswith("Nothing was changed.")
    assert list_changes(there) == []


def test_an_rclone_that_does_not_know_all_parts_of_a_rule_is_refused(there):
    set_rules(there, [])
    there.rclone.does("backend", f"echo '[]' > '{there.rclone.folder}/backend.out'")
    message = there.refused("bucket", {"credential": "account", "name": "backups", "hidden_days": 30})
    assert "rclone 1.75.2 does not know all parts of lifecycle rules" in message
    assert list_changes(there) == []


def test_a_bucket_is_removed_only_once(there):
    gone = {"credential": "offsite", "name": "backups", "state": "absent"}
    predicted = there.ok("bucket", gone, check=True)
    result = there.ok("bucket", gone)
    assert (result, result["bucket"], result["changed"]) == (predicted, {}, True)
    assert result["diff"]["before"]["name"] == "backups"
    assert not there.ok("bucket", gone)["changed"]
    assert len(list_changes(there)) == 1


def test_a_bucket_with_content_is_not_removed(there):
    there.rclone.answers("lsf", "".join(f"file-{number}\n" for number in range(7)))
    for check in (True, False):
        message = there.refused("bucket", {"credential": "offsite", "name": "backups", "state": "absent"}, check)
        assert message == (
            "Bucket backups is not empty. It contains 7 names at its top, with older versions and deleted files: "
            "file-0, file-1, file-2, file-3, file-4 and 2 more. Remove the content first. Nothing was changed."
        )
    assert "--s3-versions --s3-version-deleted" in there.rclone.commands()[-1]
    assert list_changes(there) == []


def test_a_bucket_that_cannot_be_listed_is_not_removed(there):
    there.rclone.answers("lsf", err=DENIED, code=1)
    result = there.run("bucket", {"credential": "offsite", "name": "backups", "state": "absent"})
    assert (result["failed"], result["reason"]) == (True, "auth")
    assert result["msg"].startswith("Cannot list bucket backups.")
    assert list_changes(there) == []


def test_content_that_no_listing_shows_is_named(there):
    there.rclone.does("rmdir", ":")
    there.rclone.answers("rmdir", err=json.dumps({"level": "error", "msg": "BucketNotEmpty: not empty"}), code=1)
    message = there.refused("bucket", {"credential": "offsite", "name": "backups", "state": "absent"})
    assert message.startswith("Bucket backups is not empty. A listing shows nothing")


def test_a_failure_after_the_creation_says_that_the_bucket_was_created(missing):
    missing.rclone.does("backend", f"case \"$*\" in *Enabled) echo '{DENIED}' >&2; exit 1;; esac")
    missing.rclone.answers("backend", '"Unversioned"')
    result = missing.run("bucket", {"credential": "offsite", "name": "backups", "versioning": "enabled"})
    assert result["msg"].startswith("Cannot set the versioning of bucket backups.")
    assert result["msg"].endswith("The bucket was created.")


def test_a_setting_that_the_provider_ignores_is_a_failure(there):
    there.rclone.does("backend", ":")
    there.rclone.answers("backend", '"Unversioned"')
    result = there.run("bucket", {"credential": "offsite", "name": "backups", "versioning": "enabled"})
    assert "accepted versioning of bucket backups, but it is still unversioned and not enabled" in result["msg"]


def test_versioning_that_cannot_be_read_is_not_set(there):
    there.rclone.does("backend", ":")
    there.rclone.answers("backend", err=DENIED, code=1)
    assert there.ok("bucket", {"credential": "offsite", "name": "backups"})["bucket"]["versioning"] is None
    message = there.refused("bucket", {"credential": "offsite", "name": "backups", "versioning": "enabled"})
    assert message.startswith("Cannot set versioning of bucket backups, because it cannot be read. The provider")
    assert list_changes(there) == []


@pytest.mark.parametrize(
    "options, message",
    [
        ({"credential": "nothing"}, "Credential nothing does not exist on this host."),
        ({"name": "a/b"}, "name is 'a/b'. Use the name of a bucket, without a path."),
        ({"name": ".."}, "name is '..'."),
        ({"name": ""}, "name is empty."),
        ({"hidden_days": 0, "credential": "account"}, "hidden_days is 0. Use 1 or more."),
        ({"hidden_days": 3}, "rclone can set hidden_days only at the provider b2, and not at s3."),
        ({"credential": "account", "versioning": "suspended"}, "versioning: suspended is not possible at the provider"),
        ({"versioning": "enabled", "state": "absent"}, "versioning is not valid with the state absent."),
        ({"credential": "disk"}, "The provider local has no buckets."),
        ({"credential": "share"}, "rclone can neither create nor remove buckets at the provider smb."),
        ({"credential": "azure", "state": "absent"}, "The state absent is not possible at the provider azureblob."),
        ({"credential": "azure", "versioning": "enabled"}, "rclone cannot set versioning at the provider azureblob."),
        ({"credential": "past"}, "The credential has the option version_at, which shows the past."),
    ],
)
def test_what_a_provider_cannot_do_is_refused_before_it_is_asked(there, offsite, options, message):
    there.ok("credential", {"name": "disk", "provider": "local"})
    there.ok("credential", {"name": "share", "provider": "smb", "attributes": {"host": "nas", "user": "u"}})
    there.ok("credential", {"name": "azure", "provider": "AZUREBLOB", "attributes": {"account": "a", "env_auth": True}})
    there.ok("credential", {**offsite, "name": "past", "attributes": {**offsite["attributes"], "version_at": "1d"}})
    found = there.refused("bucket", {"credential": "offsite", "name": "backups", **options})
    assert found.startswith(message)
    assert "remote:backups" not in str(there.rclone.commands())


def test_check_mode_without_the_credential_warns(bare_host):
    result = bare_host.ok("bucket", {"credential": "offsite", "name": "backups"}, check=True)
    assert (result["changed"], result["bucket"]) == (False, {})
    assert result["warnings"] == ["Credential offsite does not exist on this host yet, so nothing was listed."]
