# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import fcntl
import json
import os
import pathlib
import subprocess
import sys

import pytest

from ansible_collections.skyhaul.cloudsync.plugins.module_utils import _install, _interpreter

COMMAND = "usr/local/bin/cloudsync"
ENGINE = "usr/local/lib/cloudsync"
# The files of the engine on a host. The command does not use those of the modules (apply, backup and others).
INSTALLED = {
    "": "host",
    "buckets": "abilities facts",
    "changes": "find known_files",
    "cli": "control logs main output parser recover run show tables terminal units",
    "commands": "confine helper hooks open_path",
    "common": "accounts crypto errors files flock http layout mounts processes stop_signal text validation",
    "config": "credential_store credentials seed seed_binding seed_passphrase"
    " stored_tasks task_checks task_parser task_store tasks upgrade",
    "guards": "crypt_password declared deletions destinations last_success local"
    " owner placement same_place same_storage sequence source",
    "hashes": "hash_file hashes",
    "health": "host_parts metrics problem problems publish textfile units watch",
    "history": "known_names look manifest moment past purge pushed read recorder",
    "locks": "hold path_claims",
    "notify": "events redaction send targets",
    "operations": "adopt browse look one_time start status stop thaw trigger validate",
    "rclone": "access_symptoms archived_objects binary causes conf_file data_symptoms"
    " error_text log_lines notices obscure outcome symptoms",
    "rclone/providers": "conf_section derived_options flags known_hosts option_checks option_values"
    " required_logins schema secret_options sizes traits truenas_names",
    "remote": "account arguments host_keys live_config live_uses login_problems"
    " open pinned_folder places refreshed session stall_watch",
    "restores": "drill prepare sample steps survey target thaw",
    "runs": "assist attempts dry_run finish log notifications progress records recovery run start_gate",
    "safekeeping": "backup purged restore seed",
    "schedule": "cron describe next_runs oncalendar overdue preview schedule timezones",
    "snapshots": "btrfs confined lvm model plan snapshot tools workspace zfs",
    "systemd": "engines install systemctl unit_files unit_names",
    "transfer": "archive_tiers b2_versions endpoints entries keep_deleted owner_mark"
    " plan remote_files result source_names unfinished verify",
}
# The files that `cloudsync status` loads. Each of them takes about half a millisecond.
LOADED_BY_STATUS = {
    "": "host",
    "cli": "main output parser show tables terminal",
    "common": "errors files flock layout processes text validation",
    "config": "stored_tasks",
    "operations": "status",
    "runs": "progress records",
    "schedule": "cron describe next_runs oncalendar overdue preview schedule timezones",
    "systemd": "systemctl unit_names",
}
# Libraries that are slow to import, and that a status does not need. A NamedTuple replaces a dataclass, which imports
# inspect.
SLOW = {"asyncio", "cryptography", "dataclasses", "email", "http", "inspect"}
SLOW |= {"logging", "socket", "ssl", "tempfile", "urllib"}
SHOW_MODULES = """
import sys
sys.path.insert(0, sys.argv.pop(1))
from _engine.cli.main import main
main()
print(*sys.modules)
"""
ENGINE_SOURCES = pathlib.Path(_install.__file__).parent / "_engine"


@pytest.fixture
def options(bare_host):
    return {"rclone": str(bare_host.rclone.program), "interpreter": sys.executable}


def sources(host):
    """Return the installed files, without Python's cache."""
    return {name: text for name, text in host.files().items() if "__pycache__" not in name}


def test_the_runner_is_installed_only_once(bare_host, options):
    predicted = bare_host.ok("runner", options, check=True)
    assert bare_host.files() == {}
    result = bare_host.ok("runner", options)
    assert result == predicted
    assert result["changed"]
    assert result["command"] == str(bare_host.root / COMMAND)
    assert os.access(result["command"], os.X_OK)
    assert os.readlink(str(bare_host.root / ENGINE / "rclone")) == options["rclone"]
    installed = sources(bare_host)
    assert not bare_host.ok("runner", options)["changed"]
    assert sources(bare_host) == installed


def test_the_installed_command_works_from_any_directory(bare_host, options, tmp_path):
    bare_host.ok("runner", options)
    listed = subprocess.run(
        [str(bare_host.root / COMMAND), "list", "--json"],
        cwd=str(tmp_path),
        env={"CLOUDSYNC_ROOT": str(bare_host.root)},
        stdout=subprocess.PIPE,
        check=True,
    )
    assert json.loads(listed.stdout) == []


def engines(host):
    return sorted(path.name for path in (host.root / ENGINE).glob("engine-*"))


def test_an_engine_that_was_edited_is_replaced(bare_host, options):
    bare_host.ok("runner", options)
    installed = bare_host.root / ENGINE / "current" / "_engine"
    digest = bare_host.ok("runner", options)["diff"]["before"]["engine"]
    for damage in (
        lambda: (installed / "common/errors.py").write_text("edited\n"),
        (installed / "host.py").unlink,
        lambda: (installed / "common/of_an_older_version.py").write_text(""),
    ):
        damage()
        result = bare_host.ok("runner", options)
        assert (result["diff"]["before"]["engine"], result["diff"]["after"]["engine"]) == ("damaged", digest)
        assert not bare_host.ok("runner", options)["changed"]
        assert len(engines(bare_host)) == 1


def test_an_edited_unit_is_replaced_and_shown_in_the_diff(bare_host, options):
    bare_host.ok("runner", options)
    path = bare_host.root / "etc/systemd/system/cloudsync@.service"
    path.write_text("edited\n")
    result = bare_host.ok("runner", options)
    assert result["diff"]["before"]["files"][str(path)] == "edited\n"
    assert "ExecStart=" in path.read_text()


def test_a_command_that_is_running_keeps_its_engine_until_it_ends(bare_host, options, monkeypatch):
    bare_host.ok("runner", options)
    (old,) = engines(bare_host)
    monkeypatch.setattr(_install, "DRAIN_SECONDS", 0.3)
    descriptor = os.open(str(bare_host.root / ENGINE / old), os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    (bare_host.root / ENGINE / old / "_engine" / "host.py").write_text("# another version\n")
    bare_host.ok("runner", options)
    assert old in engines(bare_host)
    assert os.path.basename(os.readlink(str(bare_host.root / ENGINE / "current"))) != old
    os.close(descriptor)
    assert not bare_host.ok("runner", options)["changed"]
    recover = subprocess.run(
        [str(bare_host.root / COMMAND), "sweep", "no-such-task"],
        env={"CLOUDSYNC_ROOT": str(bare_host.root)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    assert engines(bare_host) != [] and old not in engines(bare_host), recover.stdout


def test_the_next_upgrade_removes_the_files_of_a_killed_upgrade(bare_host, options):
    bare_host.ok("runner", options)
    half = bare_host.root / ENGINE / "engine-0123456789abcdef.killed" / "_engine"
    half.mkdir(parents=True)
    (half / "host.py").write_text("")
    bare_host.ok("runner", dict(options, rclone=""))
    assert not half.parent.exists()


def group(modules):
    """As INSTALLED has them."""
    grouped = {}
    for module in sorted(modules):
        package, _slash, name = module.rpartition("/")
        grouped.setdefault(package, []).append(name)
    return {package: " ".join(names) for package, names in grouped.items()}


def test_the_host_gets_only_the_modules_that_the_command_imports(bare_host, options):
    bare_host.ok("runner", options)
    folder = bare_host.root / ENGINE / "current" / "_engine"
    installed = {str(path.relative_to(folder).with_suffix("")) for path in folder.rglob("*.py")}
    found = group(name for name in installed if not name.endswith("__init__"))
    assert found == INSTALLED, str(found)


def test_status_imports_only_the_modules_that_it_needs(bare_host, documents, options):
    bare_host.ok("runner", options)
    bare_host.ok("task", documents)
    answer = subprocess.run(
        [sys.executable, "-I", "-c", SHOW_MODULES, str(bare_host.root / ENGINE / "current"), "status"],
        env={"CLOUDSYNC_ROOT": str(bare_host.root)},
        stdout=subprocess.PIPE,
        check=True,
    )
    loaded = answer.stdout.decode().splitlines()[-1].split()
    ours = [name.split(".", 1)[1].replace(".", "/") for name in loaded if name.startswith("_engine.")]
    found = group(name for name in ours if (ENGINE_SOURCES / (name + ".py")).exists())
    assert found == LOADED_BY_STATUS, str(found)
    assert SLOW.intersection(name.split(".")[0] for name in loaded) == set()


def test_every_installed_file_has_its_byte_code(bare_host, options):
    bare_host.ok("runner", options)
    folder = bare_host.root / ENGINE / "current" / "_engine"
    for path in folder.rglob("*.py"):
        assert list((path.parent / "__pycache__").glob(path.stem + ".cpython-*.pyc")), path


def test_a_command_whose_engine_is_missing_says_what_to_do(bare_host, options):
    bare_host.ok("runner", options)
    (bare_host.root / ENGINE / "current").unlink()
    answer = subprocess.run([str(bare_host.root / COMMAND), "list"], stderr=subprocess.PIPE, check=False)
    assert answer.returncode == 1
    assert answer.stderr.decode() == (
        f"cloudsync: {bare_host.root}/{ENGINE}/current is missing. Install it with the module "
        "skyhaul.cloudsync.runner.\n"
    )


def test_another_rclone_changes_the_link(bare_host, options, tmp_path):
    bare_host.ok("runner", options)
    other = str(tmp_path / "rclone")
    result = bare_host.ok("runner", dict(options, rclone=other))
    assert result["changed"]
    assert os.readlink(str(bare_host.root / ENGINE / "rclone")) == other
    assert result["diff"]["before"]["rclone"] == options["rclone"]


def test_an_empty_rclone_removes_the_link(bare_host, options):
    bare_host.ok("runner", options)
    assert bare_host.ok("runner", dict(options, rclone=""))["changed"]
    assert not os.path.lexists(str(bare_host.root / ENGINE / "rclone"))


def test_the_link_to_rclone_stays_when_the_option_is_omitted(bare_host, options):
    bare_host.ok("runner", options)
    installed = bare_host.files()
    assert not bare_host.ok("runner", {"interpreter": options["interpreter"]})["changed"]
    (bare_host.root / COMMAND).write_text("edited\n")
    assert bare_host.ok("runner", {"interpreter": options["interpreter"]})["changed"]
    assert os.readlink(str(bare_host.root / ENGINE / "rclone")) == options["rclone"]
    assert bare_host.files()[COMMAND] == installed[COMMAND]


def test_no_link_to_rclone_is_made_when_the_option_is_omitted(bare_host, options):
    bare_host.ok("runner", {"interpreter": options["interpreter"]})
    assert not os.path.lexists(str(bare_host.root / ENGINE / "rclone"))


def test_an_interpreter_that_cannot_run_the_command_is_refused(bare_host, options, tmp_path):
    bare_host.ok("runner", options)
    before = sources(bare_host)
    without_library = tmp_path / "python"
    without_library.write_text("#!/bin/sh\necho \"ModuleNotFoundError: No module named 'cryptography'\" >&2\nexit 1\n")
    without_library.chmod(0o755)
    faults = {
        "/bin/true": "It is not a Python interpreter.",
        "/no/such/python": "The command /no/such/python does not exist on this host.",
        str(without_library): "It ended with 1: ModuleNotFoundError: No module named 'cryptography'",
    }
    for interpreter, fault in faults.items():
        message = bare_host.refused("runner", dict(options, interpreter=interpreter))
        assert message.startswith(f"Interpreter {interpreter} cannot run the command. {fault}")
        assert message.endswith("Nothing was changed.")
    assert sources(bare_host) == before


def test_an_interpreter_that_works_stays_when_the_option_is_omitted(bare_host, options, tmp_path):
    other = tmp_path / "python"
    other.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    other.chmod(0o755)
    bare_host.ok("runner", dict(options, interpreter=str(other)))
    assert not bare_host.ok("runner", {})["changed"]
    assert (bare_host.root / "usr/local/bin/cloudsync").read_text().startswith(f"#!{other} -I")

    other.unlink()
    assert bare_host.ok("runner", {})["changed"]
    assert (bare_host.root / "usr/local/bin/cloudsync").read_text().startswith(f"#!{sys.executable} -I")


def test_check_mode_accepts_a_host_without_the_library(bare_host, monkeypatch):
    monkeypatch.setattr(_interpreter, "find_fault", lambda interpreter: "The library is missing.")
    assert bare_host.ok("runner", {}, check=True)["changed"]
    assert bare_host.refused("runner", {}).endswith("Nothing was changed.")


def test_the_directory_for_metrics_is_set_kept_changed_and_emptied(bare_host, options):
    wanted = dict(options, textfile_directory="/var/lib/node-exporter/")
    predicted = bare_host.ok("runner", wanted, check=True)
    assert bare_host.files() == {}
    result = bare_host.ok("runner", wanted)
    assert result == predicted
    assert result["diff"]["after"]["textfile"] == "/var/lib/node-exporter"
    directory, watch = bare_host.root / "var/lib/node-exporter", "etc/systemd/system/cloudsync-watch.service"
    unit = (bare_host.root / watch).read_text()
    assert f"\nExecStartPre=+-{bare_host.root / COMMAND} publish\n" in unit
    assert str(directory) not in unit and "DAC_OVERRIDE" not in unit
    assert not bare_host.ok("runner", wanted)["changed"]
    assert not bare_host.ok("runner", options)["changed"]

    for verb in (["check", "--notify"], ["publish"]):
        command = [str(bare_host.root / COMMAND), *verb]
        subprocess.run(command, env={"CLOUDSYNC_ROOT": str(bare_host.root)}, stdout=subprocess.PIPE, check=True)
        assert "cloudsync_seed_readable 1\n" in (directory / "cloudsync.prom").read_text()
        (directory / "cloudsync.prom").unlink()
    (directory / "cloudsync.prom").write_text("")
    assert bare_host.ok("runner", dict(options, textfile_directory=""))["changed"]
    assert list(directory.iterdir()) == []


def test_the_metrics_are_removed_with_the_runner(bare_host, options):
    bare_host.ok("runner", dict(options, textfile_directory="/metrics"))
    (bare_host.root / "metrics/cloudsync.prom").write_text("")
    bare_host.ok("runner", {"state": "absent"})
    assert bare_host.files() == {}


def test_a_directory_for_metrics_that_is_not_absolute_is_refused(bare_host, options):
    message = bare_host.refused("runner", dict(options, textfile_directory="metrics\n"))
    assert message == "textfile_directory is 'metrics\\n'. Use an absolute path."
    assert bare_host.files() == {}
