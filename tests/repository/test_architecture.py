"""The page about the architecture shows all packages, and only imports that the layers allow."""

from __future__ import annotations

import inspect
import itertools
import re
import tomllib
from pathlib import Path

from unmoor.core import middleware

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "unmoor"
CONCEPTS = ROOT / "docs" / "concepts"
PAGE = (CONCEPTS / "architecture.md").read_text("utf-8")


def _layers() -> dict[str, int]:
    """Return each package with the number of its layer, counted from the top."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["id"] == "layers")
    return {room: number for number, layer in enumerate(layers) for room in re.findall(r"\w+", layer)}


def _arrows() -> set[tuple[str, str]]:
    """Return each arrow of the diagram, starting at the package that imports."""
    diagram = PAGE.partition("```mermaid")[2].partition("```")[0]
    chains = [[re.findall(r"\w+", end) for end in line.split("-->")] for line in diagram.splitlines() if "-->" in line]
    return {
        pair
        for chain in chains
        for above, below in itertools.pairwise(chain)
        for pair in itertools.product(above, below)
    }


def test_the_diagram_draws_every_room() -> None:
    """The diagram has exactly the packages of the layers, except `__main__`, which only calls the command line."""
    assert {room for arrow in _arrows() for room in arrow} == set(_layers()) - {"__main__"}


def test_arrows_run_down() -> None:
    """Each arrow points to a lower layer."""
    layers = _layers()
    assert {arrow for arrow in _arrows() if layers[arrow[0]] >= layers[arrow[1]]} == set()


def test_the_table_has_every_room() -> None:
    """The table has a row for each package, with a link to it."""
    rows = re.findall(r"^\| \[`([\w./]+)`\]\(\.\./\.\./src/unmoor/([\w./]+)\)", PAGE, re.MULTILINE)
    assert [name for name, link in rows if name.rstrip("/") != link] == []
    assert sorted(Path(link).stem for _, link in rows) == sorted(set(_layers()) - {"__main__"})


def test_rooms_in_rooms_are_folders() -> None:
    """The table of nested packages has a row for each folder, and no other rows."""
    named = set(re.findall(r"^\| `(\w+/\w+)/` \|", PAGE, re.MULTILINE))
    folders = {path.parent.relative_to(PACKAGE).as_posix() for path in PACKAGE.glob("*/*/__init__.py")}
    assert named == folders


def test_the_table_of_the_middleware_has_its_order() -> None:
    """The table goes from the outside in; `compose` nests the middleware from the inside out."""
    source = inspect.getsource(middleware.compose)
    nested = [
        name for name in re.findall(r"\b\w+\b", source) if name != "compose" and callable(vars(middleware).get(name))
    ]
    steps = [name for name in nested if inspect.isfunction(vars(middleware)[name])]
    table = PAGE.partition("| step | what it does |")[2].partition("\n\n")[0]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == steps[::-1]


def test_what_a_page_names_is_in_the_code() -> None:
    """A function, class or file that a page writes as code exists in the package."""
    sources = {path: path.read_text("utf-8") for path in PACKAGE.rglob("*.py")}
    words = {word for text in sources.values() for word in re.findall(r"\w+", text)}
    missing = []
    for page in CONCEPTS.glob("*.md"):
        for code in re.findall(r"`([^`\n]+)`", page.read_text("utf-8")):
            name = code.partition("(")[0].partition("[")[0]
            if re.fullmatch(r"[a-z_]+(/[a-z_]+)*\.py", code):
                known = any(str(path).endswith(f"/{code}") for path in (*sources, *(ROOT / "tests").rglob("*.py")))
            elif re.fullmatch(r"[a-z]+(_[a-z]+)+|([A-Z][a-z]+){2,}", name):
                known = name in words
            else:
                known = True
            missing += [] if known else [f"{page.name}: {code}"]
    assert missing == []
