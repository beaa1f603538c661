# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""A problem of this host: its name, the task that it concerns, and a sentence."""

from __future__ import annotations

from typing import Callable, Dict, Iterable, List, NamedTuple, TypeVar

from ..common.errors import CloudsyncError, system_error

T = TypeVar("T")


class Problem(NamedTuple):
    """``name`` is a short stable word. ``task`` is empty if the problem concerns the whole host.

    ``since`` is the missed slot of an overdue task.
    """

    name: str
    task: str
    message: str
    since: str = ""

    @property
    def line(self) -> str:
        """The problem in one line."""
        return ": ".join(filter(None, (self.task, self.name, self.message)))

    @property
    def key(self) -> str:
        """A text that stays the same while the problem lasts. A second slot is another problem."""
        return self.since or self.name

    def to_dict(self) -> Dict[str, str]:
        return {"name": self.name, "task": self.task, "message": self.message}


def attempt(problems: List[Problem], name: str, task: str, call: Callable[[], T], default: T) -> T:
    """Return ``call()``. If it fails, add the failure to ``problems`` as one called ``name``, and return ``default``.

    A check that could not look has not found that all is well.
    """
    try:
        return call()
    except CloudsyncError as error:
        problems.append(Problem(name, task, error.message))
    except OSError as error:
        problems.append(Problem(name, task, system_error(error).message))
    except Exception as error:
        # Not the text of the error: it can quote the content of a file.
        problems.append(Problem(name, task, f"This could not be checked. Internal error: {type(error).__name__}."))
    return default


def collect(problems: List[Problem], name: str, task: str, find: Callable[[], Iterable[Problem]]) -> None:
    """Add what ``find`` returns to ``problems``, or its failure."""
    problems += attempt(problems, name, task, lambda: list(find()), [])
