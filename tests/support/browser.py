"""A real browser for tests: Chromium as a system has it, driven by playwright, and what it says about a page.

A test file imports the fixture that it uses::

    from tests.support.browser import screen  # noqa: F401 - a fixture

It is skipped where Chromium or the dependency group ``browser`` is not installed. In CI a skip is a failure.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import pytest
from tests.support.systems import IS_ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Page

_NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_MISSING: Final = "needs Chromium (on Debian: apt-get install chromium) and the dependency group `browser`"
SMALLEST: Final = 12
"""The height of the smallest text, in CSS pixels."""
PAPER: Final = 688
"""The width of a printed A4 page without its margins, in CSS pixels."""

Scheme = Literal["light", "dark"]

# Elements that can be seen, with what they hold. A part that scrolls by itself holds what is in it.
_WIDE: Final = """() => {
  const root = document.scrollingElement, most = root.clientWidth, found = [];
  if (root.scrollWidth > most) found.push(`the page: ${root.scrollWidth} of ${most}`);
  for (const each of document.body.querySelectorAll("*")) {
    const name = `${each.tagName.toLowerCase()}.${each.getAttribute("class") || ""}`;
    if (each instanceof SVGElement) continue;
    const box = each.getBoundingClientRect();
    if (box.width && box.left >= 0 && box.right > most + 1) found.push(`${name} ends at ${box.right} of ${most}`);
    if (getComputedStyle(each).overflowX !== "visible" && each.scrollWidth > each.clientWidth + 1)
      found.push(`${name} holds ${each.scrollWidth} in ${each.clientWidth}: ${each.getAttribute("aria-label") || ""}`);
  }
  return found.slice(0, 9);
}"""
_CUT: Final = """() => {
  const found = [];
  for (const each of document.body.querySelectorAll("*")) {
    const style = getComputedStyle(each);
    if (each instanceof SVGElement || (style.overflowY === "visible" && style.overflowX === "visible")) continue;
    if (each.scrollHeight > each.clientHeight + 1 || each.scrollWidth > each.clientWidth + 1)
      found.push(`${each.tagName.toLowerCase()}.${each.getAttribute("class") || ""} is cut`);
  }
  return found.slice(0, 9);
}"""
# The size of a text is what it has on the screen: a picture or a transformation may scale it.
_SMALL: Final = """least => {
  const found = [], note = (each, size, text) => {
    if (size < least - 0.01) found.push(`${size.toFixed(1)} px: ${text.trim().slice(0, 40)} in ${each.tagName}`);
  };
  const scale = each => {
    if (each instanceof SVGElement) {
      const matrix = each.getScreenCTM && each.getScreenCTM();
      return matrix ? Math.min(Math.hypot(matrix.a, matrix.b), Math.hypot(matrix.c, matrix.d)) : 1;
    }
    for (let one = each; one; one = one.parentElement)
      if (one.offsetHeight && one.offsetWidth) {
        const box = one.getBoundingClientRect();
        return Math.min(box.height / one.offsetHeight, box.width / one.offsetWidth);
      }
    return 1;
  };
  for (const each of document.body.querySelectorAll("*")) {
    const texts = [...each.childNodes].filter(node => node.nodeType === Node.TEXT_NODE).map(node => node.data).join("");
    if (texts.trim() && each.checkVisibility())
      note(each, parseFloat(getComputedStyle(each).fontSize) * scale(each), texts);
    for (const part of ["::before", "::after"]) {
      const style = getComputedStyle(each, part);
      if (!["none", "normal", '""'].includes(style.content) && each.checkVisibility())
        note(each, parseFloat(style.fontSize) * scale(each), style.content);
    }
  }
  return found.slice(0, 9);
}"""
_AXE: Final = """() => axe.run({resultTypes: ["violations"]}).then(found => found.violations.map(
  each => `${each.id}: ${each.nodes.length} times, first ${each.nodes[0].html.slice(0, 120)}`))"""


@dataclass(frozen=True, kw_only=True)
class Screen:
    """A window of the browser. ``console`` and ``requests`` are what its page said and asked for, besides itself."""

    page: Page
    console: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def open(self, file: Path, *, width: int = 1280, scheme: Scheme = "light") -> None:
        """Open a page from disk."""
        self.console.clear()
        self.requests.clear()
        self.show(width=width, scheme=scheme)
        self.page.goto(file.as_uri())
        self.requests.remove(file.as_uri())

    def show(self, *, width: int, scheme: Scheme) -> None:
        """Change the window and the colours that the user prefers."""
        self.page.set_viewport_size({"width": width, "height": 900})
        self.page.emulate_media(color_scheme=scheme, media="screen")

    def faults(self, *, axe: bool = True) -> Mapping[str, list[str]]:
        """What is wrong with the page, by the check that finds it. Empty if nothing is."""
        found = {
            "sideways": self._ask(_WIDE),
            "small text": self._ask(_SMALL, SMALLEST),
            "console": list(self.console),
            "requests": list(self.requests),
            "axe": self.violations() if axe else [],
        }
        return {check: each for check, each in found.items() if each}

    def violations(self) -> list[str]:
        """What axe has to say about the accessibility of the page."""
        self.page.evaluate(_axe_script())
        return self._ask(_AXE)

    def print_faults(self) -> Mapping[str, list[str]]:
        """What is wrong with the page on paper: what is cut, what is wider than the paper, and small text."""
        self.page.emulate_media(media="print")
        found = {"cut": self._ask(_CUT), "sideways": self._ask(_WIDE), "small text": self._ask(_SMALL, SMALLEST)}
        found["console"] = list(self.console)
        return {check: each for check, each in found.items() if each}

    def pdf(self) -> bytes:
        """The page as the browser prints it."""
        return self.page.pdf(format="A4")

    def _ask(self, script: str, *arguments: int) -> list[str]:
        answer: Any = self.page.evaluate(script, *arguments)
        assert isinstance(answer, list)
        return [str(each) for each in answer]


def _axe_script() -> str:
    return (files("axe_playwright_python") / "axe.min.js").read_text("utf-8")


@pytest.fixture(scope="module")
def screen() -> Iterator[Screen]:
    """One window for all tests of a file. It is offline, and notes what its pages ask for all the same."""
    sync_api = pytest.importorskip("playwright.sync_api", reason=_MISSING)
    pytest.importorskip("axe_playwright_python", reason=_MISSING)
    program = next(filter(None, map(shutil.which, _NAMES)), None)
    if program is None:
        pytest.skip(_MISSING)
    options = ["--no-sandbox"] if IS_ROOT else []
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=options)
        opened = Screen(page=browser.new_context(offline=True).new_page())
        opened.page.on("console", lambda message: opened.console.append(message.text))
        opened.page.on("pageerror", lambda error: opened.console.append(str(error)))
        opened.page.on("request", lambda request: opened.requests.append(request.url))
        yield opened
        browser.close()
