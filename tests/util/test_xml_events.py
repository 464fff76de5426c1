"""XML is read as events, within a limit, and without entities."""

from __future__ import annotations

from pathlib import Path

import pytest

from unmoor.util.xml_events import read_events


def events(path: Path, largest: int = 1_000_000) -> list[str]:
    """Every event as a short text."""
    found: list[str] = []
    read_events(
        path,
        start=lambda name, attributes: found.append(f"<{name} {attributes}"),
        end=lambda name: found.append(f"/{name}"),
        text=found.append,
        largest=largest,
    )
    return found


def test_events_come_in_order(tmp_path: Path) -> None:
    """Elements with their attributes, and text in one piece."""
    (tmp_path / "a.xml").write_text("<a b='1'>x &amp; y<c/></a>", encoding="utf-8", newline="")
    assert events(tmp_path / "a.xml") == ["<a {'b': '1'}", "x & y", "<c {}", "/c", "/a"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it is empty"),
        ("{}", "it is not XML"),
        ("<a>", "it is not XML"),
        ('<!DOCTYPE a [<!ENTITY x "y">]><a/>', "declares an entity"),
        ('<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hosts">]><a>&x;</a>', "declares an entity"),
        ("<a>" + "x" * 3_000_000 + "</a>", "larger than 2 MB"),
    ],
    ids=["empty", "json", "cut off", "entity", "external entity", "too large"],
)
def test_what_is_refused(text: str, why: str, tmp_path: Path) -> None:
    """With the reason."""
    (tmp_path / "a.xml").write_text(text, encoding="utf-8", newline="")
    with pytest.raises(ValueError, match=why):
        events(tmp_path / "a.xml", largest=2_000_000)
