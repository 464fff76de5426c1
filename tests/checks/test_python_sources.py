"""Python files are decoded as Python does it."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unmoor.checks.python_sources import PythonSource, SourceFault, read_source


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"x = 1\n", b"x = 1\n"),
        (b"\xef\xbb\xbfx = 1\n", b"x = 1\n"),
        (b'"""Encoding: coding=latin-1"""\n', b'"""Encoding: coding=latin-1"""\n'),
        (b"# -*- coding: latin-1 -*-\nx = '\xe9'\n", "#\nx = 'é'\n".encode()),
        (b"#!python\n# vim: set fileencoding=latin-1 :\nx = '\xe9'", "#!python\n#\nx = 'é'".encode()),
        (b"# coding: utf-8\nx = '\xc3\xa9'\n", "#\nx = 'é'\n".encode()),
    ],
    ids=["plain", "bom", "docstring", "first", "second", "utf8"],
)
def test_a_file_is_decoded_as_it_declares(content: bytes, expected: bytes) -> None:
    """Its lines keep their numbers, and what it declares is gone, for it is no longer true."""
    assert read_source("a.py", content) == PythonSource(path="a.py", text=expected)


@pytest.mark.parametrize(
    ("content", "what", "line"),
    [
        (b"x = 1\ny = '\0'\n", "it contains a null byte", 2),
        (b"x = 1\ny = '\xe9'\n", "it is not UTF-8, and declares no other encoding", 2),
        (b"# coding: klingon\n", "its encoding is not what it declares: unknown encoding: klingon", 1),
        (b"# coding: ascii\nx = '\xe9'\n", "its encoding is not what it declares", 1),
        (b"\xef\xbb\xbf# coding: latin-1\n", "its encoding is not what it declares", 1),
    ],
    ids=["null", "bytes", "unknown", "wrong", "bom"],
)
def test_what_python_cannot_decode_is_a_fault(content: bytes, what: str, line: int) -> None:
    """The message says why, and where it can."""
    found = read_source("a.py", content)
    assert isinstance(found, SourceFault)
    assert found.what.startswith(what)
    assert found.line == line


@given(
    first=st.sampled_from([b"", b"\xef\xbb\xbf", b"#!x\n"]),
    declared=st.sampled_from(
        [b"", b"# coding: utf-8\n", b"# coding=latin-1\n", b"#coding: nonsense\n", b'"coding: x"\n']
    ),
    rest=st.binary(max_size=40),
)
def test_python_accepts_the_same(first: bytes, declared: bytes, rest: bytes) -> None:
    """What is decoded here and what Python itself decodes are the same files, with the same strings."""
    content = first + declared + b"x = " + repr(rest.decode("latin-1")).encode("latin-1") + b"\n"
    found = read_source("a.py", content)
    try:
        expected = ast.dump(ast.parse(content))
    except (SyntaxError, ValueError):
        assert isinstance(found, SourceFault)
    else:
        assert isinstance(found, PythonSource)
        assert ast.dump(ast.parse(found.text)) == expected
