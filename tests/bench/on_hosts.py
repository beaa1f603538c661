# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Configure hosts with systemd in containers, with the collection and with templates in loops.

tests/fleet/run gives the image, the network and the collections: tests/fleet/run python tests/bench/on_hosts.py 12
The last line of the output has the seconds that each took, as JSON.
"""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys

from bench_converge import build_config
from measure import take

HERE = pathlib.Path(__file__).resolve().parent
TASKS, CREDENTIALS = 20, 4
PART = 4
RCLONE = "/usr/local/bin/rclone"
CONNECTION = {
    "ansible_connection": "containers.podman.podman",
    "ansible_python_interpreter": "/usr/bin/python3",
}


def main(count: int) -> int:
    hosts = [f"bench-{number:02}" for number in range(count)]
    inventory = pathlib.Path(os.environ["FLEET_DIR"], "bench.json")
    inventory.write_text(json.dumps({"all": {"hosts": dict.fromkeys(hosts), "vars": CONNECTION}}))
    os.environ.update(ANSIBLE_INVENTORY=str(inventory), ANSIBLE_PIPELINING="true", ANSIBLE_FORKS=str(count))
    os.environ.pop("ANSIBLE_REMOTE_TMP", None)  # a folder of this machine
    network = os.environ["FLEET_NETWORK"] + "-bench"
    _remove(hosts, network)
    take(["podman", "network", "create", network])
    try:
        for host in hosts:
            _start(host, network)
        print(json.dumps(_measure(hosts)))
    finally:
        _remove(hosts, network)
    return 0


def _remove(hosts: list[str], network: str) -> None:
    for words in (["rm", "--force", "--time=0", *hosts], ["network", "rm", "--force", network]):
        subprocess.run(["podman", *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)


def _start(host: str, network: str) -> None:
    options = ["--detach", "--name", host, "--network", network, "--systemd=always", "--privileged"]
    volume = f"{os.environ['FLEET_RCLONE']}:{RCLONE}:ro"
    image = f"localhost/cloudsync/trixie:{os.environ['FLEET_TAG']}"
    take(["podman", "run", *options, "--volume", volume, image, "/sbin/init"])


def _measure(hosts: list[str]) -> dict[str, float]:
    """Return the seconds of the first time on a part of the hosts, ours and theirs, and of one change on few and all.

    The loops are too slow for all hosts.
    """
    take(["ansible-playbook", str(HERE / "on_hosts.yml")])
    few = ",".join(hosts[: len(hosts) // PART])
    place = {"bench_place": "/opt/bench", "bench_units": "/etc/systemd/system", "bench_hosts": few}
    numbers = {"bench_tasks": TASKS, "bench_credentials": CREDENTIALS}
    loops = ["ansible-playbook", str(HERE / "handwritten.yml"), "-e", json.dumps({**place, **numbers})]
    took = {"first": take(_converge(few, "")).seconds, "theirs": take(loops).seconds}
    take(_converge("all", ""))
    return {
        **took,
        "few": take(_converge(few, "changed on some hosts")).seconds,
        "all": take(_converge("all", "changed on all hosts")).seconds,
    }


def _converge(hosts: str, changed: str) -> list[str]:
    config = build_config(TASKS, CREDENTIALS, changed)
    return ["ansible", hosts, "-m", "skyhaul.cloudsync.host_config", "-a", json.dumps(config)]


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
