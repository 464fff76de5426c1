"""JSON from outside is what it must be, or one error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from unmoor.util.decode import decode_json


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
    ],
    ids=["nothing", "a page", "half", "a number", "not UTF-8", "not text", "a list", "deep", "deep list"],
)
def test_anything_else_is_one_error(data: bytes, kind: type[object]) -> None:
    """Which says what is wrong."""
    with pytest.raises(ValueError, match=r"\w+"):
        decode_json(data, kind)
