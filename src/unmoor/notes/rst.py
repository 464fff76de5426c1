"""Read reStructuredText: find the titles of a file, take one section, and convert it to Markdown.

docutils needs seconds for a changelog of a few hundred kilobytes, and much longer for a hostile one. So this module
finds titles itself, by docutils' rule: a line at the margin, then a line of one punctuation character, with levels
in order of appearance. docutils gets only the section itself, in a separate process: its tables of roles and
directives are global, and another stage uses docutils to check whether a description renders.
"""

from __future__ import annotations

import re
import textwrap
import unicodedata
from collections.abc import Iterator, Sequence

from unmoor import advice
from unmoor.errors import Refused
from unmoor.filesystem.temporary import temporary_folder
from unmoor.notes.reading import strip_controls
from unmoor.notes.sections import Heading
from unmoor.ports import child
from unmoor.ports.shell import Shell
from unmoor.util.text import clean

_ADORNMENT = re.compile(r"([!-/:-@\[-`{-~])\1* *")
_DEFINITION = re.compile(r"\.\. (?:_(?P<target>`[^`]+`|[^:_`][^:`]*): +\S|\|(?P<name>[^|]+)\| )")
_WORD = re.compile(r"[^\W_]+")
_CONVERT = "import runpy; runpy.run_module('unmoor.notes.convert', run_name='__main__', alter_sys=True)"
_SHORT = 4
# As many words of a name are looked for.
_WORDS_COMPARED = 4


def headings(text: str) -> tuple[Heading, ...]:
    """List every section title at the margin of a document."""
    lines = text.split("\n")
    styles: list[tuple[str, bool]] = []
    found: list[Heading] = []
    free = 0
    for place in range(len(lines)):
        if place < free or not _may_start(lines, place):
            continue
        title = _title(lines, place)
        if title is None:
            continue
        words, style, free = title
        if style not in styles:
            styles.append(style)
        found.append(Heading(text=words, level=styles.index(style) + 1, line=place, body=free))
    return tuple(found)


def excerpt(text: str, start: int, end: int) -> str:
    """Return lines ``start`` to ``end``, plus the targets and substitutions that they need from other lines.

    If all lines are indented, as below a directive or a term, they lose what they share of it.
    """
    lines = text.split("\n")
    selected = textwrap.dedent("\n".join(lines[start:end]))
    mentioned = _Mentioned(selected)
    own = {name for name, _ in _definitions(lines[start:end])}
    added: dict[str, str] = {}
    for name, source in _definitions([*lines[:start], "", *lines[end:]]):
        if name not in own and name in mentioned:
            added.setdefault(name, source)
    return f"{selected.rstrip()}\n\n" + "\n".join(added.values()) + "\n" if added else selected


class _Mentioned:
    """The names that may be mentioned in a text: every sequence of its words.

    One look at a name takes the same time however long the text is, since each may have thousands.
    """

    def __init__(self, text: str) -> None:
        self._words = _words(text)
        self._sequences: dict[int, set[tuple[str, ...]]] = {}

    def __contains__(self, name: str) -> bool:
        words = _words(name)[:_WORDS_COMPARED]
        if len(words) not in self._sequences:
            shifted = (self._words[start:] for start in range(len(words)))
            self._sequences[len(words)] = set(zip(*shifted, strict=False))
        return not words or words in self._sequences[len(words)]


def _words(text: str) -> tuple[str, ...]:
    return tuple(_WORD.findall(text.lower()))


def to_markdown(source: str, shell: Shell, *, where: str) -> str:
    """Convert a section of reStructuredText. Reads no other file and runs no code of the project.

    Raises `Refused` if docutils fails, or needs more than a minute or a gigabyte.
    """
    with temporary_folder() as folder:
        path = folder / "section.rst"
        path.write_text(source, encoding="utf-8")
        try:
            ran = child.run(shell, _CONVERT, [str(path)], cwd=path.parent)
        except child.BeyondLimits as error:
            raise _unreadable(str(error), where) from error
    if ran.code != 0:
        raise _unreadable(child.last_line(ran), where)
    return strip_controls(ran.out).strip()


def _unreadable(reason: str, where: str) -> Refused:
    return Refused(
        f"docutils cannot read this section: {clean(reason)}",
        where=where,
        next_step=advice.CHECK_DOCUTILS(),
    )


def _may_start(lines: Sequence[str], place: int) -> bool:
    """Whether a title may start here, which it cannot in the middle of a paragraph."""
    line = lines[place]
    if not line.strip() or line[0] in " \t":
        return False
    before = lines[place - 1] if place else ""
    return (
        not before.strip()
        or before[0] in " \t"
        or before.startswith((".. ", "- ", "* "))
        or _is_title_end(lines, place)
    )


def _is_title_end(lines: Sequence[str], place: int) -> bool:
    """Whether the line before is the underline of another title."""
    return place > 1 and _ADORNMENT.fullmatch(lines[place - 1]) is not None and bool(lines[place - 2].strip())


def _title(lines: Sequence[str], place: int) -> tuple[str, tuple[str, bool], int] | None:
    """Return a title's text, its style (character, overlined), and the line after it. ``None`` if there is no title."""
    here, below, under = (lines[place + n] if place + n < len(lines) else "" for n in range(3))
    if _ADORNMENT.fullmatch(here):
        over = here.rstrip()
        fits = _fits(over, below) and below.strip() and under.rstrip() == over
        return (below.strip(), (over[0], True), place + 3) if fits else None
    if _ADORNMENT.fullmatch(below) and _fits(below.rstrip(), here):
        return here.strip(), (below[0], False), place + 2
    return None


def _fits(adornment: str, text: str) -> bool:
    """Whether an adornment is long enough: four characters, or as long as the text."""
    width = sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text.rstrip())
    return len(adornment) >= min(_SHORT, width)


def _definitions(lines: Sequence[str]) -> Iterator[tuple[str, str]]:
    """List every target with an address and every substitution at the margin, as name and lines."""
    for place, line in enumerate(lines):
        match = _DEFINITION.match(line)
        if match is None:
            continue
        end = place + 1
        while end < len(lines) and lines[end][:1] in {" ", "\t"}:
            end += 1
        name = match["target"] or f"|{match['name']}|"
        yield " ".join(name.lower().strip("`").split()), "\n".join(lines[place:end])
