"""The page in a real browser."""

from __future__ import annotations

import json
import re
import sys

import httpx
import numpy as np
import pytest
from tests.server.chromium import NAMES, Chromium, find_browser
from tests.server.live import TOKENS, inverted, layout, live_server, order, register, submit, volume, wait_for

from napari_lightbox.contract import registry
from napari_lightbox.server.jobs.job import Job

FILES = ("", "web/page.js", "web/jobs.js", "web/speak.js", "web/page.css", "web/icon.svg")
CHUNKS = (1, 20, 30)
MARKUP = "<img src=x onerror=\"document.title='hit'\"><script>document.title='hit'</script>"

in_a_browser = pytest.mark.skipif(
    find_browser() is None or sys.platform == "win32", reason=f"none of {', '.join(NAMES)} is on the PATH"
)


def fetched(live, name):
    return httpx.get(f"{live.url}/{name}", trust_env=False)


@pytest.mark.parametrize("name", FILES)
def test_the_page_loads_without_a_token(live, name):
    answer = fetched(live, name)
    assert answer.status_code == 200
    assert "script-src 'self'" in answer.headers["content-security-policy"]
    assert answer.headers["x-frame-options"] == "DENY"


@pytest.mark.parametrize("name", FILES)
def test_nothing_comes_from_elsewhere(live, name):
    text = fetched(live, name).text.replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"https?://|//[a-z]", text)
    assert not re.search(r"innerHTML|outerHTML|insertAdjacent|document\.write|eval\(|localStorage", text)
    assert not re.search(r"<script>|\son[a-z]+=|style=", text)


@pytest.mark.parametrize("name", ["web/index.html.bak", "web/config.py", "web/", "web/PAGE.JS", "web/page.js/"])
def test_there_are_no_other_files(live, name):
    assert fetched(live, name).status_code == 404


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    browser = Chromium(tmp_path_factory.mktemp("browser"))
    yield browser
    browser.close()


@pytest.fixture
def page(browser, tmp_path):
    """A server of its own, and the page open at it."""
    with live_server(tmp_path) as live:
        browser.events.clear()
        browser.call("Emulation.setDeviceMetricsOverride", width=1200, height=900, deviceScaleFactor=1, mobile=False)
        browser.open(live.url)
        yield live, browser
        browser.call("Page.navigate", url="about:blank")


def enter(browser, token=TOKENS["alice"]):
    browser.until("!document.getElementById('entrance').hidden")
    browser.run(f"document.getElementById('token').value = {json.dumps(token)}")
    browser.run("document.querySelector('#entrance button').click()")


def come_in(browser):
    enter(browser)
    browser.until("!document.getElementById('content').hidden && document.getElementById('cluster').textContent")


@in_a_browser
def test_it_asks_for_a_token_and_shows_the_techniques(page):
    live, browser = page
    enter(browser, "wrong-token-0123456789")
    browser.until("document.getElementById('fault').textContent.includes('is wrong')")
    assert browser.run("sessionStorage.length") == 0
    come_in(browser)
    count = len(registry.find())
    assert browser.run("document.getElementById('count').textContent") == f"{count} of {count}"
    browser.run("const s = document.getElementById('search'); s.value = 'MEDIAN filter'; s.dispatchEvent(new Event('input'))")
    shown = browser.run("[...document.querySelectorAll('#catalogue small')].map((e) => e.textContent).join()")
    assert "median_filter" in shown
    assert "threshold_otsu" not in shown
    browser.run("document.querySelector('#catalogue summary').click()")
    assert browser.until("document.querySelectorAll('#catalogue dt').length")
    assert TOKENS["alice"] not in browser.run("document.documentElement.outerHTML + location.href")
    assert all(url.startswith(live.url) for url in browser.requested), browser.requested
    assert [c for c in browser.complaints if "401" not in c] == []
    browser.run("document.getElementById('leave').click()")
    assert browser.run("sessionStorage.length") == 0
    assert browser.run("document.getElementById('content').hidden")


@in_a_browser
def test_a_token_in_the_address_is_taken_out_of_it(page):
    live, browser = page
    browser.call("Page.navigate", url="about:blank")
    browser.open(f"{live.url}/#token={TOKENS['alice']}")
    browser.until("!document.getElementById('content').hidden")
    assert browser.run("location.href") == f"{live.url}/"


@in_a_browser
def test_jobs_show_their_results_and_can_be_stopped(page):
    live, browser = page
    image = np.random.default_rng(0).integers(0, 60_000, (3, 20, 30), dtype=np.uint16)
    with live.client() as client:
        inverted(client, image, CHUNKS, "zyx")
        source, _ = register(client, image, CHUNKS, lazy=True)
        waiting = submit(client, order("invert_intensity", volume(source, image, "zyx")))
        layout(client, waiting)
        failed, _ = inverted(client, image + 1, CHUNKS, "zyx")
        live.services.table.update(failed, status="failed", message=MARKUP)
        come_in(browser)
        browser.until("document.querySelectorAll('#jobs li').length === 3")
        browser.until("document.querySelector('[data-status=done] img')?.naturalWidth === 30")
        assert browser.run("document.querySelector('[data-status=failed] .status').textContent").endswith(MARKUP)
        assert browser.run("document.title") == "napari-lightbox"
        browser.until("document.querySelector('[data-status=running] progress')")
        browser.run("document.querySelector('[data-status=running] button').click()")
        browser.until("document.querySelector('[data-status=cancelled]')")
        assert client.get(f"/v1/jobs/{waiting}").json()["status"] == "cancelled"
        client.delete(f"/v1/jobs/{failed}")
        browser.until("document.querySelectorAll('#jobs li').length === 2")
    assert browser.complaints == []


@in_a_browser
def test_of_many_jobs_the_newest_are_listed_and_the_others_counted(page):
    live, browser = page
    for n in range(212):
        live.services.table.add(Job(f"job-{n:03}", "alice", {"technique": "median_filter"}, status="cancelled", created=float(n)))
    come_in(browser)
    browser.until("document.querySelectorAll('#jobs li').length === 200")
    assert browser.run("document.getElementById('older').textContent") == "12 older jobs are not listed."
    for n in range(12):
        live.services.table.delete(f"job-{n:03}")
    browser.until("document.getElementById('older').hidden")
    assert browser.run("document.querySelectorAll('#jobs li').length") == 200
    assert browser.complaints == []


@in_a_browser
def test_only_pictures_near_the_window_are_asked_for(page):
    live, browser = page
    image = np.random.default_rng(0).integers(0, 60_000, (3, 20, 30), dtype=np.uint16)
    with live.client() as client:
        oldest, _ = inverted(client, image, CHUNKS, "zyx")
    for n in range(60):
        live.services.table.add(Job(f"job-{n:03}", "alice", {"technique": "invert_intensity"}, status="done", created=1e11 + n))
    come_in(browser)
    browser.until("document.querySelectorAll('#jobs li').length === 61")
    asked = [f"{live.url}/v1/jobs/{job}/picture.png" for job in ("job-059", "job-000", oldest)]
    wait_for(lambda: browser.run("1") and any(url.startswith(asked[0]) for url in browser.requested))
    assert not any(url.startswith((asked[1], asked[2])) for url in browser.requested)
    browser.run("document.querySelector('#jobs li:last-child').scrollIntoView()")
    browser.until("document.querySelector('#jobs li:last-child img').naturalWidth === 30")
    assert sum("picture.png" in url for url in browser.requested) < 61, "what lies between was only passed over"


@in_a_browser
def test_progress_comes_without_a_new_look(page):
    live, browser = page
    image = np.random.default_rng(0).integers(0, 60_000, (3, 20, 30), dtype=np.uint16)
    with live.client() as client:
        source, _ = register(client, image, CHUNKS, lazy=True)
        job = submit(client, order("invert_intensity", volume(source, image, "zyx")))
        come_in(browser)
        browser.until("document.querySelector('[data-status=running]')")
        stream = f"{live.url}/v1/jobs/{job}/events"
        wait_for(lambda: browser.run("1") and stream in browser.requested)
        client.post(f"/v1/jobs/{job}/cancel")
        browser.until("document.querySelector('[data-status=cancelled]')")


@in_a_browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_telephone_by_day_and_by_night(page, scheme):
    _, browser = page
    browser.call("Emulation.setDeviceMetricsOverride", width=360, height=740, deviceScaleFactor=1, mobile=True)
    browser.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    come_in(browser)
    assert browser.run("document.documentElement.scrollWidth") <= 360
    colours = browser.run("(({backgroundColor: b, color: c}) => [b, c])(getComputedStyle(document.body))")
    ground, ink = (sum(map(int, re.findall(r"\d+", colour)[:3])) for colour in colours)
    assert ground > ink + 400 if scheme == "light" else ink > ground + 400
