# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.errors import CloudsyncError
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.rclone.providers import flags


def refuses(sentence):
    return pytest.raises(CloudsyncError, match=re.escape(sentence))


# Arguments of TrueNAS users and others.
WELCOME = (
    "--order-by=size,desc --checkers=16 --low-level-retries=20 --no-traverse --ignore-existing "
    "--max-transfer=10G --fast-list --track-renames "
    "--client-key=/etc/ssl/key.pem --timeout=1h --min-age=1d --bwlimit-file=1M --ignore-checksum --tpslimit=10 "
    "--use-cookies --max-size=1M --header=X-Team:a --http-proxy=http://proxy:3128"
)


@pytest.mark.parametrize("argument", WELCOME.split())
def test_a_harmless_argument_is_passed_to_rclone(argument):
    assert flags.check_arguments([argument]) == (argument,)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ("config password-command", "The runner manages rclone's configuration."),
        ("ask-password interactive", "A run cannot ask questions."),
        ("rc rc-addr rc-no-auth metrics-addr", "Other users could connect to the port that it opens."),
        (
            "log-file log-level log-systemd syslog use-json-log verbose quiet stats stats-one-line progress",
            "The runner reads rclone's log.",
        ),
        ("dump dump-headers dump-bodies", "It would write secrets into the log."),
        ("daemon daemon-wait", "The runner must wait for rclone to end."),
        ("cache-dir temp-dir cpuprofile", "The runner selects the folders that rclone writes to."),
        ("help version", "rclone would end without a transfer."),
        ("color human-readable", "The runner reads rclone's output."),
        ("delete-before delete-during", "A sync must delete nothing at the destination before it has read the whole"),
        ("compare-dest copy-dest", "Files in another folder would be missing at the destination."),
        ("name-transform", "Files would have other names at the destination than at the source."),
        ("client-pass", "Every user of the host can read a program's arguments. Use a key file without a password"),
        ("dry-run", "Use check mode, or cloudsync run --dry-run."),
        ("ignore-errors", "A sync would delete files at the destination that cannot be read at the source."),
        ("delete-excluded", "An invalid filter could delete everything at the destination."),
        ("backup-dir suffix suffix-keep-extension", "Use the option keep_deleted."),
        ("max-delete max-delete-size", "Use the option guards.max_delete."),
        ("max-duration", "Use the option limits.max_duration."),
        ("bwlimit", "Use the option bandwidth."),
        ("transfers", "Use the option transfers."),
        ("retries retries-sleep", "Use the option retries."),
        (
            "filter filter-from include include-from exclude exclude-from files-from files-from-raw",
            "Use the options include and exclude.",
        ),
        ("copy-links", "Use the option follow_symlinks."),
        ("create-empty-src-dirs", "Use the option create_empty_dirs."),
        (
            "sftp-known-hosts-file sftp-host-keys sftp-pin-host-key sftp-ssh",
            "Set the trusted host keys in the credential.",
        ),
        (
            "s3-secret-access-key b2-key crypt-password crypt-password2 sftp-pass sftp-key-pem drive-token ftp-pass "
            "drive-client-secret azureblob-sas-url drive-service-account-credentials s3-sse-customer-key "
            "storj-passphrase",
            "Every user of the host can read a program's arguments. Put secrets into the credential.",
        ),
    ],
)
def test_a_harmful_argument_is_refused_with_the_reason_or_an_alternative(arguments, reason):
    for flag in arguments.split():
        for argument in ("--" + flag, f"--{flag}=s3cr3t"):
            with refuses(f"rclone_args has --{flag}, which is not allowed. {reason}") as caught:
                flags.check_arguments([argument])
            assert "s3cr3t" not in str(caught.value)


@pytest.mark.parametrize(
    "argument", ["-v", "checkers", "--bwlimit 10M", "--Config", "--", "", "remote:", "--=x", "---x"]
)
def test_an_argument_that_is_not_a_flag_is_refused(argument):
    with refuses("Write each item as --flag or --flag=value."):
        flags.check_arguments(["--checkers=4", argument])


@pytest.mark.parametrize(
    ("argument", "place"),
    [
        ("--header=Authorization: Bearer s3cr3t", "set it in the credential's secrets"),
        ("--header-upload=X-Auth-Key: s3cr3t", "set it in the credential's secrets"),
        ("--header=X-Custom: Basic s3cr3t", "set it in the credential's secrets"),
        ("--http-proxy=http://me:s3cr3t@proxy:3128", "EnvironmentFile="),
        ("--http-proxy=me:s3cr3t@proxy:3128", "EnvironmentFile="),
        ("--user-agent=x?token=s3cr3t", "Put secrets into the credential."),
        ("--metadata-set=password=s3cr3t", "Put secrets into the credential."),
    ],
)
def test_a_secret_in_a_value_is_refused_with_its_place_and_not_shown(argument, place):
    with refuses("Its value contains a ") as caught:
        flags.check_arguments([argument])
    assert place in str(caught.value)
    assert "s3cr3t" not in str(caught.value)


def test_a_secret_in_a_wrong_notation_is_not_shown():
    with refuses("rclone_args has '--header'. Write each item") as caught:
        flags.check_arguments(["--header Authorization: Bearer s3cr3t"])
    assert "s3cr3t" not in str(caught.value)


@pytest.mark.parametrize(
    ("argument", "provider", "advice"),
    [
        (
            "--drive-root-folder-id=x",
            "drive",
            "Set 'root_folder_id' in provider_options, or in the credential's attrib",
        ),
        ("--s3-endpoint=x", "s3", "Set 'endpoint' in provider_options, or in the credential's attributes."),
        ("--s3-endpoint=x", "STORJ_IX", "Set 'endpoint' in provider_options"),
        (
            "--onedrive-drive-id=x",
            "s3",
            "It is an option of the provider onedrive, but the credential's provider is s3.",
        ),
        ("--crypt-strict-names=false", "s3", "Use the option encryption."),
        ("--gcs-anonymous", "google cloud storage", "Set 'anonymous' in provider_options"),
        ("--ftp-pass=x", "ftp", "Set 'pass' in the credential's secrets."),
    ],
)
def test_a_flag_of_a_backend_is_refused_with_the_place_of_its_option(known_providers, argument, provider, advice):
    flag = argument.partition("=")[0]
    with refuses(f"rclone_args has {flag}, which is not allowed. {advice}"):
        flags.check_backend_flags([argument], provider, known_providers)


def test_every_backend_option_of_rclone_is_refused_but_those_of_the_local_side(known_providers):
    for provider in known_providers.values():
        for option in provider.options:
            flag = f"--{provider.prefix}-{option.name}".replace("_", "-")
            if provider.name == "local":
                flags.check_backend_flags([flag], "s3", known_providers)
            else:
                with refuses(f"rclone_args has {flag}, which is not allowed."):
                    flags.check_backend_flags([flag], "s3", known_providers)
