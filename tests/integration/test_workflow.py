# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The workflow runs every stage of `make test` on every supported Python."""

from __future__ import annotations

import ast
import pathlib
import re

import pytest
import yaml

CLONE = pathlib.Path(__file__).parents[2]
WORKFLOWS = sorted((CLONE / ".github" / "workflows").glob("*.yml"))
JOB = yaml.safe_load((CLONE / ".github" / "workflows" / "test.yml").read_text(encoding="utf-8"))["jobs"]["stage"]
MATRIX = JOB["strategy"]["matrix"]


def read_constants():
    """Return the constants of tests/runner/stages.py by name, as nodes of its syntax tree."""
    tree = ast.parse((CLONE / "tests" / "runner" / "stages.py").read_text(encoding="utf-8"))
    assigned = {ast.unparse(node.targets[0]): node.value for node in tree.body if isinstance(node, ast.Assign)}
    annotated = {ast.unparse(node.target): node.value for node in tree.body if isinstance(node, ast.AnnAssign)}
    return {**assigned, **annotated}


CONSTANTS = read_constants()
STAGES, BY_NAME = ([key.value for key in CONSTANTS[name].keys] for name in ("ALL", "BY_NAME"))


def test_the_workflow_runs_exactly_the_stages_of_make_test():
    assert MATRIX["stage"] == STAGES
    assert {entry["stage"] for entry in MATRIX["include"]} <= {*STAGES, *BY_NAME}


def test_the_workflow_runs_the_unit_tests_on_the_pythons_that_make_test_omits():
    assert "pythons" in {entry["stage"] for entry in MATRIX["include"]} & set(BY_NAME)


def test_the_workflow_runs_on_every_python_that_a_control_node_may_have():
    supported = {python for core in ("OLDEST_CORE", "NEWEST_CORE") for python in ast.literal_eval(CONSTANTS[core])[1]}
    assert {*MATRIX["python"], *(entry["python"] for entry in MATRIX["include"])} == supported


def test_the_workflow_installs_every_python_that_a_host_may_have():
    install = next(step for step in JOB["steps"] if "setup-python" in step.get("uses", ""))
    assert install["with"]["python-version"].split() == [f"3.{minor}" for minor in range(8, 15)]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_pins_its_actions_and_may_only_read(path):
    text = path.read_text(encoding="utf-8")
    assert yaml.safe_load(text)["permissions"] == {"contents": "read"}
    for action in re.findall(r"uses: (\S+)", text):
        assert re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", action), action
