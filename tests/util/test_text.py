"""Untrusted text becomes one printable line."""

from __future__ import annotations

import json
import re
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from unmoor.util.text import clean, count_of, indented, list_some, size, without_commands


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("plain words", "plain words"),
        ("two\nlines\r\n\tand a tab ", "two lines and a tab"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]8;;http://evil.example\x07link\x1b]8;;\x07", "link"),
        ("\x1b]0;a title\x1b\\rest", "rest"),
        ("\x9b2Jgone", "gone"),
        ("a\x00b\x07c\x7fd", "a b c d"),
        ("right \u202eto left\u202c", "right to left"),
        ("zero\u200bwidth", "zero width"),
        ("line\u2028paragraph\u2029", "line paragraph"),
        ("naïve 日本語 🚢", "naïve 日本語 🚢"),
        ("\ud800", ""),
    ],
)
def test_makes_one_printable_line(text: str, expected: str) -> None:
    """Escapes and invisible characters go; words of any script stay."""
    assert clean(text) == expected


@pytest.mark.parametrize(("limit", "expected"), [(9, "ninechars"), (8, "ninecha…"), (1, "…")])
def test_cuts_at_the_limit(limit: int, expected: str) -> None:
    """The ellipsis is counted."""
    assert clean("ninechars", limit) == expected


@given(st.text(), st.integers(1, 80))
@example("\x1b" * 10 + "[31m", 20)
@example("\x1b[\x1b[31m31m", 20)
def test_is_short_printable_and_final(text: str, limit: int) -> None:
    """Whatever comes in, the line fits, prints, and is left alone when cleaned again."""
    line = clean(text, limit)
    assert len(line) <= limit
    assert "\x1b" not in line
    assert all(char.isprintable() or char == " " for char in line)
    assert clean(line, limit) == line


def test_looks_at_a_bounded_piece() -> None:
    """A huge text costs no more than its beginning, and says that it was cut."""
    assert clean("\x00" * 10_000_000 + "end") == "…"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("", ""),
        ("   ", ""),
        ("plain", "plain"),
        ("    if x:", "    if x:"),
        ("\tif x:  # why", "        if x: # why"),
        ("  \x1b[31mred\x1b[0m", "  red"),
        ("\r  over", "over"),
        (" " * 500 + "far", " " * 40 + "far"),
    ],
)
def test_keeps_the_indentation_of_a_programs_output(line: str, expected: str) -> None:
    """A line of code stays where it was; nothing else about it is trusted more."""
    assert indented(line) == expected


@given(st.text())
def test_an_indented_line_is_a_clean_line(line: str) -> None:
    """Behind its blanks it is what `clean` makes of it."""
    assert indented(line).lstrip(" ") == clean(line)


@pytest.mark.parametrize(("count", "text"), [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (2_500_000_000, "2.5 GB")])
def test_sizes_read_well(count: int, text: str) -> None:
    """Sizes are written in powers of a thousand."""
    assert size(count) == text


@pytest.mark.parametrize(("count", "text"), [(0, "0 files"), (1, "1 file"), (2, "2 files")])
def test_one_of_a_thing_is_singular(count: int, text: str) -> None:
    """A count agrees with its noun."""
    assert count_of(count, "file") == text


@pytest.mark.parametrize(
    ("names", "text"), [([], ""), (["a"], "a"), (["a", "b"], "a, b"), (["a", "b", "c", "d"], "a, b and 2 more")]
)
def test_a_long_list_is_counted(names: list[str], text: str) -> None:
    """Names beyond the limit are only counted."""
    assert list_some(names, 2) == text


# How GitHub's runner looks for commands: ``::`` at the start of a line after TrimStart, and ``##[`` anywhere.
_TRIMMED = "\t\x0b\x0c\x1f \x85\xa0\u1680\u2003\u2028\u2029\u202f\u3000"


def commands(text: str) -> list[str]:
    """The lines in which a runner would find a command, whether or not it ignores what is invisible."""
    lines = re.split(r"\r\n|\r|\n", text)
    seen = ["".join(char for char in line if unicodedata.category(char) not in {"Cc", "Cf"}) for line in lines]
    return [line for line in (*lines, *seen) if line.lstrip(_TRIMMED + "\x00").startswith("::") or "##[" in line]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("::error::x", r"\u003a:error::x"),
        (" \t\xa0\u2003::add-mask::a", " \t\xa0\u2003\\u003a:add-mask::a"),
        ("a\n::stop-commands::x", "a\n\\u003a:stop-commands::x"),
        ("a\r::x::", "a\r\\u003a:x::"),
        ("\u200b:\u00ad:x::", "\u200b\\u003a\u00ad:x::"),
        ("\ufeff::x::", "\ufeff\\u003a:x::"),
        ("error: ##[set-output name=a]b", r"error: \u0023#[set-output name=a]b"),
        ("###[group]", r"#\u0023#[group]"),
        ("#\u200d#\x00[group]", "\\u0023\u200d#\x00[group]"),
        ("##[a]##[b]", r"\u0023#[a]\u0023#[b]"),
        ("a::b, std::vector, https://[::1]/, ## [Unreleased]", "a::b, std::vector, https://[::1]/, ## [Unreleased]"),
        ("  : : ", "  : : "),
        ("#[derive] # [x]", "#[derive] # [x]"),
    ],
)
def test_workflow_commands_are_broken(text: str, expected: str) -> None:
    """Both forms of a command become plain text, with whatever invisible characters in between; other text stays."""
    assert without_commands(text) == expected


@given(st.text(alphabet=st.sampled_from("::##[] \n\r\t\u200b\xada\x00\u2028")))
@example("##[" * 3)
@example(" ::")
def test_no_command_remains(text: str) -> None:
    """Whatever comes in, no line is a command, and lines stay lines."""
    written = without_commands(text)
    assert commands(written) == []
    assert written.count("\n") == text.count("\n")
    assert without_commands(written) == written


def test_json_keeps_its_meaning() -> None:
    """The escapes are those of JSON."""
    value = {"##[": ["::a", "\\##[x]", "\n::b"]}
    assert json.loads(without_commands(json.dumps(value, indent=2))) == value
