"""The page that draws the rooms shows those that there are, and imports that the layers allow."""

from __future__ import annotations

import itertools
import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "unmoor"
PAGE = (ROOT / "docs" / "concepts" / "architecture.md").read_text("utf-8")


def _layers() -> dict[str, int]:
    """Each room with its layer, counted from the top."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["id"] == "layers")
    return {room: number for number, layer in enumerate(layers) for room in re.findall(r"\w+", layer)}


def _arrows() -> set[tuple[str, str]]:
    """Each arrow of the diagram, from the room that imports."""
    diagram = PAGE.partition("```mermaid")[2].partition("```")[0]
    chains = [[re.findall(r"\w+", end) for end in line.split("-->")] for line in diagram.splitlines() if "-->" in line]
    return {
        pair
        for chain in chains
        for above, below in itertools.pairwise(chain)
        for pair in itertools.product(above, below)
    }


def test_the_diagram_draws_every_room() -> None:
    """A room that is new, or gone, is so in the diagram too; `__main__` only calls the command line."""
    assert {room for arrow in _arrows() for room in arrow} == set(_layers()) - {"__main__"}


def test_arrows_run_down() -> None:
    """What the diagram says may import another does so by the layers."""
    layers = _layers()
    assert {arrow for arrow in _arrows() if layers[arrow[0]] >= layers[arrow[1]]} == set()


def test_the_table_has_every_room() -> None:
    """One row for each, with a link to it."""
    rows = re.findall(r"^\| \[`([\w./]+)`\]\(\.\./\.\./src/unmoor/([\w./]+)\)", PAGE, re.MULTILINE)
    assert [name for name, link in rows if name.rstrip("/") != link] == []
    assert sorted(Path(link).stem for _, link in rows) == sorted(set(_layers()) - {"__main__"})


def test_rooms_in_rooms_are_folders() -> None:
    """Every folder within a room has a row, and every row is a folder."""
    named = set(re.findall(r"^\| `(\w+/\w+)/` \|", PAGE, re.MULTILINE))
    there = {str(path.parent.relative_to(PACKAGE)) for path in PACKAGE.glob("*/*/__init__.py")}
    assert named == there
