# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The package rclone against the real program.

rclone is the one on PATH; CLOUDSYNC_TEST_RCLONES (paths with colons between them) has the tests run on others, too.
The servers are rclone's own, on loopback, and are started by the rclone on PATH.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import socket
import subprocess
import time
from contextlib import contextmanager

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.errors import CloudsyncError
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.common.layout import Layout
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.rclone import binary
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.rclone.conf_file import parse, render
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.rclone.log_lines import (
    Item,
    Message,
    Stats,
    parse_line,
    remember,
)
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.rclone.obscure import obscure, reveal
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.rclone.outcome import (
    Finished,
    classify,
    needs_probe,
)
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.rclone.providers import schema as providers
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.rclone.providers import traits
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.rclone.providers.conf_section import (
    build_crypt_section,
    build_remote_section,
)
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.rclone.providers.option_checks import check
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.rclone.providers.option_values import (
    find_problem,
)
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.rclone.providers.required_logins import (
    LOGINS,
    TOGETHER,
)
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.rclone.providers.secret_options import (
    must_be_secret,
)
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.rclone.providers.truenas_names import (
    STORJ_OPTIONS,
    TRUENAS_NAMES,
)

ON_PATH = shutil.which("rclone")
OTHERS = [path for path in os.environ.get("CLOUDSYNC_TEST_RCLONES", "").split(":") if path]
pytestmark = pytest.mark.skipif(ON_PATH is None, reason="rclone is not on PATH")

NASTY = [
    "",
    " lead",
    "trail ",
    "\ttabs\t",
    "`tick`",
    "`",
    "``",
    "`open",
    "a`b",
    '"',
    '"quoted"',
    '"""three"""',
    '"""',
    '"""""""',
    "%",
    "%(",
    "%()s",
    "%(open",
    "a = b : c ; d # e",
    "# f",
    "; g",
    "[h]",
    "-",
    "ünïcödé 🔑",
    "\u00a0nbsp\u2003",
    "\x1cseparator\x1f",
    '{"access_token":"a b"}',
]


@pytest.fixture(name="rclone", params=[ON_PATH, *OTHERS])
def fixture_rclone(request):
    return binary.probe(request.param)


@pytest.fixture(name="known")
def fixture_known(rclone, tmp_path_factory):
    return providers.load(rclone, str(tmp_path_factory.mktemp("cache")))


def call(rclone, *arguments, stdin=""):
    return subprocess.run(
        [rclone.path, *arguments],
        input=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=binary.build_clean_environment(),
        encoding="utf-8",
        timeout=120,
        check=False,
    )


def run(rclone, config, *arguments):
    """A command as the runner gives it, and what its lines say."""
    ended = call(
        rclone,
        *("--config", str(config), "--ask-password=false", "--use-json-log", "--log-level", "INFO"),
        *("--stats", "1s", "--stats-log-level", "NOTICE", "--retries", "1", "--low-level-retries", "2"),
        *("--contimeout", "5s", *arguments),
    )
    stats, items, problems = None, [], []
    for line in ended.stderr.splitlines():
        parsed = parse_line(line)
        if isinstance(parsed, Stats):
            stats = parsed
        elif isinstance(parsed, Item):
            items.append(parsed)
        elif isinstance(parsed, Message):
            remember(problems, parsed)
    return Finished(ended.returncode, stats=stats, errors=tuple(problems), version=rclone.version), items


def dump(rclone, config):
    return json.loads(call(rclone, "--config", str(config), "config", "dump").stdout)


@contextmanager
def serving(kind, directory, *options):
    """A server of rclone's for ``directory``; gives the port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen(
        [ON_PATH, "--config", "", "serve", kind, "--addr", f"127.0.0.1:{port}", *options, str(directory)],
        env=binary.build_clean_environment("/nonexistent", {}),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _step in range(200):
            with socket.socket() as client:
                if client.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield port
    finally:
        server.terminate()
        server.wait()


def write_config(path, **sections):
    path.write_text(render(sections), encoding="utf-8")
    return path


# -- binary


def test_rclone_is_found_and_probed(tmp_path):
    found = binary.probe(binary.find(Layout(str(tmp_path)), os.path.dirname(ON_PATH)))
    assert found.version >= binary.OLDEST


# -- obscure


@pytest.mark.parametrize("plain", ["potato", "p", "päss wörd `%(x)s`", "x" * 500])
def test_rclone_reveals_what_we_obscure_and_we_reveal_what_it_obscures(rclone, plain):
    assert call(rclone, "--config", "", "reveal", "--", obscure(plain)).stdout == plain + "\n"
    assert reveal(call(rclone, "--config", "", "obscure", "-", stdin=plain + "\n").stdout.strip()) == plain


# -- config


def test_values_reach_rclone_unharmed(rclone, tmp_path):
    section = {"type": "s3", **{f"option{number}": value for number, value in enumerate(NASTY)}}
    config = write_config(tmp_path / "rclone.conf", remote=section)

    assert dump(rclone, config) == {"remote": section}
    assert parse(config.read_text(encoding="utf-8")) == {"remote": section}


def test_random_values_reach_rclone_unharmed_or_are_refused(rclone, tmp_path):
    chance = random.Random(75)
    section = {"type": "s3"}
    for number in range(2000):
        value = "".join(chance.choice('ab`"%()s=:#;[]{} \t\u00a0\x0b') for _step in range(chance.randrange(12)))
        try:
            render({"remote": {"type": "s3", "x": value}})
        except CloudsyncError:
            continue
        section[f"option{number}"] = value
    config = write_config(tmp_path / "rclone.conf", remote=section)

    assert len(section) > 1800
    assert dump(rclone, config) == {"remote": section}
    assert parse(config.read_text(encoding="utf-8")) == {"remote": section}


def test_values_survive_when_rclone_saves_the_file(rclone, tmp_path):
    section = {"type": "drive"}
    for number, value in enumerate(NASTY):
        try:
            render({"remote": {"type": "drive", "x": value}})
        except CloudsyncError:
            continue
        section[f"option{number}"] = value
    config = write_config(tmp_path / "rclone.conf", remote=section)
    before = config.read_text(encoding="utf-8")

    call(rclone, "--config", str(config), "config", "create", "another", "memory")

    assert config.read_text(encoding="utf-8") != before
    assert len(section) > 10
    assert dump(rclone, config)["remote"] == section
    assert parse(config.read_text(encoding="utf-8"))["remote"] == section


def test_a_file_that_somebody_wrote_is_read_as_rclone_reads_it(rclone, tmp_path):
    config = tmp_path / "rclone.conf"
    config.write_text(
        "# comment\n[a]\ntype=s3\nhost : H\npass = P\nu = x%(host)sy\nv = x%(pass)sy\nw = %(none)s\nq = ` x `\n"
        'r = """ y """\ns = "z"\n t = a`b`c\nz = x%(z)sy\n"key = 1" = v\n\n[ b ]\nempty =\n[a]\nhost = H2\n',
        encoding="utf-8",
    )
    assert parse(config.read_text(encoding="utf-8")) == dump(rclone, config)


# -- providers


def test_the_schema_of_the_installed_version_is_read_and_cached(rclone, tmp_path):
    first = providers.load(rclone, str(tmp_path))
    assert len(first) > 40
    assert os.path.exists(str(tmp_path / providers.CACHE_NAME))
    assert providers.load(rclone, str(tmp_path)) == first


def test_whatever_rclone_obscures_is_a_secret(known):
    for provider in known.values():
        for option in provider.options:
            assert not option.is_password or must_be_secret(provider, option.name)
            assert option.name not in ("host", "user", "url", "endpoint") or not must_be_secret(provider, option.name)


def test_our_tables_name_only_what_rclone_knows(known):
    if "storj" not in known:
        pytest.skip("the tables are for a complete and current rclone")
    names = traits.BUCKET_BASED | traits.READ_ONLY | traits.REUSABLE_REFRESH | traits.NEVER_REWRITTEN
    assert names - set(known) <= {"hubic"}
    for table in (LOGINS, TOGETHER):
        for name, ways in table.items():
            options = {option.name for option in known[name].options}
            assert {option for way in ways for option in way} <= options, name
    assert {name for name in TRUENAS_NAMES.values() if name not in known} <= {"hubic"}
    assert set(STORJ_OPTIONS) <= {option.name for option in known["s3"].options}
    assert [name for name in known if name != name.lower()] == []


def test_a28_every_truenas_provider_but_the_dead_one_is_there(known):
    missing = []
    for name in TRUENAS_NAMES:
        try:
            providers.resolve(name, known)
        except CloudsyncError:
            missing.append(name)
    assert set(missing) <= {"HUBIC", "MEGA"}


@pytest.mark.parametrize(
    "flag, kind, values",
    [
        (
            "--buffer-size",
            "SizeSuffix",
            ["96Mi", "96M", "1.5GiB", "0", "off", "100b", "5Ti", "96MB", "Mi", "5X", "-1M"],
        ),
        ("--ftp-idle-timeout", "Duration", ["10m", "1h30m", "90", "1d", "500ms", "-5s", "off", "ten", "m"]),
        ("--transfers", "int", ["4", "x", "1.5"]),
        ("--checksum", "bool", ["true", "False", "0", "yes", "on"]),
    ],
)
def test_we_take_the_values_that_rclone_takes(rclone, flag, kind, values):
    option = providers.Option("o", kind)
    for value in values:
        taken = call(rclone, "--config", "", "version", f"{flag}={value}").returncode == 0
        assert (find_problem(option, value) == "") == taken, value


# -- section, logs and outcome, with real servers


def test_webdav_with_a_strange_password(rclone, known, tmp_path):
    (tmp_path / "dav").mkdir()
    password = ' %(x)s`"\n ä'
    secrets = {"pass": password}
    options = ("--user", "u", "--pass", password)
    with serving("webdav", tmp_path / "dav", *options) as port:
        attributes = {"url": f"http://127.0.0.1:{port}", "vendor": "other", "user": "u"}
        dav = providers.resolve("WEBDAV", known)
        check(dav, attributes, secrets)
        config = write_config(tmp_path / "c", remote=build_remote_section(dav, attributes, secrets, {}))
        assert classify(run(rclone, config, "lsjson", "remote:")[0]).state == "success"

        config = write_config(tmp_path / "c", remote=build_remote_section(dav, attributes, {"pass": "no"}, {}))
        assert classify(run(rclone, config, "lsjson", "remote:")[0]).reason == "auth"


def test_an_empty_ftp_password_gets_as_far_as_the_server(rclone, known, tmp_path):
    (tmp_path / "ftp").mkdir()
    with serving("ftp", tmp_path / "ftp", "--user", "anonymous") as port:
        attributes, secrets = {"host": "127.0.0.1", "port": str(port), "user": "anonymous"}, {"pass": ""}
        check(known["ftp"], attributes, secrets)
        config = write_config(tmp_path / "c", remote=build_remote_section(known["ftp"], attributes, secrets, {}))
        # rclone's own server wants a password; without an obscured empty one, rclone itself refuses before that.
        assert "required param missing" in classify(run(rclone, config, "lsf", "remote:")[0]).message


def test_sftp_with_a_private_key_of_several_lines(rclone, known, tmp_path):
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ed25519

    key = ed25519.Ed25519PrivateKey.generate()
    openssh = serialization.PrivateFormat.OpenSSH
    pem = key.private_bytes(serialization.Encoding.PEM, openssh, serialization.NoEncryption()).decode()
    public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    (tmp_path / "keys").write_bytes(public + b"\n")
    (tmp_path / "sftp").mkdir()
    options = ("--authorized-keys", str(tmp_path / "keys"), "--user", "")
    with serving("sftp", tmp_path / "sftp", *options) as port:
        attributes, secrets = {"host": "127.0.0.1", "port": str(port), "user": "u"}, {"key_pem": pem}
        check(known["sftp"], attributes, secrets)
        section = build_remote_section(known["sftp"], attributes, secrets, {})
        config = write_config(tmp_path / "c", remote=section)
        assert classify(run(rclone, config, "lsf", "remote:")[0]).state == "success"

        notes = {key for key, value in parse(config.read_text())["remote"].items() if section.get(key) != value}
        assert not notes & traits.list_state_options("sftp")


@pytest.fixture(name="s3")
def fixture_s3(known, tmp_path):
    """A bucket with three files under p, and the attributes of a credential for it."""
    for name in ("a", "d/b", "c"):
        path = tmp_path / "s3" / "bkt" / "p" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("content of " + name)
    with serving("s3", tmp_path / "s3", "--auth-key", "AKID,SECRET", "--dir-cache-time", "50ms") as port:
        attributes = {
            "provider": "Other",
            "endpoint": f"http://127.0.0.1:{port}",
            "access_key_id": "AKID",
        }

        def config(secret="SECRET", **sections):
            remote = build_remote_section(known["s3"], attributes, {"secret_access_key": secret}, {})
            return write_config(tmp_path / "c", remote=remote, **sections)

        yield config


def test_a_dry_run_then_a_run_say_what_they_do(rclone, s3, tmp_path):
    local = tmp_path / "local"
    local.mkdir()
    (local / "old").write_text("old")
    (local / "a").write_text("other")

    ended, items = run(rclone, s3(), "sync", "--dry-run", "remote:bkt/p", str(local))
    assert classify(ended).state == "success"
    assert {(i.action, i.path) for i in items if i.dry_run} >= {("copy", "a"), ("copy", "d/b"), ("delete", "old")}
    assert sorted(os.listdir(str(local))) == ["a", "old"]

    ended, items = run(rclone, s3(), "sync", "remote:bkt/p", str(local))
    assert classify(ended).message.startswith("3 files transferred")
    assert (ended.stats.transfers, ended.stats.deletes) == (3, 1)
    assert {i.path for i in items if i.replaced} == {"a"}
    assert not any(i.dry_run for i in items)


def test_a_refused_s3_login_is_found_even_where_rclone_hides_it(rclone, s3, tmp_path):
    config = s3("WRONG")
    (tmp_path / "local").mkdir()
    ended, _items = run(rclone, config, "copy", str(tmp_path / "local"), "remote:bkt/p")
    probe = run(rclone, config, "lsjson", "remote:bkt")[0] if needs_probe(ended) else None

    outcome = classify(ended, probe)
    assert (outcome.state, outcome.reason) == ("failed", "auth")
    assert "signature does not match" in outcome.message


def test_a_missing_bucket_is_not_found(rclone, s3, tmp_path):
    ended, _items = run(rclone, s3(), "sync", "remote:nobucket", str(tmp_path / "local"))
    assert classify(ended).reason == "not_found"


def test_a_wrong_crypt_password_is_noticed_and_nothing_is_deleted(rclone, s3, tmp_path):
    if not rclone.has_strict_names:
        pytest.skip("strict_names came with 1.66")
    local = tmp_path / "local"
    local.mkdir()
    (local / "kept").write_text("kept")

    def crypt(password):
        return s3(crypt=build_crypt_section("remote:bkt/enc", password, "salt", "standard", True, True))

    assert classify(run(rclone, crypt("right"), "copy", str(local), "crypt:")[0]).state == "success"
    assert classify(run(rclone, crypt("right"), "sync", "crypt:", str(local))[0]).state == "success"

    outcome = classify(run(rclone, crypt("wrong"), "sync", "crypt:", str(local))[0])
    assert outcome.reason == "undecryptable"
    assert (local / "kept").exists()
