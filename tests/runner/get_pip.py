# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Install the requested pip with the pip that every Python contains. ansible-test runs this instead of get-pip."""

from __future__ import annotations

import ensurepip
import os
import subprocess
import sys

WANTED = [word for word in sys.argv[1:] if word not in ("--no-setuptools", "--no-wheel")]
SETTINGS = dict(os.environ)  # a copy, because ensurepip removes pip's variables

ensurepip.bootstrap()
sys.exit(subprocess.call([sys.executable, "-m", "pip", "install", "--upgrade", *WANTED], env=SETTINGS))
