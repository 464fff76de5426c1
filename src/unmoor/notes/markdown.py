"""Read Markdown: the headings of a file, and the link definitions that an excerpt needs. Also escape plain text.

markdown-it-py parses it, because it implements CommonMark and gives the lines of every block. It parses blocks
only: the inline text of a whole changelog would take ten times as long and is never needed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec

from unmoor.notes.sections import Heading
from unmoor.util.text import clean

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

_LABEL = re.compile(r"\[((?:[^\[\]\\]|\\.){1,999})\]")
# The label of a link in ``[1.2.0][label]``, which another line defines.
_REFERENCE = re.compile(r"\]\[[^\[\]]{0,200}\]")
_INVISIBLE = re.compile(r"<!--.*?(?:-->|\Z)|</?(?:details|summary|br|a|p|div)\b[^<>]*>|\s+", re.DOTALL)
_ALWAYS = re.compile(r"[\\`*\[\]<|~$]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|&(?=#?\w+;)")
# A block quote needs no space after its marker.
_AT_START = re.compile(r"^(\s*)(?:(>|[#+\-=]+(?=\s|$))|(\d{1,9})([.)])(?=\s|$))")
_LONG_HEADING = 1_000
_MARKED = re.compile(r"[\\`*_\[\]<&!\n]")


class MarkdownDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A parsed file: its lines, its headings, and its link definitions by normalised label.

    ``paragraphs`` are those at the top level: the first line of each and its text.
    """

    lines: tuple[str, ...]
    headings: tuple[Heading, ...]
    paragraphs: tuple[tuple[int, str], ...]
    references: Mapping[str, Mapping[str, Any]]

    def excerpt(self, start: int, end: int) -> str:
        """Return lines ``start`` to ``end``, plus the link definitions that they need from the rest of the document."""
        inside = {label: known for label, known in self.references.items() if start <= known["map"][0] < end}
        defining = {line for known in inside.values() for line in range(*known["map"])}
        text = "\n".join(line for place, line in enumerate(self.lines[start:end], start) if place not in defining)
        needed = {_normalize_label(label) for label in _LABEL.findall(text)}
        # The definitions for all versions are often at the end, which makes them part of the last section.
        dropped = {
            line
            for label, known in inside.items()
            if label not in needed and self.lines[known["map"][0]].startswith("[")
            for line in range(*known["map"])
        }
        selected = "\n".join(line for place, line in enumerate(self.lines[start:end], start) if place not in dropped)
        outside = [
            _definition(self.lines, label, known)
            for label, known in self.references.items()
            if label in needed and label not in inside
        ]
        return f"{selected.rstrip()}\n\n" + "\n".join(outside) if outside else selected


def read(text: str) -> MarkdownDocument:
    """Read a document. Finds ATX and setext headings at the top level, but none in code, quotes or lists."""
    env: dict[str, Any] = {}
    tokens = _blocks(text, env)
    headings = tuple(
        Heading(
            text=_heading_text(tokens[place + 1].content),
            level=int(token.tag[1:]),
            line=token.map[0],
            body=token.map[1],
        )
        for place, token in enumerate(tokens)
        if token.type == "heading_open" and token.level == 0 and token.map is not None
    )
    paragraphs = tuple(
        (token.map[0], tokens[place + 1].content)
        for place, token in enumerate(tokens)
        if token.type == "paragraph_open" and token.level == 0 and token.map is not None
    )
    return MarkdownDocument(
        lines=tuple(text.split("\n")),
        headings=headings,
        paragraphs=paragraphs,
        references=env.get("references", {}),
    )


def is_empty(text: str) -> bool:
    """Whether a reader would see only headings, or nothing."""
    for token in (tokens := _blocks(text, {})):
        if token.type in {"fence", "code_block"} and token.content.strip():
            return False
        if token.type == "html_block" and _INVISIBLE.sub("", token.content):
            return False
    return not any(
        token.type == "inline" and tokens[place - 1].type != "heading_open" and _INVISIBLE.sub("", token.content)
        for place, token in enumerate(tokens)
    )


def open_block(text: str) -> Token | None:
    """The last block at the top level of a document, or ``None`` if there is none."""
    outer = [token for token in _blocks(text, {}) if token.level == 0 and token.map is not None]
    return outer[-1] if outer else None


def escape(text: str) -> str:
    """Escape one line of plain text so that Markdown shows it unchanged: no emphasis, links, HTML or lists."""
    escaped = _ALWAYS.sub(r"\\\g<0>", text)
    return _AT_START.sub(lambda m: f"{m[1]}\\{m[2]}" if m[2] else f"{m[1]}{m[3]}\\{m[4]}", escaped)


def plain_cell(text: str, limit: int = 200) -> str:
    """Make plain text of what comes from outside, for a cell: no links, no HTML, and nobody is mentioned."""
    # GitHub makes links of names, numbers and addresses in plain text, too; an invisible character ends them.
    return re.sub(r"[@#]|:(?=//)|www(?=\.)", "\\g<0>\u2060", escape(clean(text, limit)), flags=re.IGNORECASE)


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark")


@cache
def _block_parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark")
    parser.core.ruler.enableOnly(["normalize", "block"])
    return parser


def _blocks(text: str, env: dict[str, Any]) -> Sequence[Token]:
    return _block_parser().parse(text, env)


def _heading_text(source: str) -> str:
    """The text of a heading, without link targets, markup and HTML."""
    source = _REFERENCE.sub("]", source[:_LONG_HEADING])
    if not _MARKED.search(source):
        return source
    parts = [child for token in _parser().parseInline(source, {}) for child in token.children or ()]
    return "".join(
        " " if part.type in {"softbreak", "hardbreak"} else part.content
        for part in parts
        if part.type in {"text", "code_inline", "softbreak", "hardbreak", "text_special"}
    )


def _normalize_label(label: str) -> str:
    from markdown_it.common.utils import normalizeReference

    return normalizeReference(label)


def _definition(lines: Sequence[str], label: str, known: Mapping[str, Any]) -> str:
    """The link definition as written in the file, or rewritten if it comes from inside a quote or a list."""
    first, last = known["map"]
    written = "\n".join(lines[first:last]).strip()
    if written.startswith("["):
        return written
    title = ' "{}"'.format(known["title"].replace('"', '\\"')) if known["title"] else ""
    return f"[{label}]: <{known['href']}>{title}"
