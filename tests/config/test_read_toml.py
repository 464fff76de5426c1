"""The TOML reader: the lines of keys."""

from __future__ import annotations

import tomllib

from hypothesis import given
from hypothesis import strategies as st

from unmoor.config.read_toml import lines_of, parse

TEXT = '''\
# a comment
top = 1

[a.b]  # a header
one = """
[not.a.header]
two = 3
"""
"quoted key" = [
  "x", # a comment
  "]",
]
dotted.inner = { deep = 1 }

[[list]]
in_list = 1
[[list]]
in_list = 2
[list.sub]
below = 3
'''


def test_every_key_has_the_line_it_starts_on() -> None:
    """Multi-line values, dotted keys, inline tables and arrays of tables have the line they start on."""
    assert lines_of(TEXT) == {
        ("top",): 2,
        ("a", "b"): 4,
        ("a", "b", "one"): 5,
        ("a", "b", "quoted key"): 9,
        ("a", "b", "dotted"): 13,
        ("a", "b", "dotted", "inner"): 13,
        ("a", "b", "dotted", "inner", "deep"): 13,
        ("list",): 15,
        ("list", "1"): 15,
        ("list", "1", "in_list"): 16,
        ("list", "2"): 17,
        ("list", "2", "in_list"): 18,
        ("list", "2", "sub"): 19,
        ("list", "2", "sub", "below"): 20,
    }


def test_windows_line_ends() -> None:
    """Line numbers do not depend on how lines end."""
    assert lines_of("a = 1\r\n\r\nb = '''\r\nx\r\n'''\r\nc = 2\r\n") == {("a",): 1, ("b",): 3, ("c",): 6}


def test_a_missing_key_has_the_line_of_its_table() -> None:
    """A missing key is reported at the table that it belongs in."""
    document = parse(TEXT.encode(), "x.toml")
    assert document.line_of(("a", "b", "missing")) == 4
    assert document.line_of(("elsewhere", "missing")) == 0


KEYS = st.text(alphabet="abc-_", min_size=1, max_size=5)
VALUES = st.sampled_from(["1", '"#"', "'='", "[\n1,\n# ]\n2]", '"""\n[x]\ny = 1\n"""', "{ z = 1 }"])


@given(st.dictionaries(KEYS, VALUES, max_size=8), st.dictionaries(KEYS, VALUES, max_size=8))
def test_found_lines_equal_the_written_lines(top: dict[str, str], inner: dict[str, str]) -> None:
    """For any table, the found line of a key is the one it was written on."""
    lines: list[str] = []
    expected: dict[tuple[str, ...], int] = {}
    for prefix, table in (((), top), (("t-t-t-t",), inner)):
        if prefix:
            lines += ["", f"[{prefix[0]}]"]
            expected[prefix] = len(lines)
        for key, value in table.items():
            expected[(*prefix, key)] = len(lines) + 1
            lines += f"{key} = {value}".split("\n")
    text = "\n".join(lines)
    tomllib.loads(text)
    found = lines_of(text)
    assert {path: found.get(path) for path in expected} == expected
