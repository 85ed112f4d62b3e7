# Copyright (c) 2026 opensearch_ops.flow_framework contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page of a report in a real browser: it filters, needs no network, runs nothing that came from the cluster, and fits phone and paper.

Where there is no Chromium the tests are skipped. On Debian and Ubuntu: `apt install chromium`.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from ansible_collections.opensearch_ops.flow_framework.plugins.action.teardown_report import files_of, write
from ansible_collections.opensearch_ops.flow_framework.plugins.plugin_utils._report import report_of

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
OUTPUT = Path(__file__).resolve().parents[1] / "output"
EVIL = "<script>window.ran = true</script><img src=x onerror='window.ran = true'>"

pytestmark = [pytest.mark.extended, pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here")]


def resource(workflow: str, kind: str, id_: str, status: str, msg: str = "", documents: int | None = None) -> dict[str, Any]:
    made: dict[str, Any] = dict(workflow_id=workflow, kind=kind, type="", id=id_, uuid=None, steps=[], status=status, changed=status == "deleted")
    failed = status in ("failed", "blocked")
    return dict(made, failed=failed, msg=msg, needs_allow_delete=False, documents=documents, size_in_bytes=documents and documents * 700, used_by=[])


def result(resources: list[dict[str, Any]]) -> dict[str, Any]:
    """A result of two workflows, the second with a name that is markup."""
    names = {"qxv8_6EBRIk9XcBbdoa_": "pr-17", "WuY2z5MBwAH_FBn8iCvc": EVIL}
    workflows = [
        dict(workflow_id=id_, name=name, state_before="COMPLETED", state_after="NOT_STARTED", changed=True, failed=False, msg="", attempts=1, duration=1.9 + i)
        for i, (id_, name) in enumerate(names.items())
    ]
    server = {"version": "3.6.0", "flow_framework": "3.6.0.0", "cluster_name": "preview", "cluster_uuid": "PxlriicRQguYK_wF75Z9Kw"}
    made = dict(changed=True, failed=True, msg=f"2 workflows: 3 resources deleted, 1 not deleted. {EVIL}", server=server, workflows=workflows)
    return dict(made, resources=resources, blocked=[], remaining=[], unrecorded=[], plan_hash="5f1d7a84db00d2fc" * 4, duration=4.8, warnings=[EVIL])


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    one, other = "qxv8_6EBRIk9XcBbdoa_", "WuY2z5MBwAH_FBn8iCvc"
    ended = [
        resource(one, "connector", "KTbO2VrlkZqWgi9vToYW", "deleted"),
        resource(one, "index", "pr-17-docs", "deleted", documents=12043),
        resource(one, "model_group", "iDnNUOILB0KZgD00Jmgk", "retained", "Flow Framework never deletes a model group."),
        resource(other, "index", f"docs-{EVIL}", "deleted", documents=1),
        resource(other, "connector", "aTbO2VrlkZqWgi9vToYX", "failed", f"It is still there. {EVIL}"),
    ]
    planned = [{**one, "status": "retained" if one["status"] == "retained" else "would_delete", "msg": ""} for one in ended]
    facts = dict(action="teardown", started="2026-11-26T11:43:05Z", ended="2026-11-26T11:43:11Z", path="/reports/teardown", options={"protect": [EVIL]})
    file = tmp_path_factory.mktemp("page") / "report"
    write(str(file), files_of(report_of({**facts, "plan": result(planned), "outcome": result(ended), "failure": f"1 not deleted. {EVIL}", "by": EVIL})))
    return file.with_suffix(".html")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture()
def page(browser: Browser, path: Path) -> Iterator[Page]:
    """The page, opened; whatever it says on the console or asks for is a failure."""
    page = browser.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: said.append(request.url) if not request.url.startswith(("file:", "data:")) else None)
    page.goto(path.as_uri())
    yield page
    page.close()
    assert said == []


def shown(page: Page) -> list[str]:
    """The status of each resource that can be seen."""
    return [row.get_attribute("data-status") or "" for row in page.locator("#resources tr[data-status]").all() if row.is_visible()]


def test_the_filter_shows_one_status_and_then_all_again(page: Page) -> None:
    everything = ["deleted", "deleted", "retained", "deleted", "failed"]
    assert shown(page) == everything
    page.get_by_role("button", name="failed 1").click()
    assert shown(page) == ["failed"] and page.locator("#resources .workflow:visible").count() == 1
    assert page.get_by_role("button", name="failed 1").get_attribute("aria-pressed") == "true"
    page.get_by_role("button", name="all 5").click()
    assert shown(page) == everything


def test_nothing_from_the_cluster_is_run_or_shown_as_markup(page: Page) -> None:
    assert page.evaluate("window.ran") is None and page.locator("img").count() == 0
    assert page.get_by_text(EVIL).count() >= 5


def test_the_picture_of_the_timings_is_in_proportion(page: Page) -> None:
    widths = [box["width"] for drawn in page.locator(".bar").all() if (box := drawn.bounding_box())]
    assert widths[0] / widths[1] == pytest.approx(1.9 / 2.9, rel=0.02)


def test_on_a_phone_nothing_has_to_be_scrolled_sideways(page: Page) -> None:
    page.set_viewport_size({"width": 375, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
    assert page.get_by_text("documents: ").count() == 0, "labels are the style's"
    picture(page, "report-phone.png")


def test_on_paper_everything_is_there_whatever_the_filter_shows(page: Page) -> None:
    page.get_by_role("button", name="failed 1").click()
    page.emulate_media(media="print")
    assert len(shown(page)) == 5 and not page.locator(".filter").is_visible()


def test_a_picture_of_it_is_kept(page: Page) -> None:
    page.set_viewport_size({"width": 1100, "height": 800})
    assert picture(page, "report.png").stat().st_size > 20_000


def picture(page: Page, name: str) -> Path:
    OUTPUT.mkdir(exist_ok=True)
    page.screenshot(path=OUTPUT / name, full_page=True)
    return OUTPUT / name
