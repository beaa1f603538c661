# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run OpenStack Swift in one process, with one replica and v1 logins: swift_server.py FOLDER PORT USER KEY.

Run this with the Python that has Swift. In production, its account, container and object servers run on separate
machines. Its tokens are encrypted with a key, so that it does not need memcached.
"""

from __future__ import annotations

import base64
import os
import sys

import eventlet

eventlet.monkey_patch()

import eventlet.wsgi
from swift.account.server import AccountController
from swift.common import utils
from swift.common.middleware import catch_errors, dlo, slo, tempauth
from swift.common.ring import RingBuilder
from swift.container.server import ContainerController
from swift.obj.server import ObjectController
from swift.proxy.server import Application, parse_per_policy_config


def main():
    folder, port, user, key = sys.argv[1:]
    utils.HASH_PATH_SUFFIX = b"a test"
    os.makedirs(os.path.join(folder, "disk"), exist_ok=True)
    common = {"swift_dir": folder, "devices": folder, "mount_check": "false", "bind_ip": "127.0.0.1"}
    for kind, controller in (("account", AccountController), ("container", ContainerController), ("object", None)):
        socket = eventlet.listen(("127.0.0.1", 0))
        make_ring(folder, kind, socket.getsockname()[1])
        serve(socket, (controller or ObjectController)(common))
    serve(eventlet.listen(("127.0.0.1", int(port))), proxy(common, user, key)).wait()


def make_ring(folder, kind, port):
    """Write a ring with one partition on one device."""
    builder = RingBuilder(0, 1, 0)
    where = {"region": 1, "zone": 1, "ip": "127.0.0.1", "port": port, "device": "disk", "weight": 1}
    builder.add_dev({**where, "replication_ip": "127.0.0.1", "replication_port": port, "id": 0, "meta": ""})
    builder.rebalance()
    builder.get_ring().save(os.path.join(folder, kind + ".ring.gz"))


def proxy(common, user, key):
    settings = os.path.join(common["swift_dir"], "proxy.conf")
    open(settings, "w").close()
    conf = {**common, "account_autocreate": "true", "__file__": settings, "__name__": "proxy-server"}
    conf["policy_config"] = parse_per_policy_config(conf)
    tokens = base64.urlsafe_b64encode(os.urandom(32)).decode()
    logins = {"user_test_" + user: key + " .admin", "fernet_key_one": tokens, "active_fernet_key_id": "one"}
    app = Application(conf)
    for middleware, options in ((dlo, {}), (slo, {}), (tempauth, logins), (catch_errors, {})):
        app = middleware.filter_factory({}, **options)(app)
    return app


def serve(socket, app):
    return eventlet.spawn(eventlet.wsgi.server, socket, app, log_output=False)


if __name__ == "__main__":
    main()
