# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""The host that the engine works on. Each fact about it is read once, when it is first needed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Dict, Iterable, Mapping, NamedTuple, Optional, Tuple

from .common.errors import CloudsyncError
from .common.files import make_directory, read_json, read_text, write_json
from .common.layout import Layout

if TYPE_CHECKING:
    from .config.seed import Seed
    from .rclone.binary import Rclone
    from .rclone.providers.schema import Provider

# The version of the collection, as in galaxy.yml.
VERSION = "1.0.0"


class FormerHost(NamedTuple):
    """A host that this one replaces, because its backup was restored here at the time ``restored``."""

    id: str
    name: str
    restored: str


class Identity(NamedTuple):
    """Who this host is, for others at the same destination. ``id`` stands for its machine ID, empty if it has none.

    ``former`` are the hosts whose backups were restored here.
    """

    id: str
    name: str
    former: Tuple[FormerHost, ...] = ()


UNKNOWN = Identity("", "")


class Host:
    """This host: its layout, and on demand its seed, its rclone and the providers of that rclone."""

    def __init__(self, layout: Layout, search_path: str = "") -> None:
        self.layout = layout
        self._search_path = search_path
        self._seed: Optional[Seed] = None
        self._rclone: Optional[Rclone] = None
        self._providers: Optional[Dict[str, Provider]] = None

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Host:
        """Return the host with ``CLOUDSYNC_ROOT`` and ``PATH`` of ``environ``."""
        return cls(Layout.from_environment(environ), environ.get("PATH", ""))

    @property
    def seed(self) -> Seed:
        """The seed. Raises CloudsyncError("undecryptable") if it is missing or damaged."""
        if self._seed is None:
            from .config.seed import load_seed

            self._seed = load_seed(self.layout)
        return self._seed

    @property
    def has_seed(self) -> bool:
        return os.path.lexists(self.layout.seed)

    @property
    def rclone(self) -> Rclone:
        """The rclone of this host. Raises CloudsyncError("usage") if it is missing or too old."""
        if self._rclone is None:
            from .rclone import binary

            self._rclone = binary.probe(binary.find(self.layout, self._search_path), self.layout.state_dir)
        return self._rclone

    @property
    def has_rclone(self) -> bool:
        """Whether a usable rclone is installed. In check mode on a new host there is none yet."""
        try:
            return bool(self.rclone)
        except CloudsyncError:
            return False

    @property
    def identity(self) -> Identity:
        """Who this host is."""
        return identify(self.layout)

    @property
    def providers(self) -> Dict[str, Provider]:
        """The providers by rclone's name."""
        if self._providers is None:
            from .rclone.providers import schema

            self._providers = schema.load(self.rclone, self.layout.state_dir)
        return self._providers


def identify(layout: Layout) -> Identity:
    """Return who this host is."""
    name = "".join(letter if "!" <= letter <= "~" else "_" for letter in os.uname().nodename) or "_"
    return Identity(_hash_machine_id(layout), name, _read_former(layout))


def save_former(layout: Layout, former: Iterable[FormerHost]) -> None:
    """Remember the hosts that this one replaces."""
    make_directory(layout.state_dir)
    write_json(layout.former_hosts, {"hosts": [list(host) for host in former]})


def _hash_machine_id(layout: Layout) -> str:
    """Return a digest of the machine ID, which itself has to stay on the host. Empty if there is none."""
    from hashlib import blake2b

    try:
        found = (read_text(layout.machine_id) or "").strip()
    except (CloudsyncError, OSError):
        return ""
    # systemd writes this word while a new host starts for the first time.
    known = found and found != "uninitialized"
    return blake2b(found.encode(), digest_size=16, person=b"cloudsync-owner").hexdigest() if known else ""


def _read_former(layout: Layout) -> Tuple[FormerHost, ...]:
    """Return the hosts that this one replaces. A damaged file names none, so that more is refused."""
    try:
        found = read_json(layout.former_hosts) or {"hosts": []}
        return tuple(FormerHost(*map(str, host)) for host in found["hosts"])
    except (CloudsyncError, OSError, KeyError, TypeError):
        return ()
