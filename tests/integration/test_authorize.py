# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Logging in to a provider: the playbook, a real rclone, a real browser that clicks, and a cloud of our own."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pathlib
import re
import signal
import tempfile

import fake_oauth
import pytest
from controller import Controller
from harness import SECRET, alive, children, is_open, wait_for

PORT = 53682
LOGIN = "cloudsync_login_google_cloud_storage"
ADDRESS = re.compile(r"^    (http://127\.0\.0\.1:53682/auth\?state=\S+)$", re.MULTILINE)
OWN = {"id": "b!own", "driveType": "business", "name": "OneDrive", "description": "All of it"}
OTHER = {"id": "b!other", "driveType": "personal", "name": "Photos"}
LIBRARY = {"id": "b!library", "driveType": "documentLibrary", "name": "Documents"}


@pytest.fixture(name="port")
def fixture_port():
    """rclone's own port, for one test at a time, whatever worker or clone it runs in."""
    with open(os.path.join(tempfile.gettempdir(), "cloudsync-port-of-authorize"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        wait_for(lambda: not is_open(PORT), f"the port {PORT}, which something else uses,")
        yield PORT
        wait_for(lambda: not is_open(PORT), "the end of rclone")


class Operator(Controller):
    """Somebody who logs in to ``account``; ``vault``: the options for their vault password."""

    def __init__(self, folder, rclone, account, port):
        super().__init__(folder)
        self.account = account
        self.settings = fake_oauth.settings(port)
        self.cloud = f"http://127.0.0.1:{port}"
        self.file = self.folder / "group_vars" / "all" / "vault_cloud.yml"
        (self.folder / "password").write_text("the vault's password")
        self.vault = ["--vault-password-file", "password"]
        self.write_client()
        self.inventory()
        self.environment["PATH"] = os.pathsep.join([str(self.folder / "bin"), self.environment["PATH"]])
        self.use(rclone)

    def use(self, rclone):
        (self.folder / "bin").mkdir(exist_ok=True)
        (self.folder / "bin" / "rclone").unlink(missing_ok=True)
        (self.folder / "bin" / "rclone").symlink_to(rclone)

    def write_client(self, secret=fake_oauth.CLIENT_SECRET):
        fake_oauth.write_client(self.folder / "client.json", secret)

    def variables(self, more):
        """Those of a login at Google Cloud Storage, with ``more`` on top."""
        usual = {"provider": "google cloud storage", "token_file": str(self.file), "attributes": self.settings}
        return {"cloudsync_" + name: value for name, value in {**usual, **more}.items()}

    def logging_in(self, *words, **more):
        """The playbook in the background."""
        return self.playing("authorize", *self.vault, "-e", "@client.json", *words, **self.variables(more))

    def refused(self, *words, **more):
        """What the playbook says when it fails."""
        more.setdefault("timeout", 30)
        words = (*self.vault, "-e", "@client.json", *words)
        return one_line(self.play("authorize", *words, code=2, **self.variables(more)))

    def answer(self, browser, playing, button):
        """Do what the playbook says. rclone's last page is not looked at: rclone may end before it was sent."""
        browser.open(address_in(playing))
        assert fake_oauth.CLIENT_ID in browser.text()
        browser.click(button)

    def log_in(self, browser, *words, **more):
        """What the playbook says of a login that is allowed."""
        with self.logging_in(*words, **more) as playing:
            self.answer(browser, playing, "#allow")
            return one_line(playing.ended())

    def kept(self):
        """The file, in clear."""
        return self.call("ansible-vault", "view", *self.vault, self.file)

    def token(self):
        return json.loads(re.search(r"token: !unsafe '(\{.*\})'", self.kept()).group(1))

    def encrypt(self, text):
        """Put ``text`` into a file as ansible-vault does, not where Ansible itself would stop at it."""
        self.file = self.folder / "elsewhere.yml"
        self.file.write_text(text)
        self.call("ansible-vault", "encrypt", *self.vault, self.file)
        return self.file.read_bytes()


@pytest.fixture(name="account")
def fixture_account():
    return fake_oauth.Account()


@pytest.fixture(name="operator")
def fixture_operator(tmp_path, rclone, account):
    with fake_oauth.serving(account) as port:
        yield Operator(tmp_path, rclone, account, port)


def address_in(playing):
    """The address that the playbook shows."""

    def shown():
        found = ADDRESS.search(playing.said())
        assert found or playing.process.poll() is None, playing.said()
        return found

    return wait_for(shown, "the address").group(1)


def one_line(text):
    """Ansible breaks long lines."""
    return " ".join(text.split())


def in_clear(folder):
    """The files that hold a secret."""
    found = [path for path in pathlib.Path(folder).rglob("*") if path.is_file() and path.name != "client.json"]
    return [path for path in found if SECRET.encode() in path.read_bytes()]


def argument_vectors():
    for entry in pathlib.Path("/proc").iterdir():
        with contextlib.suppress(FileNotFoundError, NotADirectoryError, ProcessLookupError):
            yield (entry / "cmdline").read_bytes()


@pytest.mark.parametrize("which", ["rclone", "old_rclone"])
def test_an_allowed_login_becomes_a_vault_file_and_a_credential_that_works(
    request, operator, browser, port, machine, which
):
    operator.use(request.getfixturevalue(which))

    with operator.logging_in("-vvv") as playing:
        address_in(playing)
        assert not [words for words in argument_vectors() if fake_oauth.CLIENT_SECRET.encode() in words]
        operator.answer(browser, playing, "#allow")
        said = one_line(playing.ended())

    assert "changed=1" in said
    assert "ssh -L 53682:127.0.0.1:53682 " in said
    assert f"The variable {LOGIN} in {operator.file} contains the attributes" in said
    assert SECRET not in said and operator.token()["access_token"] == operator.account.access_token()
    # 1.60 keeps no expires_in.
    assert ("expires_in" in operator.token()) == (which == "rclone")
    assert in_clear(operator.folder) == []
    assert operator.file.stat().st_mode & 0o777 == 0o600

    before = operator.file.read_bytes()
    again = operator.play("authorize", *operator.vault, "-e", "@client.json", **operator.variables({}))
    assert "changed=0" in again and "already contains the login" in again
    assert operator.file.read_bytes() == before and operator.account.logins == 1

    assert "CHANGED" in declare(operator, machine)
    assert json.loads(machine.stored("cloud").merge_secrets()["token"]) == operator.token()


def declare(operator, machine):
    """Declare the login as a credential, as the documentation says, and have it verified."""
    endpoint = {"endpoint": operator.cloud + "/storage/v1/", "project_number": "1"}
    options = {
        "name": "cloud",
        "provider": f"{{{{ {LOGIN}.provider }}}}",
        "attributes": f"{{{{ {LOGIN}.attributes | combine({json.dumps(endpoint)}) }}}}",
        "secrets": f"{{{{ {LOGIN}.secrets }}}}",
        "verify": True,
    }
    words = ("-m", "skyhaul.cloudsync.credential", "-a", json.dumps(options), "-e", f"@{operator.file}")
    said = operator.call("ansible", "localhost", *words, *operator.vault, CLOUDSYNC_ROOT=str(machine.root))
    assert SECRET not in said
    return said


def test_a_denied_login_ends_in_a_sentence_and_writes_nothing(operator, browser, port):
    with operator.logging_in() as playing:
        operator.answer(browser, playing, "#deny")
        said = one_line(playing.ended(2))
    assert (
        "The login at google cloud storage was refused or cancelled in the browser. Start again and allow the access. "
        "It reported: access_denied: The user said no." in said
    )
    assert not operator.file.exists()


def test_a_login_that_nobody_comes_for_ends_in_time(operator, port):
    said = operator.refused(timeout=1)
    assert "The access to google cloud storage was not allowed in time." in said
    assert not operator.file.exists()


def test_a_wrong_client_secret_is_told_and_not_shown(operator, browser, port):
    operator.write_client(SECRET + "-wrong")
    with operator.logging_in() as playing:
        operator.answer(browser, playing, "#allow")
        said = one_line(playing.ended(2))
    assert "rclone got no token from google cloud storage. " in said and "invalid_client" in said
    assert "http://127.0.0.1:53682/ is a redirect address of that client" in said
    assert SECRET not in said
    assert not operator.file.exists()


@pytest.mark.parametrize(
    ("provider", "sentence"),
    [
        ("drvie", "There is no provider 'drvie'. Did you mean 'drive'?"),
        ("s3", "The provider s3 has no login in a browser. Declare a credential with its keys"),
    ],
)
def test_a_provider_without_such_a_login_is_refused(operator, provider, sentence):
    assert sentence in operator.refused(provider=provider)


def test_a_wrong_attribute_is_refused_before_anybody_logs_in(operator):
    said = operator.refused(attributes={"auth_ulr": "http://127.0.0.1:1/"})
    assert "The provider google cloud storage has no option 'auth_ulr'. Did you mean 'auth_url'?" in said


def test_nothing_is_guessed(operator):
    said = operator.play("authorize", *operator.vault, code=2)
    assert "Set the provider and the file to write: -e cloudsync_provider=NAME" in said


def test_without_a_vault_password_nobody_logs_in(operator):
    operator.vault = []
    said = operator.refused()
    assert "Start Ansible with --ask-vault-pass or --vault-password-file" in said


def test_a_port_that_is_in_use_is_told(operator, browser, port):
    with operator.logging_in() as playing:
        address_in(playing)
        said = operator.refused(token_file="other.yml")
        assert "Port 53682 of this machine is in use, but rclone needs it" in said
        operator.answer(browser, playing, "#allow")
        playing.ended()


def test_a_check_foresees_the_login_and_asks_nobody(operator):
    said = operator.play("authorize", "--check", *operator.vault, **operator.variables({}))
    assert "changed=1" in said and "A login would be saved in" in said
    assert not operator.file.parent.exists()


def test_an_existing_login_is_replaced_only_when_that_is_asked_for(operator, browser, port):
    old = operator.encrypt(f"{LOGIN}: {{provider: google cloud storage, attributes: {{}}, secrets: {{}}}}")
    assert "contains a login with other options: auth_url, token_url, client_id, client_secret." in operator.refused()
    assert operator.file.read_bytes() == old

    assert "changed=1" in operator.log_in(browser, token_replace=True)
    assert operator.token()["refresh_token"] == operator.account.refresh_token


@pytest.mark.parametrize("text", ["{0}: {{}}\nmine: 1\n", "mine: 1\n", "- mine\n", "{0}: [", "{0}: !vault x\n"])
def test_a_file_that_holds_something_else_is_never_replaced(operator, text):
    old = operator.encrypt(text.format(LOGIN))
    assert f"does not contain only the variable {LOGIN}" in operator.refused(token_replace=True)
    assert operator.file.read_bytes() == old


def test_a_file_of_another_vault_password_is_never_replaced(operator):
    old = operator.encrypt(LOGIN + ": {}\n")
    (operator.folder / "password").write_text("another")
    said = operator.refused(token_replace=True)
    assert "with the vault password of this play. Nothing was changed." in said
    assert operator.file.read_bytes() == old


def test_among_several_vault_passwords_one_is_named(operator, browser, port):
    (operator.folder / "test").write_text("the other password")
    operator.vault = ["--vault-id", "prod@password", "--vault-id", "test@test"]
    assert "There are several vault passwords (prod, test)" in operator.refused()
    assert "There is no vault password with the id 'dev'. Use one of: prod, test" in operator.refused(vault_id="dev")

    operator.log_in(browser, vault_id="test")
    assert operator.file.read_bytes().startswith(b"$ANSIBLE_VAULT;1.2;AES256;test\n")
    assert operator.token()["access_token"]


@pytest.mark.parametrize("listed", [[OTHER], [OTHER, OWN]])
def test_onedrive_lists_the_drives_and_takes_the_accounts_own(operator, browser, port, listed):
    """TrueNAS's onedrive_list_drives."""
    operator.account.own, operator.account.listed = OWN, listed

    said = operator.log_in(browser, provider="ONEDRIVE", graph_url=operator.cloud)

    for text in ("b!own", "business", "All of it", "b!other", "personal", "Photos"):
        assert text in said
    assert said.count("drive_id: ") == 2
    kept = operator.kept()
    assert "drive_id: !unsafe 'b!own'" in kept and "drive_type: !unsafe 'business'" in kept


@pytest.mark.parametrize("drive", [OTHER, LIBRARY])
def test_onedrive_takes_the_drive_that_is_named(operator, browser, port, drive):
    operator.account.own, operator.account.listed = OWN, [OWN, OTHER]
    operator.account.drives = {LIBRARY["id"]: LIBRARY}
    operator.log_in(browser, provider="onedrive", graph_url=operator.cloud, drive_id=drive["id"])
    kept = operator.kept()
    assert f"drive_id: !unsafe '{drive['id']}'" in kept
    assert f"drive_type: !unsafe '{drive['driveType']}'" in kept


def test_onedrive_names_the_drives_when_there_is_no_such_one(operator, browser, port):
    operator.account.own = OWN
    with operator.logging_in(provider="onedrive", graph_url=operator.cloud, drive_id="b!none") as playing:
        operator.answer(browser, playing, "#allow")
        said = one_line(playing.ended(2))
    assert (
        "The account has no drive 'b!none'. Set another drive_id. Its drives are: b!own (business, OneDrive)." in said
    )
    assert not operator.file.exists()


def test_on_a_desktop_the_browser_is_opened_unless_that_is_not_wanted(operator, browser, port):
    opened = operator.folder / "opened"
    script = operator.folder / "browse"
    script.write_text(f'#!/bin/sh\nenv > "{opened}.env"\necho "$1" > "{opened}"\n')
    script.chmod(0o755)
    operator.environment["BROWSER"] = str(script)

    operator.refused(open_browser=False, timeout=1)
    assert not opened.exists()

    with operator.logging_in() as playing:
        address = wait_for(lambda: opened.exists() and opened.read_text().strip(), "the browser")
        assert address == address_in(playing)
        assert SECRET not in pathlib.Path(str(opened) + ".env").read_text()
        operator.answer(browser, playing, "#allow")
        playing.ended()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_interrupted_playbook_leaves_no_rclone_behind(operator, port, number):
    with operator.logging_in() as playing:
        address_in(playing)
        workers = children(playing.process.pid)
        rclone = next(pid for worker in workers for pid, words in children(worker).items() if "authorize" in words)
        playing.process.send_signal(number)
        playing.process.wait(timeout=30)
        wait_for(lambda: not alive(rclone), "the end of rclone")
    assert not operator.file.exists()
