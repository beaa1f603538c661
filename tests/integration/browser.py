# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Control a headless browser: Debian's Chromium with its chromedriver, which has an API with JSON over HTTP."""

from __future__ import annotations

import base64
import json
import pathlib
import re
import shutil
import subprocess
import urllib.request
from contextlib import contextmanager

DRIVER = "chromedriver"
PROGRAM = "chromium"
OPTIONS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-proxy-server",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1 , EXCLUDE localhost",
]
STARTED = re.compile(r"started successfully on port (\d+)")
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # the key of a reference to an element in the WebDriver standard


def is_there():
    return bool(shutil.which(DRIVER) and shutil.which(PROGRAM))


class Browser:
    """One window. ``address`` is the address of the driver's session."""

    def __init__(self, address):
        self._address = address

    def open(self, url):
        self._notify("/url", url=url)

    def click(self, selector):
        """Click on the element that the CSS ``selector`` finds. Return after the next page is loaded."""
        found = self._notify("/element", using="css selector", value=selector)
        self._notify(f"/element/{found[ELEMENT]}/click")

    def text(self, selector="body"):
        """Return the visible text of the page, or of the element that the CSS ``selector`` finds."""
        found = self._notify("/element", using="css selector", value=selector)
        return _ask("GET", f"{self._address}/element/{found[ELEMENT]}/text")

    def type(self, selector, text):
        """Type ``text`` into an element. Keys such as ENTER are characters of the WebDriver standard."""
        found = self._notify("/element", using="css selector", value=selector)
        self._notify(f"/element/{found[ELEMENT]}/value", text=text)

    def press(self, keys):
        """Press keys, wherever the focus is."""
        actions = [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]
        self._notify("/actions", actions=[{"type": "key", "id": "keyboard", "actions": actions}])

    def run(self, script, *arguments):
        """Run JavaScript in the page, and return its result. A promise is waited for."""
        return self._notify("/execute/sync", script=script, args=list(arguments))

    def emulate(self, method, **parameters):
        """Send a command of Chromium's developer tools."""
        return self._notify("/goog/cdp/execute", cmd=method, params=parameters)

    def save_picture(self, path):
        """Save what the window shows, as PNG."""
        path = pathlib.Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(_ask("GET", self._address + "/screenshot")))

    def _notify(self, path, **content):
        return _ask("POST", self._address + path, content)


def _port_of(driver):
    """Return the port that the driver listens on, from its output."""
    for line in driver.stdout:
        found = STARTED.search(line)
        if found:
            return found.group(1)
    raise AssertionError("chromedriver did not start")


@contextmanager
def browsing(folder):
    """Run a browser with its profile and home in ``folder``."""
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "LANG": "C.UTF-8"}
    driver = subprocess.Popen(
        [shutil.which(DRIVER), "--port=0"],
        env=environment,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        encoding="utf-8",
    )
    with driver:
        try:
            address = f"http://127.0.0.1:{_port_of(driver)}/session"
            chrome = {
                "binary": shutil.which(PROGRAM),
                "args": [*OPTIONS, f"--user-data-dir={folder}/profile"],
            }
            session = _ask("POST", address, {"capabilities": {"alwaysMatch": {"goog:chromeOptions": chrome}}})
            address += "/" + session["sessionId"]
            try:
                yield Browser(address)
            finally:
                _ask("DELETE", address)
        finally:
            driver.kill()


def _ask(method, address, content=None):
    body = None if content is None else json.dumps(content).encode()
    request = urllib.request.Request(address, data=body, method=method, headers={"Content-Type": "application/json"})
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with direct.open(request, timeout=60) as response:
        return json.load(response)["value"]
