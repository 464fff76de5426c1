"""Split a Dockerfile into its instructions, as BuildKit does.

Source: the `Dockerfile reference <https://docs.docker.com/reference/dockerfile/>`_ and BuildKit's
``frontend/dockerfile/parser``, which the tests compare this with.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import msgspec

from unmoor import advice
from unmoor.errors import ConfigError
from unmoor.images.dockerfile_words import BLANKS, name_of_end, quoted_words, shell_words
from unmoor.util.text import clean

_DIRECTIVE: Final = re.compile(r"#\s*+([A-Za-z][A-Za-z0-9]*+)\s*+=\s*+(\S.*)", re.DOTALL)
_DIRECTIVES: Final = frozenset({"syntax", "escape", "check"})
_HERE: Final = re.compile(r"\d*+<<(?P<tabs>-?+)(?P<blanks>\s*+)(?P<word>[^<]++)")
_BLANKS: Final = re.compile(rf"[{BLANKS}]++")
_WITH_DOCUMENTS: Final = frozenset({"RUN", "COPY", "ADD"})


@dataclass(frozen=True, kw_only=True)
class Instruction:
    """One instruction: its first line (from 1), its keyword in capitals, its arguments joined to one line.

    ``stage`` is the number of its stage (from 0; -1 before the first). ``body`` holds its here-documents.
    """

    line: int
    keyword: str
    text: str
    stage: int
    body: str = ""

    @cached_property
    def words(self) -> str:
        """The arguments, with one blank between words."""
        return " ".join(self.text.split())


def escape_of(text: str) -> str:
    """The character that continues a line: a backslash, unless a directive at the top sets a backquote."""
    for line in text.removeprefix("\ufeff").split("\n"):
        match = _DIRECTIVE.match(line.lstrip())
        if match is None or match[1].lower() not in _DIRECTIVES:
            break
        if match[1].lower() == "escape":
            return "`" if match[2].strip() == "`" else "\\"
    return "\\"


def instructions(text: str, path: str) -> Iterator[Instruction]:
    """Join continued lines, drop comments and blank lines, collect the bodies of here-documents.

    Raises `ConfigError`, naming ``path``, for a here-document without an end.
    """
    lines = [line.rstrip("\r") for line in text.removeprefix("\ufeff").split("\n")]
    escape, ends = escape_of(text), _Ends(lines)
    at, stage = 0, -1
    while at < len(lines):
        first = at
        line, at = _logical_line(lines, at, escape)
        if not line:
            continue
        keyword, arguments = _split(line)
        stage += keyword == "FROM"
        body: list[str] = []
        for tabs, blanks, word in _documents(keyword, arguments, line):
            end = ends.after(at, word, tabs=tabs)
            if end is None:
                if blanks:
                    continue  # a shift: builders before Dockerfile syntax 1.16 take no blank before the word
                raise ConfigError(
                    f"the here-document <<{clean(word, 60)} has no end",
                    where=f"{path}, line {first + 1}",
                    next_step=advice.END_HERE_DOCUMENT(word=clean(word, 60)),
                )
            body += lines[at:end]
            at = end + 1
        yield Instruction(
            line=first + 1,
            keyword=keyword,
            text=arguments,
            stage=stage,
            body="\n".join(each.strip() for each in body),
        )


def _logical_line(lines: Sequence[str], at: int, escape: str) -> tuple[str, int]:
    """Join a line with those that continue it. Returns it, and the number of the line behind it."""
    parts: list[str] = []
    while at < len(lines):
        line = lines[at]
        at += 1
        if line.lstrip().startswith("#"):
            line = ""
        if parts and not line.strip():
            continue
        line = line if parts else line.lstrip()
        kept = line.rstrip(" \t")
        goes_on = kept.endswith(escape) and not kept.endswith(escape * 2)
        parts.append(kept.removesuffix(escape) if goes_on else line)
        if not goes_on:
            break
    return "".join(parts), at


def _split(line: str) -> tuple[str, str]:
    """Split a line into its keyword, in capitals, and the rest."""
    keyword, *rest = _BLANKS.split(line.strip(), maxsplit=1)
    return keyword.upper(), "".join(rest).strip()


def split_flags(text: str, escape: str) -> tuple[list[str], str]:
    """Split the flags from the arguments behind them, such as ``--platform="linux/386"``. The flags keep quotes."""
    flags: list[str] = []
    for word in quoted_words(text, escape):
        if not word[0].startswith("--"):
            return flags, text[word.start() :]
        if word[0] == "--":
            return flags, text[word.end() :].lstrip()
        flags.append(word[0])
    return flags, ""


def _documents(keyword: str, arguments: str, line: str) -> Iterator[tuple[bool, bool, str]]:
    """Yield the here-documents of an instruction.

    That is: whether tabs are taken off the last line, whether a blank is before the word, and the word.
    """
    if "<<" not in line:
        return
    if keyword == "ONBUILD":
        keyword, arguments = _split(arguments)
    if keyword not in _WITH_DOCUMENTS or _is_json(arguments):
        return
    for word in shell_words(line):
        match = _HERE.fullmatch(word)
        name = name_of_end(match["word"]) if match else ""
        if match and name:
            yield bool(match["tabs"]), bool(match["blanks"]), name


def _is_json(arguments: str) -> bool:
    """Whether an instruction has its arguments as a list of strings, so that no shell reads them."""
    _, arguments = split_flags(arguments, "\\")
    if not arguments.startswith("["):
        return False
    try:
        msgspec.json.decode(arguments, type=list[str])
    except (msgspec.MsgspecError, RecursionError):
        return False
    return True


class _Ends:
    """Where lines of a certain text are: each search takes the same time, however many searches there are."""

    def __init__(self, lines: Sequence[str]) -> None:
        self._lines = lines

    @cached_property
    def _whole(self) -> dict[str, list[int]]:
        return self._places(self._lines)

    @cached_property
    def _without_tabs(self) -> dict[str, list[int]]:
        return self._places([line.lstrip("\t") for line in self._lines])

    def after(self, at: int, word: str, *, tabs: bool) -> int | None:
        """The first line from ``at`` on that is this word, ``None`` if there is none."""
        places = (self._without_tabs if tabs else self._whole).get(word, [])
        found = bisect_left(places, at)
        return places[found] if found < len(places) else None

    @staticmethod
    def _places(lines: Sequence[str]) -> dict[str, list[int]]:
        places: dict[str, list[int]] = {}
        for number, line in enumerate(lines):
            places.setdefault(line, []).append(number)
        return places
