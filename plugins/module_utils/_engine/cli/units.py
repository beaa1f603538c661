# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""Verbs for the unit files: gate before a run, sweep after it, and assist for what a sandboxed run asks for."""

from __future__ import annotations

import argparse
import os

from ..common.errors import EXIT_NOT_NOW, EXIT_SUCCESS
from ..config.stored_tasks import require_task
from ..config.task_store import load_task
from ..health.publish import publish
from ..host import Host
from ..operations.trigger import recall_trigger
from ..runs import start_gate
from ..runs.assist import Channel, serve
from ..runs.recovery import sweep_dead_runs
from ..systemd import engines
from .output import print_error


def open_gate(host: Host, options: argparse.Namespace) -> int:
    """Decide whether systemd may start the run now: ``cloudsync gate TASK``. The exit code is 0 or EXIT_NOT_NOW."""
    stored = require_task(host.layout, options.task)
    # An edited task must not decide anything here. The run then starts, and records the error.
    load_task(host.layout, host.seed, options.task)
    if not start_gate.may_start(host.layout, stored, recall_trigger(host.layout, options.task, os.environ)):
        return EXIT_NOT_NOW
    start_gate.make_places(host.layout, stored)
    return EXIT_SUCCESS


def recover(host: Host, options: argparse.Namespace) -> int:
    """Remove unused engines, recover from killed runs, and write the metrics: ``cloudsync sweep TASK``."""
    engines.clean_up(host.layout)
    try:
        sweep_dead_runs(host, options.task)
    finally:
        publish(host, print_error)
    return EXIT_SUCCESS


def publish_metrics(host: Host, _options: argparse.Namespace) -> int:
    """Write the metrics: ``cloudsync publish``, before the watch and outside of its sandbox."""
    publish(host, print_error)
    return EXIT_SUCCESS


def assist(host: Host, _options: argparse.Namespace) -> int:
    """Do one request of a run: ``cloudsync assist``, with the run's connection as standard input and output."""
    serve(host, Channel())
    return EXIT_SUCCESS


VERBS = {"gate": open_gate, "sweep": recover, "publish": publish_metrics, "assist": assist}
