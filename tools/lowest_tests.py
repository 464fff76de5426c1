"""Print the files of tests that ``make test-lowest`` runs: those that judge how unmoor uses a library.

With other versions of the libraries, only what calls a library can fail. Each module that uses one is judged by the
file of tests that is named after it; without one, by all files of its own room that import it; without these, by those
that reach it by other modules of this room. (The room of ``tests/notes`` is ``unmoor.notes``.) Tests of other rooms see
only what the room makes of it. If a library has no such file, all tests of the rooms that use it judge it.

msgspec, click and packaging are used nearly everywhere, mostly in the same few ways, which any test shows. Where a
module uses more of them, the tests that are named after it judge that.
"""

from __future__ import annotations

import ast
import functools
import importlib.util
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

TOP = Path(__file__).parents[1]
PLAIN = {
    "msgspec": {"Struct", "field"},
    "click": {
        *("BadParameter", "Choice", "Context", "IntRange", "Parameter", "Path", "UsageError"),
        *("argument", "command", "echo", "group", "option", "pass_context", "style"),
    },
    "packaging": {"InvalidVersion", "NormalizedName", "Version", "canonicalize_name"},
}
"""What nearly every module uses of some libraries."""
OTHER_NAMES = {"unmoor.adapters.forge": "unmoor.adapters.github"}
"""Rooms that have another name than the folder of their tests."""
GROWTH = "tests/test_growth.py"
"""How long it takes to read a text depends on the version of the library that reads it."""


@dataclass(frozen=True)
class Source:
    """A Python file: the modules of ours that it imports, and the libraries that it uses itself."""

    modules: frozenset[str]
    libraries: frozenset[str]


def imported(nodes: Iterable[ast.AST]) -> Iterator[tuple[str, str]]:
    """Yield each import as a module and a name in it, which is empty if the module itself is imported."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from ((name.name, "") for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from ((node.module, name.name) for name in node.names)


def read(nodes: Sequence[ast.AST]) -> Source:
    """Read a Python file. Libraries of another system are left out, and what nearly every module uses of some."""
    ours: set[str] = set()
    used: dict[str, set[str]] = {}
    for module, name in imported(nodes):
        library = module.partition(".")[0]
        if library in {"unmoor", "tests"}:
            ours |= {module, f"{module}.{name}"}
        elif library not in sys.stdlib_module_names and installed(library):
            used.setdefault(library, set()).update({name} - {""})
    for node in nodes:
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in used:
            used[node.value.id].add(node.attr)
    libraries = (library for library, names in used.items() if not names or names - PLAIN.get(library, set()))
    return Source(frozenset(ours), frozenset(libraries))


@functools.cache
def installed(library: str) -> bool:
    """Whether a library is there."""
    return importlib.util.find_spec(library) is not None


def room_of(module: str) -> str:
    """Return the package that a module is in."""
    return module.rpartition(".")[0]


def reached(start: str, sources: dict[str, Source], near: Callable[[str], bool]) -> set[str]:
    """Return a module and all that it imports, directly or not, as far as they are near."""
    seen, rest = {start}, [start]
    while rest:
        new = {each for each in sources[rest.pop()].modules & sources.keys() if near(each)} - seen
        seen |= new
        rest += new
    return seen


def chosen(sources: dict[str, Source]) -> dict[str, set[str]]:
    """Return the modules of tests that judge libraries, each with these. ``sources`` has all modules by name."""
    tests = [name for name in sources if name.startswith("tests.") and name.rpartition(".")[2].startswith("test_")]
    rooms = {name: room_of(name).replace("tests", "unmoor", 1) for name in tests}
    rooms = {name: OTHER_NAMES.get(room, room) for name, room in rooms.items()}
    imports = {name: imported_of_room(name, room, sources) for name, room in rooms.items()}
    reaches = {name: set().union(*(in_room(each, sources) for each in found)) for name, found in imports.items()}
    judged: dict[str, set[str]] = {}
    for module, source in sources.items():
        if not module.startswith("unmoor."):
            continue
        direct = {name for name, found in imports.items() if module in found}
        named = {name for name in direct if name.endswith(f".test_{module.rpartition('.')[2]}")}
        for name in named:
            judged.setdefault(name, set()).update(source.libraries)
        for name in named or direct or {name for name, found in reaches.items() if module in found}:
            judged.setdefault(name, set()).update(source.libraries - PLAIN.keys())
    known = set().union(*judged.values())
    for module, source in sources.items():
        if module.startswith("unmoor.") and (left := source.libraries - known - PLAIN.keys()):
            for name in (name for name, room in rooms.items() if room in {module, room_of(module)}):
                judged.setdefault(name, set()).update(left)
    return {name: libraries for name, libraries in judged.items() if libraries}


def imported_of_room(test: str, room: str, sources: dict[str, Source]) -> set[str]:
    """Return the modules of a room that a file of tests imports, itself or by what it shares with its folder."""
    folder = room_of(test)
    files = reached(test, sources, lambda one: room_of(one) == folder != "tests")
    found = {each for file in files for each in sources[file].modules & sources.keys()}
    return {each for each in found if room != "unmoor" and room in {each, room_of(each)}}


def in_room(module: str, sources: dict[str, Source]) -> set[str]:
    """Return a module and what it imports of its own room, or of the room that it is."""
    return reached(module, sources, lambda one: room_of(one) in {room_of(module), module})


def files() -> dict[str, Path]:
    """Return the file of each module of the package and of the tests."""
    found = {}
    for folder, top in ((TOP / "src" / "unmoor", TOP / "src"), (TOP / "tests", TOP)):
        for path in folder.rglob("*.py"):
            found[".".join(path.relative_to(top).with_suffix("").parts).removesuffix(".__init__")] = path
    return found


def unjudged(sources: dict[str, Source], judged: dict[str, set[str]]) -> set[str]:
    """Return the libraries that the package uses and no tests judge."""
    used = {library for name, each in sources.items() if name.startswith("unmoor.") for library in each.libraries}
    return used.difference(*judged.values())


def main() -> int:
    """Print the files, each on a line. Return 1 if no tests judge a library."""
    paths = files()
    sources = {name: read([*ast.walk(ast.parse(path.read_text("utf-8")))]) for name, path in paths.items()}
    judged = chosen(sources)
    if left := unjudged(sources, judged):
        sys.stderr.write(f"no tests judge how these libraries are used: {', '.join(sorted(left))}\n")
        return 1
    names = {PurePath(GROWTH), *(paths[name].relative_to(TOP) for name in judged)}
    sys.stdout.write("".join(f"{name.as_posix()}\n" for name in sorted(names)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
