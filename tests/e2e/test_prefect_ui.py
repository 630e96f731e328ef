"""The same installation begun by a person in the Prefect UI: form, run, tasks, logs and the report, looked at in a browser."""

import json
import re
import time
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.api import PATIENCE, Product
from tests.e2e.browser import open_page
from tests.e2e.conftest import Tenant

pytestmark = pytest.mark.world
SCREENSHOTS = Path(__file__).parents[2] / "build" / "screenshots"
# Milliseconds: for an operation, and for what a page shows on a busy machine.
PATIENT, SOON = PATIENCE * 1000, 60_000


def test_plugin_is_installed_from_the_run_form_and_its_run_tells_all(product: Product, own_tenant: Tenant) -> None:
    ui = product.world.prefect_api_url.removesuffix("/api")
    deployment = product.prefect.get("deployments/name/install-plugin/install-plugin").json()["id"]
    with open_page(height=1400) as page:
        page.set_default_timeout(SOON)
        expect.set_options(timeout=SOON)
        log_in(page, ui, product.world.prefect_api_auth_string)
        page.goto(f"{ui}/deployments/deployment/{deployment}/run")
        fill_form(page, json.dumps({"request": product.request("service", own_tenant.name)}))
        (installation,) = await_installation(product, page, own_tenant)
        seen = product.await_rest(installation)
        assert seen["phase"] == "succeeded", seen["operation"]["reason"]
        assert seen["operation"]["actor"] == "prefect-ui"
        page.goto(seen["links"]["flowRun"])
        expect(page.get_by_text("Succeeded").first).to_be_visible(timeout=PATIENT)
        expect(page.get_by_text(re.compile("Finished in state Succeeded")).first).to_be_visible()
        keep(page, "flow-run-logs")
        open_tab(page, "Task Runs")
        for task in ("resolve", "build", "scan:trivy", "roll_out", "verify"):
            expect(page.get_by_text(re.compile(f"^{task}")).first).to_be_visible()
        keep(page, "flow-run-tasks")
        open_tab(page, "Artifacts")
        page.get_by_role("link", name=re.compile("account-")).first.click()
        release, digest = seen["revision"]["release"].replace("@", " "), seen["revision"]["image"].rpartition("@")[2]
        for told in (f"install hello for {own_tenant.name}/dev: succeeded", release, digest, "trivy"):
            expect(page.get_by_text(re.compile(re.escape(told))).first).to_be_visible()
        keep(page, "report-artifact")


def log_in(page: Page, ui: str, password: str) -> None:
    """Answer the page's question for the password, as a person does once for each browser."""
    page.goto(ui)
    page.locator("input[type=password]").fill(password)
    page.locator("input[type=password]").press("Enter")
    expect(page.locator("input[type=password]")).to_be_hidden()


def fill_form(page: Page, parameters: str) -> None:
    """Give the parameters as JSON and start the run now."""
    expect(page.get_by_text("One plugin for one tenant in one environment.")).to_be_visible()
    keep(page, "run-form")
    page.locator("button.p-button--outline.h-10.w-10").first.click()
    page.locator("[class*=overflow-menu-item]").filter(has_text="Use JSON input").last.click()
    page.locator("textarea.p-code-input__textarea").first.fill(parameters)
    keep(page, "run-form-json")
    page.get_by_role("button", name="Submit").click()


def await_installation(product: Product, page: Page, tenant: Tenant) -> list[str]:
    """The tenant's installations, once the run that the form began has recorded one."""
    found: list[str] = []
    ends = time.monotonic() + PATIENCE
    while not found and time.monotonic() < ends:
        page.wait_for_timeout(500)
        listed = product.api.get("/api/v1/installations", params={"tenant": tenant.name}).json()["items"]
        found = [one["id"] for one in listed]
    for one in found:
        tenant.adopt(one)
    return found


def open_tab(page: Page, name: str) -> None:
    """Turn to one tab of the flow run's page."""
    page.locator(".p-tab").get_by_text(name, exact=True).click()


def keep(page: Page, name: str) -> None:
    """A picture for people."""
    page.screenshot(path=SCREENSHOTS / f"{name}.png")
