"""The machine's own Chromium without a window; it speaks to nobody but the pages it is shown."""

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Page, sync_playwright

CHROMIUM = "/usr/bin/chromium"
QUIET = (
    "--no-sandbox",
    "--no-proxy-server",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@contextmanager
def open_page(width: int = 1280, height: int = 900) -> Iterator[Page]:
    """An empty page of a fresh browser, which is gone at the end."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=[*QUIET])
        try:
            yield browser.new_page(viewport={"width": width, "height": height})
        finally:
            browser.close()
