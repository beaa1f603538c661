# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The page of the report in a browser, used as a person does. Screenshots land in .build/report."""

from __future__ import annotations

import copy
import datetime
import json
import os
import pathlib
import time

import pytest
import sample_fleet

HOME = pathlib.Path(__file__).resolve().parents[2]
PICTURES = pathlib.Path(os.environ.get("CLOUDSYNC_PICTURES", HOME / ".build" / "report"))
EVIL = "</script><script>document.title = 'evil'</script><b>&amp;\u2028"
ENTER, ESCAPE = "\ue007", "\ue00c"
MIB = 1024 * 1024
LARGE = (1000, 20, 30)
DESKTOP, PHONE = (1280, 900), (390, 844)
# A4 without the margins of Chromium, in pixels of CSS.
PAPER = (717, 1046)
AXE = """
return axe.run(document, {resultTypes: ["violations"]}).then((found) =>
  found.violations.map((one) => one.id + ": " + one.nodes.map((node) => node.html.slice(0, 200)).join(" ")));
"""


@pytest.fixture(name="axe", scope="module")
def fixture_axe():
    from servers import FOLDER

    path = FOLDER / "node" / "node_modules" / "axe-core" / "axe.min.js"
    if not path.is_file():
        pytest.skip("axe-core is not installed. npm installs it (tests/make-servers).")
    return path.read_text(encoding="utf-8")


def read_clock():
    return datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)


def write_page(folder, answers, age=datetime.timedelta()):
    """Write the page that the answers give ``age`` ago, and return its path."""
    from ansible_collections.skyhaul.cloudsync.plugins.plugin_utils._report.fleet import build_fleet
    from ansible_collections.skyhaul.cloudsync.plugins.plugin_utils._report.page import render_page

    path = folder / "index.html"
    path.write_text(render_page(build_fleet(answers.items(), read_clock() - age), "Cloud sync"), encoding="utf-8")
    return path


class Page:
    """The page in a browser."""

    def __init__(self, browser, path, size=DESKTOP, scheme="light", address=""):
        self.browser = browser
        width, height = size
        browser.emulate(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )
        feature = {"name": "prefers-color-scheme", "value": scheme}
        browser.emulate("Emulation.setEmulatedMedia", media="screen", features=[feature])
        browser.open("about:blank")
        began = time.monotonic()
        browser.open(f"{path.as_uri()}{address}")
        self.wait("return !document.querySelector('#main').hasAttribute('aria-busy')")
        self.seconds = time.monotonic() - began

    def wait(self, condition):
        end = time.monotonic() + 30
        while not self.browser.run(condition):
            assert time.monotonic() < end, condition
            time.sleep(0.02)

    def wait_for_count(self, text):
        self.wait(f"return document.querySelector('#count').textContent === {json.dumps(text)}")

    def list(self, selector):
        script = "return [...document.querySelectorAll(arguments[0])].map((one) => one.innerText.trim())"
        return self.browser.run(script, selector)

    def count(self, selector):
        return self.browser.run("return document.querySelectorAll(arguments[0]).length", selector)


@pytest.fixture(name="few", scope="module")
def fixture_few():
    """Four hosts with four tasks: one fails, one is overdue, two share a destination, three are shards."""
    now = read_clock()
    answers = sample_fleet.build(4, 4, 30, now, seed=3)
    for answer in answers.values():
        for task in answer["tasks"]:
            task["status"].update(state="success", reason="", message="", enabled=True, overdue_since=None)
            task["report"].update(failing_since=None, log=[])
    hosts = list(answers)
    failed, late = answers[hosts[0]]["tasks"][0], answers[hosts[1]]["tasks"][1]
    failed["status"].update(state="failed", reason="auth", message="The provider refused the login." + EVIL)
    failed["report"].update(
        failing_since="2026-01-02T03:04:05Z", last_success="2026-01-01T03:04:05Z", log=["first " + EVIL, "last line"]
    )
    late["status"]["overdue_since"] = sample_fleet._iso(now - datetime.timedelta(hours=3))
    for host in hosts[2:]:
        answers[host]["tasks"][2]["status"]["remote_path"] = "backup/shared"
    for index, host in enumerate(hosts[:3]):
        part = copy.deepcopy(answers[host]["tasks"][3])
        part.update(name="dataset", shard={"index": index, "count": 4})
        part["status"].update(task="dataset", remote_path="backup/dataset")
        part["status"]["overdue_since"] = late["status"]["overdue_since"] if index == 1 else None
        answers[host]["tasks"].append(part)
    answers["gone.example.net"] = {"unreachable": True, "msg": "No route to host " + EVIL}
    return answers


def test_problems_come_first_with_their_reason_remedy_and_the_end_of_the_log(browser, few, tmp_path):
    page = Page(browser, write_page(tmp_path, few))
    assert page.list("#groups .badge") == ["unreachable", "overdue", "auth"]
    auth = page.browser.run("return [...document.querySelectorAll('.group')].at(-1).innerText")
    assert "log in again with the playbook authorize" in auth and EVIL.replace("\u2028", "") in auth.replace(
        "\u2028", ""
    )
    assert "1 task on 1 host, oldest" in auth
    browser.click('#groups [data-id="web001.example.net/documents"]')
    details = browser.text(".details")
    for part in ("Failing since", "Last success", "Last proven restore", "What to do", "last line", "End of the log"):
        assert part in details
    assert page.count(".details rect") == 60, "two charts of 30 runs"
    browser.click('#groups [data-id="web001.example.net/documents"]')
    assert page.count(".details") == 0
    assert browser.run("return document.title") == "Cloud sync" and page.count("b b") == 0
    browser.click("#grouping button:nth-child(2)")
    assert page.list("#groups .badge")[1:] == ["archive", "offsite"] or page.count("#groups .group") >= 2


def test_the_parts_of_a_sharded_task_are_one_row_and_a_shared_destination_is_marked(browser, few, tmp_path):
    page = Page(browser, write_page(tmp_path, few))
    assert page.browser.text("#count") == "17 rows"
    browser.type("#task", "dataset")
    page.wait_for_count("1 of 17 rows")
    row = browser.text("#table tr.row")
    assert "3 hosts" in row and "3 parts" in row and "overdue" in row
    browser.click("#table .open")
    assert page.list(".parts tbody th") == ["web001.example.net", "web002.example.net", "web003.example.net"]
    assert "1 of 4 parts is not in this report" in browser.text(".warning")
    browser.press([ESCAPE])
    page.wait_for_count("17 rows")
    marked = page.browser.run(
        "return [...document.querySelectorAll('.mark')].filter((one) => one.innerText === 'shared').map((one) =>"
        " one.closest('.open').dataset.id)"
    )
    assert sorted(marked) == ["web003.example.net/mail", "web004.example.net/mail"]


def test_the_filter_is_in_the_address_and_keys_are_enough(browser, few, tmp_path):
    path = write_page(tmp_path, few)
    page = Page(browser, path)
    browser.press("/")
    browser.press("web003 photos")
    page.wait_for_count("1 of 17 rows")
    assert browser.run("return location.hash") == "#text=web003+photos"
    again = Page(browser, path, address="#text=web003+photos")
    again.wait_for_count("1 of 17 rows")
    browser.run("document.activeElement.blur()")
    browser.press(["j", ENTER])
    assert browser.run("return document.activeElement.dataset.id") == "web003.example.net/photos"
    assert again.count(".details") == 1
    browser.press([ESCAPE])
    again.wait_for_count("17 rows")
    browser.click(".levels .problem")
    again.wait_for_count("3 of 17 rows")
    assert browser.run("return document.activeElement.className") == "problem"
    browser.click(".levels .problem")
    browser.click('[data-sort="host"]')
    browser.click('[data-sort="host"]')
    assert again.list("#table td.c-host")[0] == "web004.example.net"
    assert browser.run("return document.querySelector('[aria-sort]').getAttribute('aria-sort')") == "descending"


def test_old_data_are_marked_and_times_go_on(browser, few, tmp_path):
    page = Page(browser, write_page(tmp_path, few, age=datetime.timedelta(days=2)))
    assert "These data are 2 d old" in browser.text("#stale")
    assert page.count("#table .passed") == 0
    before = page.list("#table .c-success time")
    browser.run("const clock = Date.now; Date.now = () => clock() + 86400000 * 5")
    browser.run("document.dispatchEvent(new Event('visibilitychange'))")
    assert page.count("#table .passed") == 17
    assert "7 d" in browser.text("#stale")
    assert all(old != new for old, new in zip(before, page.list("#table .c-success time"), strict=True))


@pytest.mark.parametrize("scheme, size", [("light", DESKTOP), ("dark", DESKTOP), ("light", PHONE)])
def test_the_page_has_no_accessibility_violation(browser, axe, few, tmp_path, scheme, size):
    page = Page(browser, write_page(tmp_path, few), size, scheme)
    browser.run("for (const one of [...document.querySelectorAll('.open')].slice(0, 3)) one.click()")
    browser.run(
        "[...document.querySelectorAll('#table .open')].find((one) => one.innerText.includes('dataset')).click()"
    )
    # The policy of the page allows no other script, so the developer tools run it.
    browser.emulate("Runtime.evaluate", expression=axe)
    assert browser.run(AXE) == []
    wide = browser.run("return document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, "the page scrolls sideways"
    page.browser.save_picture(PICTURES / f"few-{scheme}-{size[0]}.png")


def test_the_printed_page_has_every_column(browser, few, tmp_path):
    page = Page(browser, write_page(tmp_path, few), PAPER)
    browser.emulate("Emulation.setEmulatedMedia", media="print")
    assert page.list("#table thead th")[-1] == "Next run"
    last = browser.run("return document.querySelector('#table thead th:last-child').getBoundingClientRect().right")
    assert 0 < last <= PAPER[0], "the printer cuts the last column"
    browser.save_picture(PICTURES / "few-print.png")


def test_a_large_fleet_is_small_and_usable_at_once(browser, tmp_path, request):
    answers = sample_fleet.build(*LARGE, read_clock())
    path = write_page(tmp_path, answers)
    assert path.stat().st_size < 3 * MIB
    page = Page(browser, path)
    assert page.seconds < 2 * int(os.environ.get("CLOUDSYNC_SLOWNESS", "3")), "it takes less than 1 s alone"
    assert page.count("*") < 8000
    assert page.list("#timeline .account")[0].startswith(("offsite", "archive", "nas"))
    assert page.count(".peak.crowd") == 3, "many hosts meet on each account"
    assert {text.split()[0] for text in page.list(".peak b")} == {"02:00"}
    browser.save_picture(PICTURES / "large-light-1280.png")
    total = page.browser.text("#count")
    assert total == "20,000 rows"
    browser.type("#text", "web777 wiki")
    page.wait_for_count("1 of 20,000 rows")
    browser.press([ESCAPE])
    page.wait_for_count("20,000 rows")
    browser.click(".peak.crowd")
    page.wait("return !document.querySelector('#window').hidden")
    few = int(page.browser.text("#count").split()[0].replace(",", ""))
    assert 500 < few < 20000
    for scheme, size in (("dark", DESKTOP), ("light", PHONE)):
        Page(browser, path, size, scheme)
        browser.save_picture(PICTURES / f"large-{scheme}-{size[0]}.png")


def test_one_host_and_an_empty_fleet_are_pages(browser, tmp_path):
    Page(browser, write_page(tmp_path, sample_fleet.build(1, 6, 12, read_clock(), seed=2)))
    browser.save_picture(PICTURES / "one-light-1280.png")
    browser.emulate("Emulation.setScrollbarsHidden", hidden=True)
    Page(browser, write_page(tmp_path, sample_fleet.build(12, 9, 30, read_clock(), seed=9)), (1280, 1300))
    browser.save_picture(PICTURES / "some-light-1280.png")
    Page(browser, write_page(tmp_path, {"web": {"tasks": []}}))
    assert "No host has a task." in browser.text() and "Hosts without a task" in browser.text()
