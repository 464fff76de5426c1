"""Wheels and sdists are read within limits, and never unpacked outside the target folder."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Iterable
from pathlib import Path

import pytest

from unmoor.dists import inspect, unpacking
from unmoor.dists.inspect import entry_points, extract, modules, parse_filename, read_metadata
from unmoor.errors import InvalidDist
from unmoor.filesystem.names import local_fault

INFO = "Metadata-Version: 2.1\nName: Small.One\nVersion: 1.0\nRequires-Dist: idna\nProvides-Extra: cli\n\nWords\n"


def wheel(folder: Path, content: dict[str, str], *, metadata: bool = True) -> Path:
    """Write a wheel."""
    path = folder / "small_one-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in content.items():
            archive.writestr(name, text)
        if metadata:
            archive.writestr("small_one-1.0.dist-info/METADATA", INFO)
    return path


def sdist(folder: Path, members: Iterable[tuple[str, str | tarfile.TarInfo]]) -> Path:
    """Write an sdist."""
    path = folder / "small_one-1.0.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name, what in members:
            if isinstance(what, tarfile.TarInfo):
                archive.addfile(what)
                continue
            info = tarfile.TarInfo(name)
            info.size = len(what)
            archive.addfile(info, io.BytesIO(what.encode()))
    return path


def link(name: str, target: str, kind: bytes = tarfile.SYMTYPE) -> tuple[str, tarfile.TarInfo]:
    """A link in an archive."""
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return name, info


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Small.One-1.0.tar.gz", ("small-one", "1.0")),
        ("small_one-1.0rc1-1-cp311-abi3-manylinux_2_28_x86_64.whl", ("small-one", "1.0rc1")),
    ],
)
def test_file_names(name: str, expected: tuple[str, str]) -> None:
    """A file name contains the project and the version."""
    found = parse_filename(name)
    assert (found.name, str(found.version)) == expected
    assert bool(found.tags) == name.endswith(".whl")


@pytest.mark.parametrize("name", ["x.whl", "x-y-py3-none-any.whl", "x.tar.gz", "x-1.0.exe", "x-1.0.tar.gz\n", ""])
def test_invalid_file_names(name: str) -> None:
    """Names that are neither a wheel's nor an sdist's are refused."""
    with pytest.raises(InvalidDist):
        parse_filename(name)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["pkg/__init__.py", "pkg/sub/__init__.py", "pkg/x.py"], ("pkg",)),
        (["mod.py", "_ext.cpython-311-x86_64-linux-gnu.so", "win.cp311-win_amd64.pyd"], ("_ext", "mod", "win")),
        (["ns/one/__init__.py", "ns/two.py"], ("ns.one", "ns.two")),
        (["ns/a/b/__init__.so"], ("ns.a.b",)),
        (["pkg/__init__.abi3.so"], ("pkg",)),
        (["_ext.abi3.so", "_ext.cpython-313t-x86_64-linux-gnu.so", "pkg/_c.so", "pkg/__init__.py"], ("_ext", "pkg")),
        (["pkg.libs/libgomp-1a2b.so.1", "pkg.libs/libz.so", "libown.so", "ns/lib/libown.so", "ns/own.py"], ("ns.own",)),
        (["small_one-1.0.data/purelib/in_data/__init__.py"], ("in_data",)),
        (["small_one-1.0.data/scripts/run.py", "small_one-1.0.dist-info/x.py", "data/table.csv"], ()),
        (["no-name/__init__.py", "types-stubs/__init__.pyi", "__init__.py", "__main__.py"], ()),
        (["tests/__init__.py", "test/x.py", "conftest.py", "setup.py", "pkg/__init__.py"], ("pkg",)),
    ],
)
def test_modules(tmp_path: Path, names: list[str], expected: tuple[str, ...]) -> None:
    """Top-level packages and modules are listed. For a namespace package, what it contains is listed."""
    assert modules(wheel(tmp_path, dict.fromkeys(names, ""))) == expected


def test_a_module_without_a_tag_in_its_name(tmp_path: Path) -> None:
    """A plain ``.so`` is a module only if it exports what Python calls; a library beside it is not imported."""
    far = "x" * (2 << 20)
    names = {
        "plain.so": "\x7fELF PyInit_plain",
        "late.so": f"{far}PyInit_late",
        "libc.so": far,
        "win.pyd": "PyInit_win",
    }
    assert modules(wheel(tmp_path, names)) == ("late", "plain", "win")


def test_metadata_of_both_kinds(tmp_path: Path) -> None:
    """METADATA and PKG-INFO are read alike."""
    own = read_metadata(wheel(tmp_path, {}))
    assert (own.name, own.version, own.requires, own.extras) == ("Small.One", "1.0", ("idna",), ("cli",))
    path = sdist(tmp_path, [("small_one-1.0/sub/PKG-INFO", "x"), ("small_one-1.0/PKG-INFO", INFO)])
    assert read_metadata(path) == own


def test_no_metadata(tmp_path: Path) -> None:
    """An archive without metadata is refused, even if it contains another project's dist-info."""
    with pytest.raises(InvalidDist, match="no metadata"):
        read_metadata(wheel(tmp_path, {"other-1.0.dist-info/METADATA": INFO}, metadata=False))
    with pytest.raises(InvalidDist, match="no metadata"):
        read_metadata(sdist(tmp_path, [("small_one-1.0/setup.py", "")]))


def test_members_are_limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Too long members, archives that unpack to too much, and archives with too many members are refused."""
    monkeypatch.setattr(inspect, "MEMBER_LIMIT", 20)
    path = sdist(tmp_path, [("small_one-1.0/PKG-INFO", INFO)])
    with pytest.raises(InvalidDist, match="longer than 20"):
        read_metadata(path)
    with pytest.raises(InvalidDist, match="longer than 20"):
        read_metadata(wheel(tmp_path, {}))
    monkeypatch.setattr(inspect, "TOTAL_LIMIT", 20)
    with pytest.raises(InvalidDist, match="more than 20 bytes"):
        extract(path, tmp_path / "out")
    monkeypatch.setattr(inspect, "COUNT_LIMIT", 1)
    with pytest.raises(InvalidDist, match="or 1 members"):
        extract(sdist(tmp_path, [("a/b", ""), ("a/c", "")]), tmp_path / "out")


def test_extract(tmp_path: Path) -> None:
    """An sdist is unpacked into its top-level folder."""
    top = extract(sdist(tmp_path, [("small_one-1.0/PKG-INFO", INFO), ("small_one-1.0/a/b", "x")]), tmp_path / "out")
    assert top == tmp_path / "out" / "small_one-1.0"
    assert (top / "a/b").read_text() == "x"


@pytest.mark.parametrize(
    "members",
    [
        [("../evil", "x")],
        [("/evil", "x")],
        [("small_one-1.0/../../evil", "x")],
        [link("small_one-1.0/x", "/etc/passwd")],
        [link("small_one-1.0/x", "../../evil")],
        [link("small_one-1.0/x", "../../evil", tarfile.LNKTYPE)],
        [link("small_one-1.0/x", "..", tarfile.SYMTYPE), ("small_one-1.0/x/../../evil", "x")],
        [("one/a", ""), ("two/b", "")],
        [],
    ],
)
def test_hostile_sdists(tmp_path: Path, members: list[tuple[str, str | tarfile.TarInfo]]) -> None:
    """Nothing is written outside the folder, and an sdist without exactly one folder is refused."""
    (tmp_path / "in").mkdir()
    path = sdist(tmp_path / "in", members)
    with pytest.raises(InvalidDist):
        extract(path, tmp_path / "in" / "out")
    assert [each.name for each in tmp_path.iterdir()] == ["in"]
    assert {each.name for each in (tmp_path / "in").iterdir()} <= {path.name, "out"}


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE], ids=["symbolic", "hard"])
@pytest.mark.parametrize(
    "target", ["/usr/share/dict/words", "../../elsewhere", "../../sibling", "../../../small_one-1.0"]
)
def test_a_link_out_of_an_sdist_is_named(tmp_path: Path, kind: bytes, target: str) -> None:
    """A link that points out of an sdist is the fault, not the build backend; the error names it and its target."""
    name = "small_one-1.0/docs/guide.md"
    with pytest.raises(InvalidDist) as caught:
        extract(sdist(tmp_path, [("small_one-1.0/PKG-INFO", INFO), link(name, target, kind)]), tmp_path / "out")
    assert caught.value.what == f"small_one-1.0.tar.gz contains the link {name}, which points out of it, to {target}"
    assert "backend" not in (caught.value.next_step or "")


@pytest.mark.parametrize(
    ("system", "name"), [("win32", "a:b"), ("win32", "docs/aux.rst"), ("win32", "end."), ("darwin", "caf\udce9")]
)
def test_names_that_this_machine_cannot_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, system: str, name: str
) -> None:
    """A member is refused by its name before anything is written, where the system would change or hide it."""
    monkeypatch.setattr(unpacking, "local_fault", lambda path: local_fault(path, system))
    path = sdist(tmp_path, [("small_one-1.0/PKG-INFO", INFO), (f"small_one-1.0/{name}", "x")])
    with pytest.raises(InvalidDist, match=r"cannot be unpacked on this machine: the name small_one-1\.0/"):
        extract(path, tmp_path / "out")
    assert [each.name for each in (tmp_path / "out" / "small_one-1.0").rglob("*")] == ["PKG-INFO"]


def test_two_members_that_are_one_file_here(tmp_path: Path) -> None:
    """A file system that ignores case already has the second of two members, and would replace the first one."""
    path = sdist(tmp_path, [("small_one-1.0/PKG-INFO", INFO), ("small_one-1.0/readme", "x")])
    (tmp_path / "out" / "small_one-1.0").mkdir(parents=True)
    (tmp_path / "out" / "small_one-1.0" / "readme").write_text("that of README")
    with pytest.raises(InvalidDist, match=r"small_one-1\.0/readme is that of another member on this file system"):
        extract(path, tmp_path / "out")
    assert (tmp_path / "out" / "small_one-1.0" / "readme").read_text() == "that of README"


def test_a_link_inside_an_sdist_is_unpacked(tmp_path: Path) -> None:
    """A link to another file of the sdist is unpacked."""
    files: list[tuple[str, str | tarfile.TarInfo]] = [
        ("small_one-1.0/PKG-INFO", INFO),
        link("small_one-1.0/docs/info", "../PKG-INFO"),
    ]
    top = extract(sdist(tmp_path, files), tmp_path / "out")
    assert (top / "docs" / "info").read_text() == INFO


@pytest.mark.parametrize("cut", [0, 10, 100])
def test_broken_archives(tmp_path: Path, cut: int) -> None:
    """A truncated or invalid archive is refused, without a traceback."""
    for path in (wheel(tmp_path, {"a.py": "x" * 1000}), sdist(tmp_path, [("a/PKG-INFO", INFO * 100)])):
        path.write_bytes(path.read_bytes()[:cut])
        with pytest.raises(InvalidDist):
            read_metadata(path)


def test_missing_file_is_not_a_broken_archive(tmp_path: Path) -> None:
    """Errors of the disk are raised unchanged."""
    with pytest.raises(FileNotFoundError):
        extract(tmp_path / "small_one-1.0.tar.gz", tmp_path / "out")


def test_entry_points(tmp_path: Path) -> None:
    """Groups, names with their case, and extras of entry points are read."""
    text = "[console_scripts]\nRun = a.b:c [x, y]\n\n[host]\nz = a\n"
    found = entry_points(wheel(tmp_path, {"small_one-1.0.dist-info/entry_points.txt": text}))
    assert [(each.group, each.name, each.module, each.attr, each.extras) for each in found] == [
        ("console_scripts", "Run", "a.b", "c", ["x", "y"]),
        ("host", "z", "a", None, []),
    ]
    assert entry_points(wheel(tmp_path, {})) == ()


@pytest.mark.parametrize("text", ["no section", "[a]\nx = not a target!\n", "[a]\nx\n", "[a]\nx = 1\nx = 2\n"])
def test_malformed_entry_points(tmp_path: Path, text: str) -> None:
    """Entry points that no installer could use are refused."""
    with pytest.raises(InvalidDist):
        entry_points(wheel(tmp_path, {"small_one-1.0.dist-info/entry_points.txt": text}))
