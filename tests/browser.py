"""A headless Chromium for tests of pages: opens a file, and keeps every error and every request that the page makes."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
PATIENCE_S = 20.0
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@dataclass
class Opened:
    """A page that is open.

    Attributes
    ----------
    page
        Playwright's page.
    errors
        Errors and warnings on the console, and exceptions nobody caught.
    requests
        Addresses of everything that was asked for, the page's own first.
    """

    page: Page
    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def run(self, script: str, argument: Any = None) -> Any:
        """Evaluate JavaScript in the page."""
        return self.page.evaluate(script, argument)

    def wait_until(self, script: str) -> None:
        """Wait for JavaScript to become true; from outside, as pages forbid themselves to evaluate text."""
        deadline = time.monotonic() + PATIENCE_S
        while not self.run(script):
            assert time.monotonic() < deadline, f"still not so after {PATIENCE_S} s: {script}; {self.errors}"
            self.page.wait_for_timeout(20)

    def is_wider_than_its_window(self) -> bool:
        """Whether the page has to be scrolled sideways."""
        return bool(self.run("document.documentElement.scrollWidth > document.documentElement.clientWidth"))


def find_chromium() -> str | None:
    """Path of a Chromium, or None."""
    return next((found for name in PROGRAMS if (found := shutil.which(name)) is not None), None)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start a browser; skips the test where there is none."""
    program = find_chromium()
    if program is None:
        pytest.skip("needs Chromium: apt-get install chromium")
    playwright = pytest.importorskip("playwright.sync_api", reason="needs the package playwright")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=program, args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def opened(
    browser: Browser, path: Path, width: int = 1600, height: int = 900, scheme: Literal["light", "dark"] = "light"
) -> Iterator[Opened]:
    """Open a file in a window of a size in pixels, with light or dark colours."""
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
    made = Opened(context.new_page())
    made.page.on("console", lambda message: made.errors.append(message.text) if message.type in ("error", "warning") else None)
    made.page.on("pageerror", lambda error: made.errors.append(str(error)))
    made.page.on("request", lambda request: made.requests.append(request.url))
    try:
        made.page.goto(path.resolve().as_uri())
        yield made
    finally:
        context.close()
