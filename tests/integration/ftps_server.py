# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run an FTP server that requires TLS: ftps_server.py explicit|implicit FOLDER PORT USER PASSWORD CERT KEY.

Run this with the Python that has pyftpdlib, which supports only explicit TLS (AUTH TLS).
"""

from __future__ import annotations

import sys

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler, TLS_FTPHandler
from pyftpdlib.servers import FTPServer


class Explicit(TLS_FTPHandler):
    """Explicit TLS, with the status of other servers for a missing folder."""

    def respond(self, resp, *arguments, **options):
        super().respond(resp.replace("501 No such directory", "550 No such directory"), *arguments, **options)


class Implicit(Explicit):
    """Implicit TLS: both channels use it from the first byte."""

    def handle(self):
        self.secure_connection(self.ssl_context)
        self._prot = True
        super().handle()


def main():
    kind, folder, port, user, password, certificate, key = sys.argv[1:]
    handler = {"explicit": Explicit, "implicit": Implicit, "anonymous": FTPHandler}[kind]
    handler.authorizer = DummyAuthorizer()
    if kind == "anonymous":
        handler.authorizer.add_anonymous(folder, perm="elradfmwMT")
    else:
        handler.authorizer.add_user(user, password, folder, perm="elradfmwMT")
        handler.certfile, handler.keyfile = certificate, key
        handler.tls_control_required = handler.tls_data_required = True
    handler.auth_failed_timeout = 0
    FTPServer(("127.0.0.1", int(port)), handler).serve_forever()


if __name__ == "__main__":
    main()
