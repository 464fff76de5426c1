"""What only some platforms have of the standard library, compared with typeshed, which mypy brings."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import mypy
import pytest

from unmoor.dists.testing.platforms import NAMES_OF_SOME_PLATFORMS, leg_of_marker, marker_of_absent

STUBS = Path(mypy.__file__).parent / "typeshed" / "stdlib"
NEWEST = (3, 13)


def holds(test: ast.expr, system: str) -> bool | None:
    """Whether a condition of a stub is true for a system and the newest Python; ``None`` if it is about neither."""
    if isinstance(test, ast.BoolOp):
        each = [holds(value, system) for value in test.values]
        decisive = isinstance(test.op, ast.Or)
        return decisive if decisive in each else (None if None in each else not decisive)
    if not (isinstance(test, ast.Compare) and isinstance(test.left, ast.Attribute)):
        return None
    value = ast.literal_eval(test.comparators[0])
    if test.left.attr == "platform":
        return (system == value) is isinstance(test.ops[0], ast.Eq)
    return (value <= NEWEST) is isinstance(test.ops[0], ast.GtE) if test.left.attr == "version_info" else None


def names(body: Iterable[ast.stmt], system: str) -> Iterator[str]:
    """The names that a stub has on a system."""
    for each in body:
        if isinstance(each, ast.If):
            result = holds(each.test, system)
            yield from names([] if result is False else each.body, system)
            yield from names([] if result is True else each.orelse, system)
        elif isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield each.name
        elif isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name):
            yield each.target.id
        elif isinstance(each, ast.ImportFrom):
            yield from (alias.asname or alias.name for alias in each.names)


@pytest.mark.parametrize("module", sorted(NAMES_OF_SOME_PLATFORMS))
def test_names_that_not_every_platform_has(module: str) -> None:
    """Every public name that typeshed gives to some systems only is known."""
    path = next(path for path in (STUBS / f"{module}.pyi", STUBS / module / "__init__.pyi") if path.is_file())
    body = ast.parse(path.read_text("utf-8")).body
    linux, macos, windows = (frozenset(names(body, system)) for system in ("linux", "darwin", "win32"))
    some = {name for name in (linux | macos | windows) - (linux & macos & windows) if not name.startswith("_")}
    unknown = {name for name in some if not re.fullmatch(NAMES_OF_SOME_PLATFORMS[module], name)}
    assert unknown == set()


@pytest.mark.parametrize(
    "name",
    [
        *("os.getcwd", "os.path", "os.OPEN", "os.gone", "signal.signal", "signal.Signal", "socket.Socket", "sys.exit_"),
        *("select.Select", "time.sleeep", "subprocess.Popen2", "ctypes.windlll", "asyncio.async_"),
    ],
)
def test_names_that_are_mistakes(name: str) -> None:
    """A name that no platform has, or every one, excuses nothing."""
    module, _, attribute = name.partition(".")
    assert re.fullmatch(NAMES_OF_SOME_PLATFORMS[module], attribute) is None


@pytest.mark.parametrize(
    ("absent", "here", "marker"),
    [
        ("winreg", "linux", "sys_platform == 'win32'"),
        ("asyncio.windows_events", "darwin", "sys_platform == 'win32'"),
        ("os.startfile", "linux", "sys_platform == 'win32'"),
        ("signal.CTRL_C_EVENT", "linux", "sys_platform == 'win32'"),
        ("fcntl", "win32", "sys_platform != 'win32'"),
        ("os.fork", "win32", "sys_platform != 'win32'"),
        ("select.epoll", "darwin", "sys_platform != 'darwin'"),
        ("winreg", "win32", "sys_platform != 'win32'"),
    ],
)
def test_marker_of_absent(absent: str, here: str, marker: str) -> None:
    """What Windows alone has is for Windows, and anything else for every platform but the one that lacks it."""
    assert marker_of_absent(absent, {"sys_platform": here}) == marker


@pytest.mark.parametrize(
    ("marker", "leg"),
    [
        ("sys_platform == 'win32'", "a job on windows-latest"),
        ("os_name == 'nt'", "a job on windows-latest"),
        ("platform_system == 'Darwin'", "a job on macos-latest"),
        ("sys_platform == 'linux'", "a job on ubuntu-latest"),
        ("sys_platform != 'win32'", "a job on macos-latest"),
        ("sys_platform == 'emscripten'", ""),
        ("python_version < '3'", ""),
    ],
)
def test_leg_of_marker(marker: str, leg: str) -> None:
    """The job is one on a platform for which the marker is true."""
    assert leg_of_marker(marker) == leg
