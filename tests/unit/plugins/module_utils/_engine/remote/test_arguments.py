# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.config.tasks import Task
from ansible_collections.skyhaul.cloudsync.plugins.module_utils._engine.remote.arguments import (
    Endpoints,
    build_connection_arguments,
    build_transfer_arguments,
)


def test_only_connection_options_of_rclone_args_go_before_every_command():
    arguments = ("--ca-cert=/ca.pem", "--checkers=4", "--http-proxy=http://proxy:3128")
    task = Task("t", "c", "push", "/srv", "b", rclone_args=arguments)
    assert build_connection_arguments(task) == ["--ca-cert=/ca.pem", "--http-proxy=http://proxy:3128"]
    words = build_transfer_arguments(task, Endpoints("/srv", "remote:b"))
    assert words[-4:] == ["--checkers=4", "--", "/srv", "remote:b"]
    assert not [word for word in words if word.startswith(("--ca-cert", "--http-proxy"))]
