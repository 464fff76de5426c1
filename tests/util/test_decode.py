"""JSON and TOML from outside are what they must be, or one error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from unmoor.util.decode import decode_json, decode_toml


@dataclass(frozen=True)
class Named:
    """What is expected."""

    name: str


def test_what_fits_is_read() -> None:
    """As a class, or as a plain value."""
    assert decode_json(b'{"name": "demo", "more": 1}', Named) == Named("demo")
    assert decode_json(b'{"name": [1]}', dict[str, Any]) == {"name": [1]}


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"", Named),
        (b"<html>", Named),
        (b'{"name": ', Named),
        (b'{"name": 1}', Named),
        (b'{"name": "\xff"}', Named),
        (b"\xff\xfe", Named),
        (b"[]", dict),
        (b'{"name": "demo", "more": ' + b"[" * 100_000, Named),
        (b"[" * 100_000, list),
        (b"[" * 101 + b"]" * 101, list),
    ],
    ids=["nothing", "a page", "half", "a number", "not UTF-8", "not text", "a list", "deep", "deep list", "101 deep"],
)
def test_anything_else_is_one_error(data: bytes, kind: type[object]) -> None:
    """Which says what is wrong."""
    with pytest.raises(ValueError, match=r"\w+"):
        decode_json(data, kind)


def test_toml_is_read() -> None:
    """As text or bytes; a long dotted value is no key."""
    text = f'a.b."c.d" = 1\nurl = "https://{"a." * 100}example.org"\nlist = [[1.5]]\n'
    expected = {"a": {"b": {"c.d": 1}}, "url": f"https://{'a.' * 100}example.org", "list": [[1.5]]}
    assert decode_toml(text) == decode_toml(text.encode()) == expected


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"a = ", "Invalid value"),
        (b"\xff", "utf-8"),
        (b"a = " + b"[" * 100_000, "nested too deeply"),
        (b"a = " + b"{a=" * 100_000, "nested too deeply"),
        (b"a = " + b"[" * 101 + b"]" * 101, "nested too deeply"),
        (b"a." * 100_000 + b"a = 1", "more than 64 parts"),
        (b"[" + b'"a" . ' * 100 + b"b]", "more than 64 parts"),
        (b"x = {" + b"'a'." * 65 + b"a = 1}", "more than 64 parts"),
    ],
    ids=[
        "half",
        "not UTF-8",
        "deep lists",
        "deep tables",
        "101 deep",
        "a long key",
        "a long header",
        "a long inline key",
    ],
)
def test_other_toml_is_one_error(data: bytes, words: str) -> None:
    """Neither its depth nor the length of its keys is a fault of the reader."""
    with pytest.raises(ValueError, match=words):
        decode_toml(data)
