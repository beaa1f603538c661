# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Open a session with a credential: build rclone's configuration for one use of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Callable, List, Mapping, Optional, Sequence

from ..common.accounts import find_account
from ..common.stop_signal import StopFlag
from ..config.credentials import Credential
from ..config.tasks import Encryption, Task, list_writes, task_to_dict
from ..host import Host
from ..rclone.binary import Rclone
from ..rclone.providers.conf_section import build_crypt_section, build_remote_section
from ..rclone.providers.derived_options import tune
from ..rclone.providers.flags import check_arguments, check_backend_flags, check_shard
from ..rclone.providers.schema import resolve
from ..rclone.providers.traits import is_bucket_based, list_readable_arguments
from .arguments import UNFINISHED, build_common_arguments, build_filters, build_selection_arguments
from .host_keys import trust
from .live_config import CRYPT, Content, open_live
from .pinned_folder import PinnedFolder
from .refreshed import REMOTE
from .session import Session

Say = Callable[[str], None]


def build_place(path: str) -> str:
    """Return a remote path as an argument of rclone."""
    return f"{REMOTE}:{path}"


def _name_unfinished(rclone: Rclone, use_id: str) -> List[str]:
    """Return the arguments that name the unfinished files of a use.

    rclone 1.63 and 1.64 give them names that could be those of anybody. A later sync fails on such a file, because it
    writes to the same name and then deletes it. Therefore these versions write to the final name.
    """
    if rclone.has_partial_suffix:
        # The last characters of the run ID mark its files.
        return [f"--partial-suffix={UNFINISHED}{use_id[-5:]}"]
    return ["--inplace"] if rclone.has_inplace else []


def _build_root(path: str) -> str:
    return build_place(path.lstrip("/").partition("/")[0])


def build_task_place(task: Task) -> str:
    """Return the remote side of a task as an argument of rclone, decrypted if the task encrypts."""
    return CRYPT + ":" if task.encryption is not None else build_place(task.remote_path)


def build_content(
    host: Host,
    credential: Credential,
    options: Mapping[str, str],
    encryption: Optional[Encryption],
    remote_path: str,
    user: str = "root",
    strict_names: bool = True,
) -> Content:
    """Build the configuration for one use. Refreshed values override the declared ones, in rclone's own spelling.

    ``strict_names``: a name that cannot be decrypted is an error, if this version of rclone has that option.
    """
    provider = resolve(credential.provider, host.providers)
    login = {**credential.attributes, **credential.secrets}
    trusted = trust(host.layout, provider, login, find_account(user))
    remote = build_remote_section(provider, credential.attributes, credential.secrets, options)
    remote = {**remote, **trusted.options, **credential.refreshed}
    sections = {REMOTE: {name: value for name, value in remote.items() if value or name not in trusted.options}}
    if encryption is not None:
        sections[CRYPT] = build_crypt_section(
            build_place(remote_path),
            encryption.password,
            encryption.salt,
            encryption.filenames,
            encryption.directory_names,
            strict_names and host.rclone.has_strict_names,
        )
    return Content(sections, trusted.files, tune(provider, login, options).arguments)


def open_task_session(
    host: Host,
    task: Task,
    credential: Credential,
    use_id: str,
    stop: StopFlag,
    say: Say,
    descriptors: Sequence[int] = (),
    local: Optional[PinnedFolder] = None,
    tell: Optional[Say] = None,
) -> Session:
    """Open the session of a run or a plan of ``task``. The caller closes ``session.live``.

    ``say`` gets sentences about what the session waits for, ``tell`` about what takes long.
    """

    def build(now: Credential) -> Content:
        # A drill names what cannot be decrypted. Any other run is refused at the first such name.
        content = build_content(
            host, now, task.provider_options, task.encryption, task.remote_path, task.user, not task.is_drill
        )
        return replace(content, filters=build_filters(task))

    # Here, too, because the task may be older than the rclone, or was declared while none was installed.
    check_arguments(task.rclone_args)
    check_backend_flags(task.rclone_args, credential.provider, host.providers)
    if task.shard is not None:
        check_shard(host.rclone)
    live = open_live(host.layout, credential, True, use_id, build, task.user, stop, say)
    return Session(
        host.rclone,
        live,
        stop,
        task.user,
        descriptors,
        _build_root(task.remote_path),
        has_no_folders=is_bucket_based(credential.provider),
        remote_path=task.remote_path,
        common=[*build_common_arguments(task), *_name_unfinished(host.rclone, use_id)],
        selection=build_selection_arguments(task, live.filters),
        readable=list_readable_arguments(credential.provider, {**credential.attributes, **task.provider_options}),
        local=local,
        credential=credential,
        patience=task.limits.max_stall,
        target="" if task.is_push else task.path,
        writes=list_writes(task_to_dict(task), credential.provider, credential.attributes),
        host=host.identity,
        plan_file=host.layout.task_state_dir(task.name) + "/plan",
    )


def open_credential_session(
    host: Host,
    credential: Credential,
    use_id: str,
    saved: bool,
    encryption: Optional[Encryption] = None,
    remote_path: str = "",
    options: Optional[Mapping[str, str]] = None,
) -> Session:
    """Open the session of a verify or a listing. ``saved`` is False for a credential that is not in the store.

    rclone skips names that it cannot decrypt, and writes them to its log.
    """

    def build(now: Credential) -> Content:
        return build_content(host, now, options or {}, encryption, remote_path, strict_names=False)

    live = open_live(host.layout, credential, saved, use_id, build)
    return Session(host.rclone, live, root=_build_root(remote_path))
