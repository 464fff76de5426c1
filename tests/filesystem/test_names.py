"""The rules for names of files on Windows and macOS."""

from __future__ import annotations

import ntpath
import warnings
from pathlib import PureWindowsPath

import pytest

from unmoor.filesystem.files import is_safe_name
from unmoor.filesystem.names import (
    LONG,
    SameName,
    comparable,
    find_same_names,
    is_long,
    local_fault,
    macos_fault,
    windows_fault,
)

DEVICES = ("con", "PRN", "aux", "Nul", "COM1", "com9", "lpt3", "COM\u00b9", "LPT\u00b2", "CONIN$", "conout$")
PLAIN = (
    "module.py", "pkg/__init__.py", "auxiliary.py", "console", "com0", "com10", "lpt", "nul_.py", "a.con", "a b.txt",
    ".hidden", "..data", "a..b", "caf\u00e9", "\u65e5\u672c", "$RECYCLE", "a/../b", "./a", "conin", "it's (1).txt",
)  # fmt: skip


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", ["{}", "{}.py", "{}.tar.gz", "{} .txt", "pkg/{}/__init__.py", "pkg/{}.py", "{}/a"])
def test_names_of_devices(device: str, name: str) -> None:
    """The name of a device is reserved on Windows in any case, with any extension, for files and for folders."""
    assert "the name of a device" in windows_fault(name.format(device))


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("a:b", "contains the character ':'"),
        ("what?.txt", "contains the character '?'"),
        ("a/b*", "contains the character '*'"),
        ('say "a"', "contains the character '\"'"),
        ("a<b", "contains the character '<'"),
        ("a>b", "contains the character '>'"),
        ("a|b", "contains the character '|'"),
        ("a\\b", "contains the character '\\\\'"),
        ("a\tb", "contains the character U+0009"),
        ("trailing.", "ends in a dot"),
        ("folder./a", "ends in a dot"),
        ("trailing ", "ends in a blank"),
        ("folder /a", "ends in a blank"),
        ("a...", "ends in a dot"),
        (".../a", "ends in a dot"),
    ],
)
def test_what_windows_refuses(name: str, says: str) -> None:
    """Windows has some characters for itself and removes dots and blanks at the end of every component."""
    assert says in windows_fault(name)


@pytest.mark.parametrize("name", PLAIN)
def test_what_every_system_has(name: str) -> None:
    """Names that only resemble a reserved one, and names in any language, have no fault."""
    assert (windows_fault(name), macos_fault(name)) == ("", "")


@pytest.mark.parametrize("name", [*DEVICES, *(f"{each}.txt" for each in DEVICES), *PLAIN])
def test_python_agrees(name: str) -> None:
    """Python's own rule for Windows agrees, in the form that this version of Python has it."""
    isreserved = getattr(ntpath, "isreserved", None)
    with warnings.catch_warnings(action="ignore"):
        expected = isreserved(name) if isreserved else PureWindowsPath(name).is_reserved()
    assert bool(windows_fault(name)) is expected


@pytest.mark.parametrize("name", [b"caf\xe9.txt", b"a/\xff\xfe"])
def test_what_macos_refuses(name: bytes) -> None:
    """A name of bytes that are no UTF-8 is not possible on macOS."""
    assert macos_fault(name.decode(errors="surrogateescape")) == "is not UTF-8, as macOS requires"


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        (["a.py", "b.py"], []),
        (["pkg/A.py", "pkg/a.py"], [SameName("pkg/A.py", "pkg/a.py")]),
        (["A", "B/a", "a"], [SameName("A", "a")]),
        (["Pkg/one.py", "pkg/two.py"], [SameName("Pkg", "pkg")]),
        (["Pkg/a/x", "pkg/a/x"], [SameName("Pkg", "pkg")]),
        (["x/Pkg/", "x/pkg"], [SameName("x/Pkg", "x/pkg")]),
        (["a/", "a/b"], []),
        (["caf\u00e9", "cafe\u0301"], [SameName("cafe\u0301", "caf\u00e9")]),
        (["\u00c9", "\u00e9", "e\u0301"], [SameName("e\u0301", "\u00c9"), SameName("e\u0301", "\u00e9")]),
        (["a/b", "A_b", "a.B"], []),
    ],
)
def test_names_that_are_one(paths: list[str], expected: list[SameName]) -> None:
    """Names that differ only in case or normalization are found, and of folders the outermost only."""
    assert list(find_same_names(paths)) == expected
    assert list(find_same_names(reversed(paths))) == expected


@pytest.mark.parametrize(
    ("first", "second", "difference"),
    [("A", "a", "case"), ("\u00e9", "e\u0301", "Unicode normalization"), ("\u00c9", "e\u0301", "case")],
)
def test_the_difference_is_named(first: str, second: str, difference: str) -> None:
    """A message can say in what two names differ."""
    assert SameName(first, second).difference == difference
    assert comparable(first) == comparable(second)


@pytest.mark.parametrize(
    ("path", "expected"),
    [("a" * LONG, False), ("a" * (LONG + 1), True), ("\U0001f600" * 85, False), ("\U0001f600" * 86, True)],
)
def test_long_paths(path: str, *, expected: bool) -> None:
    """The length of a path counts in UTF-16 units, as Windows counts it."""
    assert is_long(path) is expected


@pytest.mark.parametrize(
    ("system", "name", "fault"),
    [
        ("win32", "a:b", True),
        ("win32", "caf\udce9", False),
        ("darwin", "a:b", False),
        ("darwin", "caf\udce9", True),
        ("linux", "a:b", False),
        ("linux", "caf\udce9", False),
        ("freebsd14", "aux", False),
    ],
)
def test_the_rules_of_one_system(system: str, name: str, *, fault: bool) -> None:
    """Only the rules of the system in question count."""
    assert bool(local_fault(name, system)) is fault


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        *(("small-1.0.tar.gz", True), ("manifest.json", True), ("console.json", True), ("con.json", False)),
        *(("AUX", False), ("nul.whl", False), ("a.", False), (".hidden", False), ("a/b", False)),
    ],
)
def test_a_name_that_is_safe_anywhere(name: str, *, safe: bool) -> None:
    """A name from outside is refused if any system would take it for something else."""
    assert is_safe_name(name) is safe
