# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Hooks: the user's own commands before and after a run.

A hook is the absolute path of an executable file, or shell text. Text whose first line is a shebang is given to that
interpreter; other text to bash, or to sh where there is no bash. It runs in ``/`` with nothing on its standard input,
and sees the environment that build_environment() builds, in which there is never a secret.

The text is neither in an argument vector nor, while it runs, in a file that has a name: a host that loses power in
the middle of a hook finds nothing of it, and a ``/run`` mounted ``noexec`` does not matter.
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
    """How a hook ended: ``exit_code`` as a shell gives it (128 + N after signal N), its last KEPT_LINES lines."""

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
    """Run ``hook`` (``kind`` is before, success, failure or always) and hand each line of its output to ``log``.

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
        say(f"ended: it ran longer than {timeout} s")
    if ended.stopped:
        say("ended: the run was stopped")
    exit_code = ended.exit_code if ended.exit_code >= 0 else 128 - ended.exit_code
    return HookResult(exit_code, tuple(tail), ended.timed_out, ended.stopped)


def build_hook_error(kind: str, result: HookResult) -> CloudsyncError:
    """What a hook's bad end makes of the run: its exit code and its last words."""
    if result.stopped:
        return CloudsyncError("stopped", f"The run was stopped during its {kind} hook.")
    how = "ran into its timeout" if result.timed_out else f"failed with exit code {result.exit_code}"
    words = " | ".join(result.last_lines) or "it printed nothing"
    return CloudsyncError("hook", f"The {kind} hook {how}; its last lines: {words}")


def build_script(hook: str) -> str:
    """The script that ``hook`` means: itself, or one that executes the file that it names."""
    path = hook.strip()
    if os.path.isabs(path) and os.path.isfile(path):
        return f"exec {shlex.quote(path)}\n"
    return hook


def find_interpreter(text: str) -> List[str]:
    """Who reads ``text``: its shebang, split as the kernel does (at most one argument), or the shell."""
    first = text.split("\n", 1)[0].rstrip("\r")
    words = first[2:].strip().split(None, 1) if first.startswith("#!") else []
    return words or [next((shell for shell in SHELLS if os.access(shell, os.X_OK)), "/bin/sh")]


def open_unnamed_script(text: str, directory: str, account: Account) -> int:
    """A descriptor that ``account`` can read ``text`` from (as /dev/fd/N); its file has no name any more."""
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
