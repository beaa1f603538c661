# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Run hooks: the user's own commands before and after a run.

A hook is the absolute path of an executable file, or shell text. If the first line of the text is a shebang, that
interpreter runs it, else bash, or sh if there is no bash. A hook runs in ``/`` with an empty standard input. Its
environment comes from build_environment() and never has a secret.

The text is in no argument vector. While it runs, it is in a file without a name. So nothing of it remains after a
power loss, and ``/run`` may be mounted with ``noexec``.
"""

from __future__ import annotations

import os
import shlex
import tempfile
from collections import deque
from dataclasses import dataclass
from typing import Callable, Deque, Dict, List, Mapping, Optional, Tuple

from ..common.accounts import Account, build_start_error, find_account, make_child_setup
from ..common.errors import CloudsyncError
from ..common.processes import Child, SetupError, watch_group

SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
KEPT_LINES = 10
FACT_LENGTH = 8000
SHELLS = ("/bin/bash", "/usr/bin/bash", "/bin/sh")


@dataclass(frozen=True)
class HookResult:
    """The end of a hook: ``exit_code`` as in a shell (128 + N after signal N), and its last KEPT_LINES lines."""

    exit_code: int
    last_lines: Tuple[str, ...]
    timed_out: bool = False
    stopped: bool = False

    @property
    def ok(self) -> bool:
        return self.exit_code == 0 and not self.timed_out and not self.stopped


def build_environment(kind: str, facts: Mapping[str, str], home: str) -> Dict[str, str]:
    """Return the complete environment of a hook of ``kind``. Nothing is inherited from the runner."""
    built = {f"CLOUDSYNC_{name.upper()}": value.replace("\0", "")[:FACT_LENGTH] for name, value in facts.items()}
    built.update({"CLOUDSYNC_HOOK": kind, "PATH": SEARCH_PATH, "HOME": home, "LANG": "C.UTF-8"})
    return built


def run_hook(
    kind: str,
    hook: str,
    facts: Mapping[str, str],
    log: Callable[[str], None],
    timeout: int,
    user: Optional[str],
    stop: Callable[[], bool],
    script_dir: str,
) -> HookResult:
    """Run ``hook`` (``kind`` is before, success, failure or always) and pass each line of its output to ``log``.

    ``facts`` come from collect_facts(). After ``timeout`` seconds, or when ``stop`` returns True, the hook's process
    group gets SIGTERM, and SIGKILL 5 s later. It is also killed when the runner dies. Background processes of a hook
    that ended normally go on, but should not write to the hook's output. ``script_dir`` is a directory that only root
    can enter. The text is in it for an instant. A hook that cannot be started has exit code 126 or 127. Raises
    CloudsyncError if the user does not exist or the runner cannot change to it.
    """
    account = find_account(user)
    tail: Deque[str] = deque(maxlen=KEPT_LINES)

    def say(line: str) -> None:
        tail.append(line)
        log(f"[{kind}] {line}")

    text = build_script(hook)
    script = open_unnamed_script(text, script_dir, account)
    try:
        child = _start(find_interpreter(text), script, build_environment(kind, facts, account.home), user, say)
    except OSError as error:
        say(f"{find_interpreter(text)[0]}: {error.strerror}")
        return HookResult(127 if isinstance(error, FileNotFoundError) else 126, tuple(tail))
    finally:
        os.close(script)
    with watch_group(child):
        ended = child.follow(timeout, stop)
    if ended.timed_out:
        say(f"the hook was ended because it ran longer than {timeout} s")
    if ended.stopped:
        say("the hook was ended because the run was stopped")
    exit_code = ended.exit_code if ended.exit_code >= 0 else 128 - ended.exit_code
    return HookResult(exit_code, tuple(tail), ended.timed_out, ended.stopped)


def build_hook_error(kind: str, result: HookResult) -> CloudsyncError:
    """Return the error of a run whose hook failed: the exit code and the last lines of the hook."""
    if result.stopped:
        return CloudsyncError("stopped", f"The run was stopped during its {kind} hook.")
    how = "exceeded its timeout and was ended" if result.timed_out else f"failed with exit code {result.exit_code}"
    words = " | ".join(result.last_lines) or "(no output)"
    return CloudsyncError("hook", f"The {kind} hook {how}. Its last lines: {words}")


def build_script(hook: str) -> str:
    """Return the script for ``hook``: the text itself, or for a path a script that executes that file."""
    path = hook.strip()
    if os.path.isabs(path) and os.path.isfile(path):
        return f"exec {shlex.quote(path)}\n"
    return hook


def find_interpreter(text: str) -> List[str]:
    """Return the interpreter of ``text``: its shebang with at most one argument, as for the kernel, or the shell."""
    first = text.split("\n", 1)[0].rstrip("\r")
    words = first[2:].strip().split(None, 1) if first.startswith("#!") else []
    return words or [next((shell for shell in SHELLS if os.access(shell, os.X_OK)), "/bin/sh")]


def open_unnamed_script(text: str, directory: str, account: Account) -> int:
    """Return a descriptor from which ``account`` can read ``text`` as /dev/fd/N. Its file is already unlinked."""
    descriptor, path = tempfile.mkstemp(prefix="hook-", dir=directory)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(text.encode("utf-8", "surrogateescape"))
            os.fchmod(stream.fileno(), 0o500)
            if account.uid != os.geteuid():
                os.fchown(stream.fileno(), account.uid, account.gid)
            stream.flush()
            return os.open(path, os.O_RDONLY)
    finally:
        os.unlink(path)


def _start(argv: List[str], script: int, env: Dict[str, str], user: Optional[str], say: Callable[[str], None]) -> Child:
    try:
        return Child([*argv, f"/dev/fd/{script}"], env, say, descriptors=(script,), setup=make_child_setup(user))
    except SetupError:
        raise build_start_error(user) from None
