# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What README.md says is true: its playbook and its commands are run as they stand there.

Only what stands for the reader's own is replaced: the storage provider, the login, and the root of the host's paths.
"""

from __future__ import annotations

import glob
import json
import os
import pathlib
import re
import shlex

import pytest
import yaml

HOME = pathlib.Path(__file__).parents[2]
README = (HOME / "README.md").read_text(encoding="utf-8")
MODULES = ["credential", "credential_info", "task", "task_info", "run", "seed", "remote_info", "host_config", "runner"]
MODULES += ["backup", "restore"]
ACTIONS = ["authorize"]  # on the control node, and not in a line of their own: somebody has to answer
PLUGINS = {
    "module": [*MODULES, *ACTIONS],
    "lookup": ["schedule_preview"],
    "filter": ["to_oncalendar", "fleet_report", "task_previews", "from_truenas", "from_rclone_conf"],
    "role": ["runner", "tasks", "report"],
}
PLAYBOOKS = ["demo", "site", "preview", "run", "stop", "report", "backup", "restore", "rotate_seed"]
PLAYBOOKS += ["import_truenas", "import_rclone", "authorize"]


def blocks(kind):
    return re.findall(f"^```{kind}\\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def commands(first_word):
    """The commands after a prompt ``$`` that begin with this word, in order."""
    lines = [line for block in blocks("console") for line in block.splitlines()]
    return [line[2:] for line in lines if line.startswith("$ " + first_word + " ")]


def inline(first_word):
    """The commands between backticks, each once, in order."""
    prose = re.sub(r"^```.*?^```$", "", README, flags=re.MULTILINE | re.DOTALL)
    return list(dict.fromkeys(re.findall(f"`({first_word} [^`]+)`", prose)))


def table_row(first_cell):
    row = next(line for line in README.splitlines() if line.startswith(f"| {first_cell} |"))
    return row.split("|")[2]


@pytest.fixture(name="reader")
def fixture_reader(tmp_path, rclone, s3_server):
    """A control node with one host, whose root is in ``reader.root``, and what the README's names stand for."""
    import harness
    from controller import Controller

    reader = Controller(tmp_path)
    reader.root = tmp_path / "host"
    reader.environment["CLOUDSYNC_ROOT"] = str(reader.root)
    reader.environment["PATH"] = os.pathsep.join(
        [str(reader.root / "usr/local/bin"), os.path.dirname(rclone), reader.environment["PATH"]]
    )
    reader.inventory(
        web1={
            "ansible_become": False,
            "cloudsync_root": str(reader.root),
            "cloudsync_rclone_install": "none",
            "cloudsync_rclone_path": rclone,
            "vault_key_id": harness.KEY_ID,
            "vault_key": harness.KEY,
            "vault_crypt_password": harness.PASSWORD,
            "vault_seed_passphrase": harness.SECRET + "-passphrase",
        }
    )
    pathlib.Path(s3_server[1], "backup").mkdir(exist_ok=True)
    harness.write_tree(reader.root / "srv" / "www", {"index.html": "<h1>Hello</h1>", "img/logo.svg": "<svg/>"})
    return reader


@pytest.fixture(name="as_here")
def fixture_as_here(reader, s3_server):
    """Puts this machine's in the place of the README's examples; each text has to hold those that are named."""
    import harness

    here = {
        "https://s3.example.com": f"http://127.0.0.1:{s3_server[0]}",
        "/srv/": f"{reader.root}/srv/",
        '"KEYID"': json.dumps(harness.KEY_ID),
        '"SECRET"': json.dumps(harness.KEY),
    }

    def replace(text, *examples):
        assert all(example in text for example in examples), (text, examples)
        for example, value in here.items():
            text = text.replace(example, value)
        return text

    return replace


def test_the_first_playbook_the_command_and_the_restore_work(reader, as_here, s3_server):
    import harness

    playbook = blocks("yaml")[0]
    name = re.match(r"# (\S+)\n", playbook).group(1)
    (reader.folder / name).write_text(as_here(playbook, "https://s3.example.com", "/srv/"))

    check, apply = commands("ansible-playbook")
    assert "--check" in check and name in check and name in apply
    reader.call(*shlex.split(check))
    assert not (reader.root / "etc").exists()
    reader.call(*shlex.split(apply))

    for command in inline("cloudsync"):
        reader.call(*shlex.split(command))
        json.loads(reader.call(*shlex.split(command), "--json"))
    pushed = harness.read_tree(pathlib.Path(s3_server[1], "backup", "web1", "www"))
    assert len(pushed) >= 2 and not [name for name, content in pushed.items() if b"Hello" in content or "img" in name]

    check_the_status_table(reader)
    check_the_paths(reader)
    check_the_restore(reader, as_here)


def check_the_status_table(reader):
    command, headings, row = next(block for block in blocks("console") if block.startswith("# ")).splitlines()
    said = reader.call(*shlex.split(command[2:])).splitlines()
    assert re.split(r"\s{2,}", said[0]) == re.split(r"\s{2,}", headings)
    assert re.split(r"\s{2,}", said[1])[:3] == re.split(r"\s{2,}", row)[:3]


def check_the_paths(reader):
    table = README.split("| what | where |\n")[1].split("\n\n")[0]
    paths = [path for line in table.splitlines()[1:] for path in re.findall(r"`(/[^`]+)`", line)]
    assert len(paths) > 5
    for path in paths:
        assert glob.glob(str(reader.root) + path.replace("TASK", "www")), path


def check_the_restore(reader, as_here):
    """The rows about undoing and getting data back, as options of the module task."""
    import harness

    restore, remove = ({}, {})
    for options, row in ((restore, "get data back"), (remove, "undo a task")):
        for text in re.findall(r"`(\w+: [^`]+)`", table_row(row)):
            options.update(yaml.safe_load(as_here(text)))
    environment = {key: reader.environment[key] for key in ("CLOUDSYNC_ROOT", "PATH")}
    assert "failed" not in harness.run_module("task", environment, {"name": "restored", **restore})
    reader.call("cloudsync", "run", "restored")
    assert harness.read_tree(restore["path"]) == harness.read_tree(reader.root / "srv" / "www")
    assert remove.pop("cloudsync_purge") is True
    for task in ("restored", "www"):
        assert harness.run_module("task", environment, {"name": task, **remove})["changed"]


def test_the_ad_hoc_lines_work_one_after_the_other(reader, as_here, s3_server):
    import harness

    lines = commands("ansible")
    assert {re.search(r"-m skyhaul\.cloudsync\.(\w+)", line).group(1) for line in lines} == set(MODULES)
    assert any("https://s3.example.com" in line and '"KEYID"' in line and '"SECRET"' in line for line in lines)
    for line in lines:
        last = line == lines[-1]
        if "cloudsync-backup/" in line:
            reader.play("backup")
        if last:
            assert len(harness.read_tree(pathlib.Path(s3_server[1], "backup", "www"))) == 2
            assert "TASK" in reader.call("cloudsync", "list")
        said = reader.call(*shlex.split(as_here(line)))
        assert "web1 | SUCCESS" in said or "web1 | CHANGED" in said
        assert harness.SECRET not in said, line
    assert json.loads(reader.call("cloudsync", "list", "--json")) == []


def test_every_command_is_one_that_is_tested():
    known = {"make", "ansible-playbook", "ansible"}
    prompts = [line for block in blocks("console") for line in block.splitlines() if line.startswith("$ ")]
    assert {line.split()[1] for line in prompts} == known
    assert inline("cloudsync") and inline("ansible-doc")


def test_every_make_target_exists():
    targets = [words.split()[1] for words in [*commands("make"), *inline("make")]]
    makefile = (HOME / "Makefile").read_text()
    assert {"demo", "test", "docs"} <= set(targets)
    for target in targets:
        assert re.search(f"^{target}:", makefile, re.MULTILINE), target


def test_every_file_that_is_linked_exists():
    links = [link for link in re.findall(r"\]\(([^)]+)\)", README) if ":" not in link]
    assert links
    for link in links:
        assert (HOME / link).is_file(), link


def test_the_options_can_be_looked_up_as_it_says(reader):
    for command in inline("ansible-doc"):
        assert "OPTIONS" in reader.call(*shlex.split(command), ANSIBLE_NOCOLOR="1").upper(), command


@pytest.mark.parametrize("kind", sorted(PLUGINS))
def test_every_public_name_is_documented(reader, kind):
    names = ["skyhaul.cloudsync." + name for name in PLUGINS[kind]]
    documented = json.loads(reader.call("ansible-doc", "--json", "-t", kind, *names))
    assert set(documented) == set(names)
    for name in names:
        found = documented[name]
        if kind == "role":
            assert found["entry_points"]["main"]["short_description"]
        else:
            assert found["doc"]["short_description"] and found["examples"] and found["return"]


def test_every_module_and_role_is_a_public_name():
    assert sorted(path.stem for path in (HOME / "plugins" / "modules").glob("*.py")) == sorted(PLUGINS["module"])
    assert sorted(path.name for path in (HOME / "roles").iterdir()) == sorted(PLUGINS["role"])


@pytest.mark.parametrize("name", PLAYBOOKS)
def test_every_playbook_says_how_it_is_called(name):
    text = (HOME / "playbooks" / (name + ".yml")).read_text()
    assert re.search(f"^#   ansible-playbook .*skyhaul\\.cloudsync\\.{name}\\b", text, re.MULTILINE)
