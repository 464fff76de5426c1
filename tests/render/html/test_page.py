"""Pages: text from outside stays text, nothing is loaded or run, and equal values give equal bytes."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest

from unmoor.render.html.chart import Figure
from unmoor.render.html.metrics_page import MetricsPage, PageSection, Rows, RuleGroup, RuleRow
from unmoor.render.html.page import render_page
from unmoor.util.values import replace

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\" onclick='x' {{ 7 * 7 }} \u202e\x1b[2J</style>"
SHOWN = "<script>alert(1)</script><img src=x onerror=alert(2)>\" onclick='x' {{ 7 * 7 }} </style>"

FIGURE = Figure(
    title=HOSTILE,
    note=HOSTILE,
    spoken=HOSTILE,
    line="M0 0L1000 200",
    dots="M0 0h0",
    limit="M0 9H1000",
    top=HOSTILE,
    bottom=HOSTILE,
    first=HOSTILE,
    last=HOSTILE,
    head=(HOSTILE,),
    rows=((HOSTILE, HOSTILE),),
)
PAGE = MetricsPage(
    title=HOSTILE,
    as_of=HOSTILE,
    counts=(("broken", 1),),
    rules=(
        RuleGroup(
            state="broken",
            rows=(RuleRow(subject=HOSTILE, about=HOSTILE, found=HOSTILE, limit=HOSTILE, why=HOSTILE),),
            has_figures=True,
        ),
    ),
    sections=(
        PageSection(
            id="jobs",
            title=HOSTILE,
            text=HOSTILE,
            figures=(FIGURE,),
            tables=(Rows(title=HOSTILE, head=(HOSTILE,), rows=((HOSTILE, HOSTILE),)),),
        ),
    ),
)


class _Elements(HTMLParser):
    """Collects elements with their attributes, and the text."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(page.decode())
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data.strip())

    def of(self, tag: str) -> list[dict[str, str | None]]:
        """The attributes of every element of a name."""
        return [attributes for name, attributes in self.found if name == tag]


@pytest.fixture(scope="module")
def page() -> _Elements:
    """A page on which every text is hostile."""
    return _Elements(render_page("metrics.html", page=PAGE))


def test_hostile_names_stay_text(page: _Elements) -> None:
    """They make no element and no attribute, wherever they stand, and are shown as they are."""
    assert not {"script", "img", "iframe", "link", "object", "base", "form"} & {tag for tag, _ in page.found}
    assert not any(name.startswith("on") or name == "style" for _, attrs in page.found for name in attrs)
    assert page.texts.count(SHOWN) >= 12
    assert {attrs.get("aria-label") for attrs in page.of("svg")} == {SHOWN}


def test_nothing_is_loaded_and_only_the_own_style_counts(page: _Elements) -> None:
    """The policy allows one style, by its hash; every address is a place on the page itself."""
    policies = [each["content"] for each in page.of("meta") if each.get("http-equiv") == "Content-Security-Policy"]
    text = render_page("metrics.html", page=PAGE).decode()
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert policies == [f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"]
    assert "url(" not in style[1]
    assert "@import" not in style[1]
    assert all((attrs.get("href") or "#").startswith("#") for _, attrs in page.found)
    assert not any("src" in attrs for _, attrs in page.found)


def test_a_page_can_be_read_by_keyboard_and_aloud(page: _Elements) -> None:
    """Tables that scroll can be focused and are named, headers have a scope, links lead somewhere."""
    ids = {attrs["id"] for _, attrs in page.found if "id" in attrs}
    assert page.of("html")[0]["lang"] == "en"
    assert all(attrs["href"] in {f"#{each}" for each in ids} for attrs in page.of("a"))
    regions = [attrs for attrs in page.of("div") if (attrs.get("class") or "").startswith("table")]
    assert len(regions) == len(page.of("table")) == 3
    assert all(attrs["tabindex"] == "0" and attrs["role"] == "region" and attrs["aria-label"] for attrs in regions)
    assert {attrs["scope"] for attrs in page.of("th")} == {"row", "col"}
    assert all(attrs["role"] == "img" for attrs in page.of("svg"))


def test_a_picture_has_no_text_and_a_table_beside_it(page: _Elements) -> None:
    """Text in a scaled picture shrinks with it."""
    assert {tag for tag, _ in page.found} & {"text", "title", "tspan", "foreignobject"} == {"title"}
    assert len(page.of("svg")) == len(page.of("figure")) == 1


def test_only_a_path_passes_as_one() -> None:
    """Nothing else reaches the page unescaped."""
    figure = replace(FIGURE, line='M0 0"><script>')
    with pytest.raises(ValueError, match="no path"):
        render_page("metrics.html", page=replace(PAGE, sections=(PageSection(id="x", title="x", figures=(figure,)),)))


def test_equal_values_give_equal_bytes() -> None:
    """Nothing of the clock, of chance or of the machine is on a page."""
    assert render_page("metrics.html", page=PAGE) == render_page("metrics.html", page=PAGE)
