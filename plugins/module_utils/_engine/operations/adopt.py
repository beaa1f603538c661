# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""Make a task of this host the owner of its destination, after a host was replaced."""

from __future__ import annotations

from typing import Any, Dict

from ..common.errors import CloudsyncError
from ..common.stop_signal import StopFlag
from ..config.credential_store import load_credential
from ..config.tasks import Task
from ..guards.crypt_password import check_crypt
from ..guards.owner import take_over
from ..host import Host
from ..remote.open import build_place, build_task_place, open_task_session
from ..runs.log import hide_secrets
from ..runs.records import make_run_id


def adopt(host: Host, task: Task, stop: StopFlag) -> Dict[str, Any]:
    """Leave the owner mark of ``task`` at its destination, in place of any other. Change no other file there.

    Return whose mark it was: ``host``, ``task`` and ``since``, all empty if there was none or a damaged one.
    """
    credential = load_credential(host.layout, host.seed, task.credential)
    try:
        session = open_task_session(host, task, credential, make_run_id(), stop, lambda _text: None)
        with session.live:
            # A wrong password would hide the mark that is there.
            check_crypt(session, task, build_task_place(task), build_place(task.remote_path))
            session.make_folders()
            mark, changed = take_over(session, task)
    except CloudsyncError as error:
        hide_secrets(error, credential, task.encryption)
        raise
    former = {"host": mark.host_name, "task": mark.task, "since": mark.time} if mark is not None else {}
    return {"changed": changed, "former": former}
