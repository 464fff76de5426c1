"""Notes on a page: what of their Markdown is shown, and that nothing of it asks a server or becomes code."""

from __future__ import annotations

import re
import time

import pytest

from unmoor.render.html.notes import is_simple, render_notes

_LINK = '<a href="https://x.example/" rel="nofollow noreferrer">'
_BADGE = "[![build](https://b.example/b.svg)](https://x.example/)"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("- *a*\n", "<ul>\n<li><em>a</em></li>\n</ul>", id="list"),
        pytest.param("[a](https://x.example/)", f"<p>{_LINK}a</a></p>", id="link"),
        pytest.param("[](https://x.example/)", f"<p>{_LINK}https://x.example/</a></p>", id="empty link"),
        pytest.param("[a](javascript:alert(1))", "<p>a</p>", id="script link"),
        pytest.param("[a](docs/a.md) [b](#b) [c](//c/d)", "<p>a b c</p>", id="relative"),
        pytest.param("![a](https://x.example/)", f"<p>{_LINK}picture: a</a></p>", id="picture"),
        pytest.param("![](x.png)", "<p>picture</p>", id="local picture"),
        pytest.param(_BADGE, f"<p>{_LINK}picture: build</a></p>", id="badge"),
        pytest.param(
            '<img src="x" onerror="a()"><b onclick="b()">c</b>', "<p>picture<strong>c</strong></p>", id="html"
        ),
        pytest.param("- [x] a\n- [ ] b", "<ul>\n<li>\u2611  a</li>\n<li>\u2610  b</li>\n</ul>", id="tasks"),
        pytest.param("# a\n### b\n# c", "<h3>a</h3>\n<h4>b</h4>\n<h3>c</h3>", id="headings"),
        pytest.param('<p id="main" class="skip">a</p>', "<p>a</p>", id="attributes"),
        pytest.param("<li>a</li>", "<div>a</div>", id="stray item"),
        pytest.param("a & <b", "<p>a &amp; &lt;b</p>", id="text"),
        pytest.param("a\x1b[31m", "<p>a\\x1b[31m</p>", id="escape"),
    ],
)
def test_what_is_shown_of_notes(text: str, shown: str) -> None:
    """Only elements of ours are written, links lead to http and https, and a picture is a link to it."""
    assert str(render_notes(text)).strip() == shown


@pytest.mark.parametrize(
    "html",
    [
        "<script>alert(1)</script>",
        "<style>body { display: none }</style>",
        "<iframe src='https://x.example'></iframe>",
        "<svg onload=alert(1)><math><mi>",
        "<form action=https://x.example><input type=submit></form>",
        "<link rel=stylesheet href=https://x.example><base href=https://x.example>",
    ],
    ids=lambda html: str(html)[1:7],
)
def test_notes_run_and_load_nothing(html: str) -> None:
    """No element with a meaning for the browser is left."""
    shown = str(render_notes(f"a\n\n{html}\n\nb"))
    assert re.findall(r"<(?!/?(?:p|div)>)", shown) == []


def test_a_table_can_be_scrolled_by_keyboard() -> None:
    """It has a name, a header without a text is no header, and a table in a table is none."""
    shown = str(
        render_notes("|a||\n|-|-|\n|1|2|\n\n<table><tr><td><table><tr><td>x</td></tr></table></td></tr></table>")
    )
    assert shown.count('role="region"') == shown.count("<table>") == 2
    assert 'aria-label="Table 2 of the notes" tabindex="0"' in shown
    assert shown.count('<th scope="col">') == 1


@pytest.mark.parametrize(
    "text",
    [
        ">" * 5000,
        "# \n" * 20_000,
        "|a" * 2000 + "\n" + "|-" * 2000 + "\n" + "|x\n" * 2000,
        "<div>" * 12_000,
        "a" * 70_000,
    ],
    ids=["quotes", "headings", "cells", "elements", "length"],
)
def test_what_would_take_long_is_not_rendered(text: str) -> None:
    """The renderer needs minutes for some small texts; those are shown as they are written."""
    begun = time.perf_counter()
    assert render_notes(text) is None
    assert time.perf_counter() - begun < 1


def test_ordinary_notes_are_simple() -> None:
    """Two hundred changes with links, code and a table are no reason to show them unrendered."""
    lines = [
        f"- Change {number} (#{number}), `code` and [a link](https://x.example/{number})." for number in range(200)
    ]
    assert is_simple("## Fixed\n\n" + "\n".join(lines) + "\n\n|a|b|\n|-|-|\n" + "|1|2|\n" * 50)
