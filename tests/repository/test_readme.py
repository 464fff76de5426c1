"""The README: its first screen, its comparison, and the drawing of a rehearsal."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from tests.support.doc_tables import cells
from tools import rehearsal_svg

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
SVG = "{http://www.w3.org/2000/svg}"
_CERTAIN = 60
"""Characters of a line that are there whatever the time before them is."""


def lines_of(drawing: str) -> list[str]:
    """Return the lines of text in a drawing, without what differs from run to run."""
    found: dict[float, list[tuple[float, str]]] = {}
    for each in ET.fromstring(drawing).iter(f"{SVG}text"):  # noqa: S314 - our own file
        found.setdefault(float(each.attrib["y"]), []).append((float(each.attrib["x"]), "".join(each.itertext())))
    lines = [" ".join(text for _, text in sorted(found[y])).replace("\xa0", " ") for y in sorted(found)]
    return [_comparable(line) for line in lines]


def _comparable(line: str) -> str:
    """Leave out times, sizes, commits and ports. A stage that takes next to no time shows none."""
    line = re.sub(r"^(✓ +\S+) +[0-9.]+ s\b", r"\1", line)
    line = re.sub(r"\b[0-9.]+ (s|kB)\b", r"N \1", line)
    line = re.sub(r"\b(?:[0-9a-f]{12,}|127\.0\.0\.1:[0-9]+)\b", "X", line)
    line = re.sub(r"\s+", " ", line).strip()
    # Where a long line is cut depends on how many digits the time before it has.
    return f"{line[:_CERTAIN]}…" if line.endswith("…") else line


def test_the_first_screen() -> None:
    """Within forty lines: what it is, what a rehearsal looks like, and the commands to begin with."""
    start = "\n".join(README.read_text("utf-8").splitlines()[:40])
    drawing = rehearsal_svg.DRAWING.relative_to(ROOT).as_posix()
    assert re.search(rf"^!\[[^\]]{{40,}}\]\({drawing}\)$", start, re.MULTILINE)
    assert start.index("unmoor rehearse") < start.index("unmoor init") < start.index("unmoor cut")


def test_every_cell_of_the_comparison_has_its_source() -> None:
    """A claim about a tool, ours included, links to where that tool says so."""
    rows = cells(README)
    assert len(rows) > 6
    for row in rows[1:]:
        for cell in row[1:]:
            assert [token for token in cell.children or () if token.type == "link_open"], cell.content


def test_the_drawing_stands_alone() -> None:
    """It loads nothing, runs nothing, has a title, and colors for light and for dark."""
    text = rehearsal_svg.DRAWING.read_text("utf-8")
    root = ET.fromstring(text)  # noqa: S314 - our own file
    assert not re.search(r"url\(|href|@import|@font-face|<script|<image|on\w+=", text)
    title = root.find(f"{SVG}title")
    assert title is not None
    assert title.text == rehearsal_svg.LABEL
    assert root.attrib["role"] == "img"
    light, dark = text.split("@media (prefers-color-scheme: dark)")
    classes = re.compile(r"\.(rehearsal-\w+) \{ fill")
    assert classes.findall(light) == classes.findall(dark) != []
    assert len(text) < 30_000


def test_the_drawing_shows_a_rehearsal_that_passed() -> None:
    """It begins with the command and ends with the result, and no stage failed."""
    lines = lines_of(rehearsal_svg.DRAWING.read_text("utf-8"))
    assert lines[0] == "$ unmoor rehearse"
    assert lines[-1].startswith("rehearsal passed")
    stages = [line for line in lines if line.startswith("✓ ")]
    assert len(stages) == len(lines) - 4
    assert {"✓ pypi", "✓ verify"} <= {" ".join(line.split()[:2]) for line in stages}


@pytest.mark.journey
@pytest.mark.timeout(900)
def test_a_rehearsal_still_looks_like_the_drawing() -> None:
    """The script, run now, draws the same lines apart from times, sizes, commits and ports."""
    drawn = rehearsal_svg.draw(rehearsal_svg.rehearse())
    assert lines_of(drawn) == lines_of(rehearsal_svg.DRAWING.read_text("utf-8")), "python -m tools.rehearsal_svg"
