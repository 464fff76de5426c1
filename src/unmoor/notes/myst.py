"""Convert MyST, the Markdown of Sphinx, to plain Markdown: roles, directives and targets become what a reader sees.

markdown-it-py finds blocks and code spans, so code stays as it is, and it makes the rule for fences of colons. The
rule for roles is our own: the plugin for them (mdit-py-plugins) copies the rest of the text at every brace, which takes
quadratic time, and does not say where a role is. Everything that is no MyST stays as it was written, line by line.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

from unmoor.notes import sphinx
from unmoor.notes.markdown import escape
from unmoor.notes.reading import word_set

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.rules_inline import StateInline
    from markdown_it.token import Token

ConvertRst = Callable[[str], str]

_ROLE = re.compile(r"\{([A-Za-z][\w:+.-]{0,49})\}(`+)")
_DIRECTIVE = re.compile(r"\{([A-Za-z][\w:+.-]{0,49})\}[ \t]*(.*)")
_OPTION = re.compile(r":[A-Za-z][\w-]{0,49}:(?:[ \t].*)?")
_TARGET = re.compile(r"\([^()\n]{1,200}\)=")
_TICKS = re.compile("`+")
_ADMONITIONS = word_set("note warning tip hint important caution danger error attention seealso admonition todo")
# Directives inside directives are converted to this depth.
_DEEPEST = 5
_FOUND = "unmoor_roles"


@dataclass(kw_only=True)
class _Roles:
    """The roles in a text: where each begins and ends, and what it shows. ``ticks`` are the runs of backticks."""

    ticks: dict[int, list[int]] = field(default_factory=dict)
    replacements: list[tuple[int, int, str]] = field(default_factory=list)


def to_markdown(text: str, convert_rst: ConvertRst, *, depth: int = 0) -> str:
    """Convert MyST to Markdown. ``convert_rst`` converts what a directive ``eval-rst`` contains."""
    if "{" not in text and ")=" not in text:
        return text
    lines = text.split("\n")
    for token in reversed(_parser().parse(text)):
        if token.map is None:
            continue
        first, last = token.map
        if token.type in {"fence", "colon_fence"} and (named := _DIRECTIVE.fullmatch(token.info.strip())):
            if depth < _DEEPEST:
                made = _directive(named[1], named[2].strip(), token, convert_rst, depth)
                lines[first:last] = _prefixed(made, lines[first:last])
        elif token.type == "inline" and _TARGET.fullmatch(token.content):
            lines[first:last] = []
        elif token.type == "inline" and "{" in token.content:
            lines[first:last] = _without_roles(token.content, lines[first:last])
    return "\n".join(lines)


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt
    from markdown_it.rules_block import make_fence_rule

    parser = MarkdownIt("commonmark")
    rule = make_fence_rule(markers=(":",), token_type="colon_fence", disallow_marker_in_info=())  # noqa: S106  # no secret
    parser.block.ruler.before("fence", "colon_fence", rule, {"alt": ["paragraph", "reference", "blockquote", "list"]})
    parser.core.ruler.enableOnly(["normalize", "block"])
    return parser


@cache
def _inline_parser() -> MarkdownIt:
    """A parser that only knows code spans and escaped characters, which takes linear time."""
    from markdown_it import MarkdownIt

    parser = MarkdownIt("zero").enable(["escape", "backticks"])
    parser.inline.ruler.before("backticks", "role", _role)
    parser.inline.ruler.enable("role")
    return parser


def _role(state: StateInline, silent: bool) -> bool:  # noqa: FBT001  # the signature of a rule
    """Recognise a role, as a rule of markdown-it, and remember where it is."""
    match = _ROLE.match(state.src, state.pos)
    if match is None:
        return False
    found: _Roles = state.env[_FOUND]
    starts = found.ticks.get(len(match[2]), [])
    place = bisect_left(starts, match.end())
    if place == len(starts):
        return False
    end = starts[place] + len(match[2])
    if not silent:
        shown = _shown(match[1], state.src[match.end() : starts[place]], match[2])
        found.replacements.append((state.pos, end, shown))
    state.pos = end
    return True


def _without_roles(content: str, lines: Sequence[str]) -> list[str]:
    """Replace the roles in the text of a block, given with the lines that contain it."""
    found = _Roles()
    for run in _TICKS.finditer(content):
        found.ticks.setdefault(len(run[0]), []).append(run.start())
    _inline_parser().parseInline(content, {_FOUND: found})
    if not found.replacements:
        return list(lines)
    parts: list[str] = []
    end = 0
    for first, last, shown in found.replacements:
        parts += [content[end:first], shown]
        end = last
    return [*_in_place("".join((*parts, content[end:])).split("\n"), content.split("\n"), lines)]


def _shown(name: str, text: str, mark: str) -> str:
    shown, is_code = sphinx.read_role(name, text.strip())
    if is_code or name in {"code", "literal"}:
        return f"{mark}{shown}{mark}"
    return "\n".join(escape(line) for line in shown.split("\n"))


def _in_place(new: Sequence[str], old: Sequence[str], lines: Sequence[str]) -> Iterator[str]:
    """Put new text where the old text of a block is in its lines, after the marks of lists and quotes."""
    before = ""
    for place, text in enumerate(new):
        if place < len(lines) and place < len(old):
            column = lines[place].find(old[place].strip())
            before = lines[place][: max(column, 0)]
        after = ""
        if place == len(new) - 1:  # such as the closing signs of a heading
            after = lines[-1][lines[-1].rfind(old[-1].strip()) + len(old[-1].strip()) :]
        yield before + text.strip() + (after or _trailing(text))


def _trailing(text: str) -> str:
    """The blanks at the end of a line, two of which break it."""
    return text[len(text.rstrip()) :]


def _prefixed(made: Sequence[str], lines: Sequence[str]) -> list[str]:
    """Indent new lines like a fence, which may be in a list or a quote, even right after its mark."""
    first = lines[0]
    column = min((at for at in (first.find("```"), first.find(":::"), first.find("~~~")) if at >= 0), default=0)
    before = first[:column]
    others = re.sub(r"[^>\s]", " ", before)
    return [(before if place == 0 else others) + line for place, line in enumerate(made or [""])]


def _directive(name: str, argument: str, token: Token, convert_rst: ConvertRst, depth: int) -> list[str]:
    """Return the lines that a directive shows."""
    body = _without_options(token.content.rstrip("\n").split("\n"))
    kind = name.lower()
    if kind in sphinx.IGNORED:
        return []
    if kind in sphinx.CODE:
        return _code(argument, body)
    if kind == "eval-rst":
        return convert_rst("\n".join(body)).strip("\n").split("\n")
    shown = to_markdown("\n".join(body).strip("\n"), convert_rst, depth=depth + 1)
    argument = to_markdown(argument, convert_rst, depth=depth + 1)
    if kind in sphinx.VERSION_LABELS:
        version, _, rest = argument.partition(" ")
        text = f"{rest.strip()}\n\n{shown}" if rest.strip() and shown else rest.strip() or shown
        label = f"*{sphinx.VERSION_LABELS[kind]} {version}*"
        return (f"{label}: {text}" if text else label).split("\n")
    if kind in _ADMONITIONS:
        title = (
            argument if argument and kind == "admonition" else "See also" if kind == "seealso" else kind.capitalize()
        )
        text = shown if kind == "admonition" or not argument else f"{argument}\n\n{shown}".rstrip()
        return [f"> **{title}**", *((f"> {line}".rstrip() for line in ("\n" + text).split("\n")) if text else ())]
    return "\n\n".join(part for part in (argument, shown) if part).split("\n")


def _code(argument: str, body: Sequence[str]) -> list[str]:
    longest = max((len(run) for line in body for run in _TICKS.findall(line)), default=0)
    fence = "`" * max(3, longest + 1)
    return [f"{fence}{argument.split(maxsplit=1)[0] if argument else ''}", *body, fence]


def _without_options(lines: Sequence[str]) -> list[str]:
    """Drop the options of a directive: lines such as ``:name: value``, or a block between ``---``."""
    if lines and lines[0].strip() == "---":
        end = next((place for place, line in enumerate(lines[1:], 1) if line.strip() == "---"), None)
        if end is not None:
            return [*lines[end + 1 :]]
    place = next((place for place, line in enumerate(lines) if not _OPTION.fullmatch(line.strip())), len(lines))
    return [*lines[place:]]
