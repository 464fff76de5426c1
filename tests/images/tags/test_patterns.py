"""JavaScript's regular expressions on the Python engine."""

from __future__ import annotations

import contextlib
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unmoor.images.tags.errors import RuleError
from unmoor.images.tags.patterns import search, translate


@pytest.mark.parametrize(
    ("pattern", "flags", "text", "expected"),
    [
        ("v(.*)", "", "v1", ("v1", "1")),
        ("^a$", "", "a\n", None),
        ("^b$", "m", "a\nb\nc", ("b",)),
        ("a.c", "", "a\nc", None),
        ("a.c", "s", "a\nc", ("a\nc",)),
        ("A", "i", "a", ("a",)),
        (r"\d", "", "٣", None),
        (r"\w+", "", "é_1", ("_1",)),
        (r"\s", "", "\u00a0", ("\u00a0",)),
        (r"[\d\s]+", "", "x1 2", ("1 2",)),
        (r"[^\W]", "", "-a", ("a",)),
        (r"[\S\s]", "", "\n", ("\n",)),
        (r"\bx\B", "", "xy", ("x",)),
        (r"(?<n>a)\k<n>", "", "aa", ("aa", "a")),
        (r"(a)?b\1c", "", "bc", ("bc", None)),
        (r"(a)\1", "", "aa", ("aa", "a")),
        (r"a{2}", "", "aaa", ("aa",)),
        (r"a{,2}", "", "a{,2}", ("a{,2}",)),
        (r"x{y", "", "x{y", ("x{y",)),
        (r"a+?", "", "aa", ("a",)),
        (r"[[&&~~||-]", "", "[", ("[",)),
        (r"[a\]b]", "", "]", ("]",)),
        (r"[^]", "", "\n", ("\n",)),
        (r"a[]|b", "", "ab", ("b",)),
        (r"[\b]", "", "\x08", ("\x08",)),
        (r"\x41\u0042\u{43}", "u", "ABC", ("ABC",)),
        (r"\/\-\.", "", "/-.", ("/-.",)),
        (r"\0\t", "", "\x00\t", ("\x00\t",)),
        (r"(?=a)a(?!b)", "", "abac", ("a",)),
        (r"(?<=v)\d", "", "1v2", ("2",)),
        (r"(?<!v)\d", "", "v12", ("2",)),
        (r"(?:a|b)c", "", "bc", ("bc",)),
        (r"\d", "g", "1a2", ("1", "2")),
        (r"a*?", "g", "ba", ("", "", "")),
        (r"a", "y", "ba", None),
        (r"(?=a)*b", "", "b", ("b",)),
        ("", "", "abc", ("",)),
        (r"[[:alpha:]]", "", ":]", (":]",)),
        ("#x y", "", "#x y", ("#x y",)),
    ],
)
def test_a_pattern_means_the_same_as_in_javascript(
    pattern: str, flags: str, text: str, expected: tuple[str | None, ...] | None
) -> None:
    """Each construct gives what String.match gives (verified by running it)."""
    assert search(pattern, text, flags=flags) == expected


@pytest.mark.parametrize(
    ("pattern", "flags"),
    [
        ("(", ""),
        ("a)", ""),
        ("[a", ""),
        ("*a", ""),
        ("a**", ""),
        ("a++", ""),
        ("a{2}{3}", ""),
        ("^*", ""),
        ("(?<=a)*b", ""),
        ("(?=a)*b", "u"),
        ("(?i)a", ""),
        ("(?i:a)", ""),
        ("(?P<n>a)", ""),
        ("(?<1>a)", ""),
        ("(?>a)", ""),
        ("(?#a)", ""),
        (r"\p{L}", "u"),
        (r"\cA", ""),
        (r"\Z", ""),
        (r"\A", ""),
        (r"\12", ""),
        (r"\k<x>", ""),
        ("a{", "u"),
        (r"\u{110000}", "u"),
        ("a\\", ""),
        ("[b-a]", ""),
        ("a", "v"),
        ("a", "gg"),
        ("a" * 1001, ""),
        ("(" * 500 + ")" * 500, ""),
        ("(?:" * 250 + ")*" * 125, ""),
        ("(?=" * 333, ""),
    ],
)
def test_a_construct_without_a_counterpart_is_refused(pattern: str, flags: str) -> None:
    """A mistake, or a construct that means something else to the Python engine, is an error and never a guess."""
    with pytest.raises(RuleError) as caught:
        search(pattern, "a", flags=flags)
    assert caught.value.what


def test_a_pattern_has_a_deadline() -> None:
    """A pattern that would run for hours ends in an error after about a second."""
    began = time.process_time()
    with pytest.raises(RuleError, match="took longer than 1 s"):
        search(r"^(?:(a|aa)+\1)+$", "a" * 300 + "!")
    assert time.process_time() - began < 5


def test_a_text_has_a_limit() -> None:
    """A text longer than any ref is refused."""
    with pytest.raises(RuleError, match="at most"):
        search("a", "a" * 1025)


@given(st.text(alphabet="ab01()[]{}?*+|^$.\\-,:=!<>dwsbk/'", max_size=12))
def test_any_text_is_translated_or_refused(pattern: str) -> None:
    """Any pattern is translated or raises `RuleError`."""
    with contextlib.suppress(RuleError):
        translate(pattern)
        search(pattern, "ab01-a")
