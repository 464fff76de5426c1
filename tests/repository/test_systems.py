"""What differs between systems stays in two rooms, and each test is for systems that it can run on.

Three judges share the rule. mypy, run for each system, refuses names that one of them lacks. ruff's list of banned
names in pyproject.toml refuses questions about the system, modules of one system, and names that do something else on
each. This module refuses what neither sees: arguments, methods, texts, and questions whether a name exists.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.syntax import nodes
from tests.support.systems import file_is_for, item_is_for

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "unmoor"
ROOMS = ("adapters/process/", "filesystem/")

ARGUMENTS = frozenset(
    {
        *("dir_fd", "src_dir_fd", "dst_dir_fd"),
        *("start_new_session", "process_group", "preexec_fn", "pass_fds", "creationflags", "startupinfo"),
    }
)
METHODS = frozenset({"chmod", "lchmod", "symlink_to", "hardlink_to"})
SYSTEMS = frozenset({"linux", "darwin", "win32", "cygwin", "posix", "nt", "Linux", "Darwin", "Windows", "macOS"})
MODULES = frozenset({"os", "os.path", "select", "shutil", "signal", "socket", "stat", "time"})
"""Modules whose names differ between systems."""
PLACES = re.compile(
    r"(?:^|[\s=:,(])/(?:proc|dev|sys|tmp|etc|var|run|usr|bin|home|opt|Users|Library)(?:/|\b)"
    r"|\b[A-Z]:\\|\\\\[.?]\\|\bnpipe:|\.exe\b|\bScripts\b|\bbin/python|PATHEXT|APPDATA|USERPROFILE"
)

EXCEPTIONS = {
    "project/test_needs/variables.py": "names of variables that no tests get, on any system",
    "workflows/release_build.py": "names runners of GitHub and the folders of their systems",
    "scaffold/docker_part.py": "writes a Dockerfile, whose image has Linux",
    "scaffold/file_changes.py": "a unified diff calls no file so, on every system",
    "stages/prove_images.py": "looks for a Python inside an image, so on Linux",
}
"""Modules outside the two rooms with a text that the rule refuses, with the reason."""


def _texts(path: Path) -> Iterator[str]:
    """Yield every text of a module, docstrings left out."""
    prose = {id(node.value) for node in nodes(path) if isinstance(node, ast.Expr)}
    for node in nodes(path):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
            yield node.value


def _is_question(node: ast.AST) -> bool:
    """Whether an expression asks if a name exists, or compares with the name of a system."""
    if isinstance(node, ast.Compare):
        return any(isinstance(each, ast.Constant) and each.value in SYSTEMS for each in ast.walk(node))
    if not isinstance(node, ast.Call):
        return False
    if isinstance(node.func, ast.Name) and node.func.id in {"getattr", "hasattr"}:
        return ast.unparse(node.args[0]) in MODULES
    if isinstance(node.func, ast.Attribute) and node.func.attr == "startswith":
        return any(isinstance(each, ast.Constant) and each.value in SYSTEMS for each in node.args)
    return False


def _specifics(path: Path) -> Iterator[str]:
    """Yield each part of a module that only one system has, or that means something else on each."""
    for node in nodes(path):
        if isinstance(node, ast.Call):
            yield from (f"{each.arg}=" for each in node.keywords if each.arg in ARGUMENTS)
            if isinstance(node.func, ast.Attribute) and node.func.attr in METHODS:
                yield ast.unparse(node.func)
        if _is_question(node):
            yield ast.unparse(node)
    yield from (text for text in _texts(path) if PLACES.search(text))


def _outside() -> dict[str, list[str]]:
    """Return the specifics of every module outside the two rooms that has some."""
    paths = {path.relative_to(PACKAGE).as_posix(): path for path in sorted(PACKAGE.rglob("*.py"))}
    found = {name: list(_specifics(path)) for name, path in paths.items() if not name.startswith(ROOMS)}
    return {name: specifics for name, specifics in found.items() if specifics}


def test_only_two_rooms_know_the_system() -> None:
    """No other module of the package uses what one system has, or asks which system it runs on."""
    found = _outside()
    assert {name: each for name, each in found.items() if name not in EXCEPTIONS} == {}
    assert EXCEPTIONS.keys() - found.keys() == set(), "the rule has no need of these exceptions"


def test_few_places_choose() -> None:
    """In the two rooms, only these modules ask for the system, once each. An assertion for mypy chooses nothing."""
    asked = {
        path.relative_to(PACKAGE).as_posix(): count
        for room in ROOMS
        for path in (PACKAGE / room).glob("*.py")
        if (count := len(re.findall(r"(?<!^assert )\bsys\.platform\b(?!`)", path.read_text("utf-8"), re.MULTILINE)))
    }
    assert asked == {
        "adapters/process/browser.py": 1,  # the program that shows a page
        "adapters/process/capacity.py": 1,  # the memory of a machine
        "adapters/process/clients.py": 3,  # signals that only ask, whether a process is there, and what started it
        "adapters/process/launcher.py": 2,  # how a measured program starts, and the unit of its memory
        "adapters/process/machine.py": 1,  # the free space of a disk
        "adapters/process/parts.py": 3,  # the part that runs programs
        "adapters/process/system.py": 2,  # the value that everybody else is given, and the numbers of a user
        "adapters/process/utf8_mode.py": 1,  # whether Python may speak another encoding than the console
        "filesystem/commands.py": 1,  # the shell of whoever reads
        "filesystem/layout.py": 1,  # where programs are
        "filesystem/names.py": 1,  # the rules for names of files
        "filesystem/system.py": 1,  # the part that opens files
    }


def test_ruff_judges_every_other_module() -> None:
    """The list of banned names holds everywhere but in the two rooms, tests and benches."""
    ruff = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["ruff"]["lint"]
    without = {name for name, codes in ruff["per-file-ignores"].items() if "TID251" in codes}
    assert without == {f"src/unmoor/{room}*" for room in ROOMS} | {"tests/**", "bench/*"}


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("os.open(name, flags, dir_fd=folder)", ["dir_fd="]),
        ("Popen(command, start_new_session=True)", ["start_new_session="]),
        ("path.chmod(0o600)", ["path.chmod"]),
        ("getattr(os, 'geteuid', None)", ["getattr(os, 'geteuid', None)"]),
        ("hasattr(signal, 'SIGHUP')", ["hasattr(signal, 'SIGHUP')"]),
        ("system.name == 'win32'", ["system.name == 'win32'"]),
        ("name in {'linux', 'darwin'}", ["name in {'linux', 'darwin'}"]),
        ("system.startswith('win32')", ["system.startswith('win32')"]),
        ("Path('/proc/self')", ["/proc/self"]),
        ("flag = 'core.hooksPath=/dev/null'", ["core.hooksPath=/dev/null"]),
        ("folder / 'bin/python'", ["bin/python"]),
        ("folder / 'Scripts' / 'python.exe'", ["python.exe", "Scripts"]),
        (r"pipe = r'\\.\pipe\docker_engine'", [r"\\.\pipe\docker_engine"]),
        ("def read():\n    '''Read /proc.'''", []),
        ("fits = system.images and getattr(error, 'errno', 0) and 'https://example.org/usr/bin'", []),
    ],
)
def test_the_rule_sees_each_form(code: str, found: list[str], tmp_path: Path) -> None:
    """What only one system has is seen in each form that it can take, and prose about it is not."""
    (tmp_path / "module.py").write_text(code, encoding="utf-8")
    assert list(_specifics(tmp_path / "module.py")) == found


@pytest.mark.parametrize(
    ("lines", "systems"),
    [
        ("", ["linux", "darwin", "win32"]),
        ('assert sys.platform != "win32"  # signals', ["linux", "darwin"]),
        ('assert sys.platform == "linux"', ["linux"]),
        ('assert sys.platform not in {"linux", "win32"}', ["darwin"]),
        ('    assert sys.platform == "linux"', ["linux", "darwin", "win32"]),
        ('assert sys.platform != "win32"\nassert sys.platform != "darwin"', ["linux"]),
    ],
)
def test_a_file_says_where_it_can_be_imported(lines: str, systems: list[str]) -> None:
    """A file is left out on the systems that an assertion at its top excludes."""
    text = f"import os\nimport sys\n\n{lines}\n"
    assert [each for each in ("linux", "darwin", "win32") if file_is_for(text, each)] == systems


@pytest.mark.parametrize(
    ("markers", "fixtures", "systems"),
    [
        ([], ["tmp_path"], ["linux", "darwin", "win32"]),
        ([("linux", "darwin")], [], ["linux", "darwin"]),
        ([("linux", "darwin"), ("linux",)], [], ["linux"]),
        ([], ["tmp_path", "engine"], ["linux"]),
        ([("win32",)], [], ["win32"]),
    ],
)
def test_a_test_says_where_it_can_run(markers: list[tuple[str, ...]], fixtures: list[str], systems: list[str]) -> None:
    """Every marker counts, and what runs containers needs Linux."""
    assert [each for each in ("linux", "darwin", "win32") if item_is_for(markers, fixtures, each)] == systems


def test_tests_name_systems_that_exist() -> None:
    """A misspelt name would leave a test out everywhere."""
    named = re.compile(r"(?:only_on\(|^assert sys\.platform (?:[!=]=|in|not in) )([^)\n]*)", re.MULTILINE)
    texts = (path.read_text("utf-8") for path in (ROOT / "tests").rglob("*.py") if path != Path(__file__))
    found = {word for text in texts for each in named.findall(text) for word in re.findall(r'"(\w+)"', each)}
    assert found <= {"linux", "darwin", "win32"}
