"""The program that parses files in a process of its own."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from unmoor.checks import parse_files


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"x = 1\n", None),
        (b"x = (\n", 1),
        (b"nonlocal x\n", None),
        (b"def f(a, a): pass\n", None),
        (b"return 1\n", None),
        (b"x = " + b"-" * 100_000 + b"1\n", 0),
    ],
    ids=["right", "wrong", "nonlocal", "argument", "return", "nested"],
)
def test_what_parses_is_accepted(content: bytes, line: int | None) -> None:
    """What a compiler refuses only after it has parsed the file is no fault of the syntax."""
    found = parse_files.judge(content, None)
    assert (found is None) if line is None else (found is not None and found[0] == line)


def test_files_come_in_one(tmp_path: Path) -> None:
    """Each is told from the next by its length, whatever it contains."""
    contents = [b"x = 1", b"", b"12\nx = (\n", b"y = '''\n3\n'''\n", b")"]
    stream = io.BytesIO()
    parse_files.write(contents, stream)
    (tmp_path / "files").write_bytes(stream.getvalue())
    assert [number for number, *_ in json.loads(parse_files.main(str(tmp_path / "files"), ""))] == [2, 4]
