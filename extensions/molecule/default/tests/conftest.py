# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fixtures: each check runs on each host, and its measurements are printed at the end."""

from __future__ import annotations

import pytest
from fleet import Host, Run, wait_until


@pytest.fixture(params=["bookworm", "trixie"])
def host(request: pytest.FixtureRequest) -> Host:
    """Return a host with tasks."""
    return Host(request.param)


@pytest.fixture()
def store() -> Host:
    """Return the host that serves S3 and SFTP."""
    return Host("store")


@pytest.fixture()
def first_run(host: Host) -> Run:
    """Return the first run that the timer of ``minutely`` started, after its end."""

    def look() -> Run | None:
        runs = [run for run in host.runs("minutely") if run.trigger == "timer" and run.ended]
        return runs[0] if runs else None

    return wait_until(look, "minutely was run by its timer and ended", 90)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.get_closest_marker("patient") is None)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            terminalreporter.write_line(f"{report.nodeid.rsplit('/')[-1]}: {name}: {value}")
