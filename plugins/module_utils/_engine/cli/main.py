# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""The command ``cloudsync``: parse the words, call one verb, turn an error into a sentence and an exit code."""

from __future__ import annotations

import argparse
import os
import sys
from typing import Callable, List, Optional

from ..common.errors import EXIT_FAILED, EXIT_INTERRUPTED, EXIT_USAGE, CloudsyncError, system_error
from ..host import Host
from .output import print_answer, print_error
from .parser import OF_UNITS, parse

Verb = Callable[[Host, argparse.Namespace], int]


def main(arguments: Optional[List[str]] = None) -> int:
    """Run the command and return its exit code. The contract lists those of ``run`` and ``check``."""
    options = argparse.Namespace(verb="", json=False)
    try:
        options = parse(arguments)
        return _find_verb(options.verb)(Host.from_environment(os.environ), options)
    except CloudsyncError as error:
        return _report(error, options)
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_FAILED
    except OSError as error:
        return _report(system_error(error), options)
    except Exception as error:
        return _report(_build_internal_error(error, options.verb), options)


def _build_internal_error(error: Exception, verb: str) -> CloudsyncError:
    """Return one sentence in place of a traceback. The text of the error can quote a secret, so it is not shown."""
    import traceback

    place = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{os.path.basename(os.path.dirname(place.filename))}/{os.path.basename(place.filename)}:{place.lineno}"
    return CloudsyncError(
        "other", f"cloudsync {verb} failed. Report this as a bug. Internal error: {type(error).__name__} in {where}."
    )


def _find_verb(name: str) -> Verb:
    """Import only the module that has the verb: a short verb spends most of its time on imports."""
    if name == "run":
        from . import run

        return run.VERBS[name]
    if name in ("adopt", "stop", "unpurge", "verify"):
        from . import control

        return control.VERBS[name]
    if name in ("drill", "restore", "ls", "versions", "thaw"):
        from . import recover

        return recover.VERBS[name]
    if name == "logs":
        from . import logs

        return logs.VERBS[name]
    if name in OF_UNITS:
        from . import units

        return units.VERBS[name]
    from . import show

    return show.VERBS[name]


def _report(error: CloudsyncError, options: argparse.Namespace) -> int:
    if options.json:
        print_answer(options, {"reason": error.reason, "message": error.message}, "")
    else:
        print_error(error.message)
    return EXIT_USAGE if error.reason == "usage" else EXIT_FAILED
