# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run each check on each host, and show the measurements at the end."""

from __future__ import annotations

import pytest
from fleet import Host, Run, wait_until


@pytest.fixture(params=["bookworm", "trixie"])
def host(request: pytest.FixtureRequest) -> Host:
    """Provide a host with tasks."""
    return Host(request.param)


@pytest.fixture()
def store() -> Host:
    """Provide the host that serves S3 and SFTP."""
    return Host("store")


@pytest.fixture()
def first_run(host: Host) -> Run:
    """Provide the first finished run that the timer of ``minutely`` started."""

    def look() -> Run | None:
        runs = [run for run in host.runs("minutely") if run.trigger == "timer" and run.ended]
        return runs[0] if runs else None

    return wait_until(look, "the timer of minutely starts a run that ends", 90)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.get_closest_marker("patient") is None)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            terminalreporter.write_line(f"{report.nodeid.rsplit('/')[-1]}: {name}: {value}")
