"""Looks at the demo's dashboard with the system's Chromium, logged in as the demo's user."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
import json
from pathlib import Path
import shutil

from playwright.async_api import Error, Page, async_playwright

SIZE = (1280, 800)
LOAD_LIMIT_MS = 60_000
_CHROMIUM = ("/usr/bin/chromium", "/usr/bin/chromium-browser")
_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
    "--hide-scrollbars",
)


class ScreenshotError(Exception):
    """There is no browser, or it does not show the dashboard."""


def browser_unavailable_reason() -> str | None:
    """Return why no picture can be taken on this machine, or None."""
    return None if _browser() else "needs Chromium: apt-get install chromium"


class Viewer:
    """A browser that shows the dashboard."""

    def __init__(self, page: Page) -> None:
        self._page = page

    async def take(self, file: Path, shown: str, settle_s: float = 1.5) -> None:
        """Save a picture once a text is shown and the page has settled."""
        try:
            await self._page.get_by_text(shown, exact=True).first.wait_for(timeout=15_000)
            await self._page.wait_for_timeout(settle_s * 1000)
            file.parent.mkdir(parents=True, exist_ok=True)
            await self._page.screenshot(path=file)
        except Error as err:
            raise ScreenshotError(f"the dashboard does not show {shown!r}: {err}") from err

    async def tap(self, text: str) -> None:
        """Tap where a text is; what reacts may be a layer above it."""
        try:
            box = await self._page.get_by_text(text, exact=True).first.bounding_box(timeout=15_000)
        except Error as err:
            raise ScreenshotError(f"the dashboard has nothing to tap named {text!r}") from err
        if box is None:
            raise ScreenshotError(f"the dashboard does not show {text!r}")
        await self._page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)


@asynccontextmanager
async def viewing(url: str, tokens: Mapping[str, object], shown: str) -> AsyncIterator[Viewer]:
    """Show the default dashboard until it says ``shown``; raises ``ScreenshotError``.

    ``tokens`` are what Home Assistant's frontend keeps of a login.
    """
    executable = _browser()
    if executable is None:
        raise ScreenshotError(browser_unavailable_reason() or "")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=executable, args=_ARGUMENTS)
        try:
            context = await browser.new_context(
                viewport={"width": SIZE[0], "height": SIZE[1]}, locale="en-US"
            )
            login = json.dumps(json.dumps(dict(tokens) | {"expires": 0}))
            await context.add_init_script(
                f"localStorage.setItem('hassTokens', {login});"
                "localStorage.setItem('dockedSidebar', '\"auto\"');"
            )
            page = await context.new_page()
            try:
                await page.goto(url, timeout=LOAD_LIMIT_MS)
                await page.get_by_text(shown, exact=True).first.wait_for(timeout=LOAD_LIMIT_MS)
            except Error as err:
                raise ScreenshotError(f"the dashboard does not show {shown!r}: {err}") from err
            yield Viewer(page)
        finally:
            await browser.close()


def _browser() -> str | None:
    return next((path for path in _CHROMIUM if shutil.which(path)), None)
