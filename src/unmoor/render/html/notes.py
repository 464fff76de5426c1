"""The notes of a release as HTML: Markdown as an index renders it, then only what a page without requests can show.

readme_renderer renders and sanitizes. `_Rewriter` then writes elements of its own for those that it knows: a link leads
to http or https, a picture becomes a link to it, and headings fit below those of the page. The rest is text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Final

from unmoor.util.text import printable

if TYPE_CHECKING:
    from markupsafe import Markup

_MOST: Final = 60_000
"""The most characters of notes that are shown."""
_LONGEST_LINE: Final = 5_000
# No renderer promises to end soon with every text. What follows bounds all that took more than linear time.
_DEEPEST: Final = 24
_MOST_HEADINGS: Final = 400
_MOST_CELLS: Final = 20_000
_MOST_ELEMENTS: Final = 2_000
_NESTING: Final = re.compile(r"[\s>*+\-0-9.)]*")
_MARKERS: Final = re.compile(r"[>*+\-]|[0-9][.)]")
_HEADING: Final = re.compile(r"^[ >]*(?:#|=+\s*$|-+\s*$)", re.MULTILINE)

_KEPT: Final[Mapping[str, str]] = {
    **{name: name for name in ("p", "br", "hr", "em", "strong", "code", "pre", "del", "sub", "sup", "kbd", "var")},
    **{name: name for name in ("ul", "ol", "blockquote")},
    "b": "strong",
    "i": "em",
    "tt": "code",
    "cite": "em",
    **dict.fromkeys(("div", "section", "aside", "nav", "figure", "figcaption", "details", "summary"), "div"),
    **dict.fromkeys(("dl", "dt", "dd"), "div"),
}
"""Elements of notes, and which of ours each becomes, without any attribute."""
_OF_TABLES: Final = frozenset({"thead", "tbody", "tr", "td"})
_EMPTY: Final = frozenset({"br", "hr"})
_DEEPEST_HEADING: Final = 6


def render_notes(text: str) -> Markup | None:
    """Return notes as HTML, ``None`` if they are too large or too nested to render here."""
    from markupsafe import Markup

    if not is_simple(text):
        return None
    from readme_renderer import clean, markdown

    # Not its `render`, which also colours code: the lexers are many, and nobody bounds their time.
    rendered = markdown.variants["GFM"]("\n".join(printable(line, _MOST) for line in text.splitlines()))
    rewriter = _Rewriter()
    rewriter.feed(clean.clean(rendered) or "")
    rewriter.close()
    return Markup("".join(rewriter.parts))  # noqa: S704 - each part is one of our elements or escaped


def is_simple(text: str) -> bool:
    """Whether a text is rendered in a moment: it is short, and has few levels, headings, cells and elements."""
    lines = text[: _MOST + 1].splitlines()
    cells = max((line.count("|") for line in lines), default=0) * sum("|" in line or "\t" in line for line in lines)
    return (
        len(text) <= _MOST
        and all(len(line) <= _LONGEST_LINE for line in lines)
        and all(len(_MARKERS.findall(_starts(line))) <= _DEEPEST for line in lines)
        and len(_HEADING.findall(text)) <= _MOST_HEADINGS
        and cells <= _MOST_CELLS
        and text.count("<") <= _MOST_ELEMENTS
    )


def _starts(line: str) -> str:
    found = _NESTING.match(line)
    return found[0] if found else ""


class _Rewriter(HTMLParser):
    """Writes the elements of sanitized HTML again, each as one of ours. ``parts`` are what it wrote."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._open: list[tuple[str, str]] = []  # elements: their name, and what closes them
        self._levels: list[int] = []  # of the headings above
        self._named: list[tuple[int, str]] = []  # links and header cells: their place in the parts, and a text for them
        self._tables = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        match tag:
            case "img":
                self._picture(values)
            case "input":
                self.parts.append("\N{BALLOT BOX WITH CHECK} " if "checked" in values else "\N{BALLOT BOX} ")
            case "a" if _is_web(values.get("href", "")) and not self._inside("a"):
                self._name_later(values["href"])
                self._begin(tag, f'<a href="{escape(values["href"])}" rel="nofollow noreferrer">', "</a>")
            case "th" if self._is_in_table():
                self._name_later("")
                self._begin(tag, '<th scope="col">', "</th>")
            case "table" if not self._inside("table"):
                self._tables += 1
                label = f"Table {self._tables} of the notes"
                frame = f'<div class="table" role="region" aria-label="{label}" tabindex="0"><table>'
                self._begin(tag, frame, "</table></div>")
            case _ if tag in _OF_TABLES:
                ours = tag if self._is_in_table() else ""
                self._begin(tag, f"<{ours}>" if ours else "", f"</{ours}>" if ours else "")
            case "li":
                ours = tag if self._open and self._open[-1][0] in {"ul", "ol"} else "div"
                self._begin(tag, f"<{ours}>", f"</{ours}>")
            case "h1" | "h2" | "h3" | "h4" | "h5" | "h6":
                level = self._level(int(tag[1]))
                self._begin(tag, f"<h{level}>", f"</h{level}>")
            case _ if tag in _EMPTY:
                self.parts.append(f"<{tag}>")
            case _:
                ours = _KEPT.get(tag, "")
                self._begin(tag, f"<{ours}>" if ours else "", f"</{ours}>" if ours else "")

    def handle_endtag(self, tag: str) -> None:
        if all(name != tag for name, _ in self._open):
            return
        while self._open:
            name, end = self._open.pop()
            if name in {"a", "th"} and end:
                end = self._named_end(name, end)
            self.parts.append(end)
            if name == tag:
                return

    def handle_data(self, data: str) -> None:
        self.parts.append(escape(data))

    def close(self) -> None:
        super().close()
        while self._open:
            self.handle_endtag(self._open[-1][0])

    def _begin(self, tag: str, start: str, end: str) -> None:
        self.parts.append(start)
        if tag not in {"wbr", "col", "source"}:  # these have no end
            self._open.append((tag, end))

    def _inside(self, tag: str) -> bool:
        return any(name == tag and end for name, end in self._open)

    def _is_in_table(self) -> bool:
        """Whether an element is a part of a table that is in no other one."""
        return [name for name, _ in self._open].count("table") == 1

    def _level(self, level: int) -> int:
        """The level of a heading on the page: below that of the part, and none left out."""
        while self._levels and self._levels[-1] >= level:
            self._levels.pop()
        self._levels.append(level)
        return min(2 + len(self._levels), _DEEPEST_HEADING)

    def _picture(self, values: Mapping[str, str]) -> None:
        """Write the text of a picture, as a link to it unless it is in one."""
        text = escape(f"picture: {values['alt']}" if values.get("alt") else "picture")
        if _is_web(values.get("src", "")) and not self._inside("a"):
            text = f'<a href="{escape(values["src"])}" rel="nofollow noreferrer">{text}</a>'
        self.parts.append(text)

    def _name_later(self, text: str) -> None:
        self._named.append((len(self.parts), text))

    def _named_end(self, name: str, end: str) -> str:
        """Give a link without a text its address as one, and make a header cell without a text an ordinary one."""
        place, text = self._named.pop()
        if "".join(re.sub(r"<[^>]*>", "", part) for part in self.parts[place + 1 :]).strip():
            return end
        if name == "th":
            self.parts[place] = "<td>"
            return "</td>"
        return f"{escape(text)}{end}"


def _is_web(address: str) -> bool:
    return address.lower().startswith(("https://", "http://"))
