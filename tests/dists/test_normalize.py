"""A normalized sdist holds what it held, and depends on nothing else: not on order, times, owners or formats."""

from __future__ import annotations

import gzip
import io
import os
import random
import stat
import struct
import tarfile
import tracemalloc
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.dists.checks.bad_insides import SDISTS
from tests.dists.checks.cases import Case
from tests.dists.checks.packing import special

from unmoor.artifacts.files import describe_file
from unmoor.dists import normalize as module
from unmoor.dists.checks import Examiner, Limits
from unmoor.dists.inspect import extract
from unmoor.dists.normalize import normalize
from unmoor.util.values import replace

DATE = 1_700_000_000
TOP = "small_one-1.0"
NAME = f"{TOP}.tar.gz"
INFO = b"Metadata-Version: 2.1\nName: small-one\nVersion: 1.0\n"


@dataclass(frozen=True)
class Entry:
    """A member, without what must not matter."""

    name: str
    data: bytes = b""
    kind: bytes = tarfile.REGTYPE
    target: str = ""
    executable: bool = False


@dataclass(frozen=True)
class Packing:
    """What must not matter: the format, times, owners, modes, the compression and the file's name in its header."""

    format: int = tarfile.PAX_FORMAT
    mtime: float = 0
    owner: int = 0
    user: str = ""
    umask: int = 0o022
    level: int = 9
    packed_at: int = 0
    packed_name: str = ""


def pack(entries: Sequence[Entry], how: Packing) -> bytes:
    """Write an sdist."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=how.format) as archive:
        for each in entries:
            info = tarfile.TarInfo(f"{TOP}/{each.name}".rstrip("/"))
            info.type, info.linkname, info.size = each.kind, each.target, len(each.data)
            info.mode = (0o777 if each.executable or each.kind == tarfile.DIRTYPE else 0o666) & ~how.umask
            info.mtime = how.mtime
            info.uid = info.gid = how.owner
            info.uname = info.gname = how.user
            if how.format == tarfile.PAX_FORMAT:
                info.pax_headers = {"comment": how.user, "SCHILY.xattr.user.note": how.user} if how.user else {}
            archive.addfile(info, io.BytesIO(each.data))
    packed = io.BytesIO()
    with gzip.GzipFile(how.packed_name, "wb", how.level, packed, how.packed_at) as stream:
        stream.write(out.getvalue())
    return packed.getvalue()


def contents(data: bytes) -> dict[str, tuple[bytes, bytes, bool, str]]:
    """What an sdist means: for each name its kind, bytes, executable bit and target."""
    found = {}
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as archive:
        for each in archive:
            stream = archive.extractfile(each) if each.isfile() or each.islnk() else None
            executable = bool(each.mode & 0o111) and each.isfile()
            found[each.name] = each.type, stream.read() if stream else b"", executable, each.linkname
    return found


def tree(folder: Path) -> dict[str, tuple[str, bytes, bool]]:
    """What an unpacked sdist holds."""
    found = {}
    for at, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = Path(at, name)
            mode = path.lstat().st_mode
            executable = stat.S_ISREG(mode) and bool(mode & 0o100)
            data = str(path.readlink()).encode() if path.is_symlink() else path.read_bytes() if path.is_file() else b""
            found[path.relative_to(folder).as_posix()] = (str(stat.S_IFMT(mode)), data, executable)
    return found


def normalized(folder: Path, data: bytes) -> bytes:
    """Normalize an sdist, and require that this worked."""
    path = folder / NAME
    path.write_bytes(data)
    assert normalize(path, DATE) == ""
    return path.read_bytes()


PARTS = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z"), exclude_characters="/\\:"), min_size=1)
NAMES = PARTS.map(lambda name: name.replace(".", "_")) | st.sampled_from(["a", "a-b", "ab", "é" * 60, "long" * 60])
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)


BASE = (Entry("PKG-INFO", INFO), Entry("pyproject.toml", b"[project]\n"))


@st.composite
def sdists(draw: st.DrawFn) -> list[Entry]:
    """The members of a valid sdist: files, folders and links below ``src``, with PKG-INFO."""
    entries = [*BASE, *draw(st.sampled_from([[], [Entry("", kind=tarfile.DIRTYPE)]]))]
    names = {each.name for each in BASE}
    folders: set[str] = set()
    for path in draw(st.lists(PATHS, max_size=8)):
        name = f"src/{path}"
        parents = {name[:at] for at, char in enumerate(name) if char == "/"}
        if name in names | folders or parents & names:
            continue
        kind = draw(st.sampled_from([tarfile.REGTYPE, tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE]))
        if kind != tarfile.DIRTYPE:
            names.add(name)
        folders |= parents | ({name} if kind == tarfile.DIRTYPE else set())
        is_file = kind == tarfile.REGTYPE
        entries.append(
            Entry(
                name=name,
                data=draw(st.binary(max_size=2000)) if is_file else b"",
                kind=kind,
                target=draw(NAMES) if kind == tarfile.SYMTYPE else "",
                executable=is_file and draw(st.booleans()),
            )
        )
    files = [each for each in entries if each.name.startswith("src/") and each.kind == tarfile.REGTYPE]
    if draw(st.booleans()) and files:
        file = draw(st.sampled_from(files))
        link = replace(file, data=b"", kind=tarfile.LNKTYPE, target=f"{TOP}/{file.name}")
        entries += [replace(link, name="0"), replace(link, name="00", target=f"{TOP}/0")]
    return entries


PACKINGS = st.builds(
    Packing,
    format=st.sampled_from([tarfile.PAX_FORMAT, tarfile.GNU_FORMAT]),
    mtime=st.integers(0, 2**31),
    owner=st.integers(0, 2**17),
    user=st.sampled_from(["", "root", "müller"]),
    umask=st.sampled_from([0o022, 0o077, 0o002, 0]),
    level=st.integers(1, 9),
    packed_at=st.integers(0, 2**31),
    packed_name=st.sampled_from(["", NAME]),
)


@given(entries=sdists(), how=PACKINGS)
def test_nothing_is_lost(tmp_path_factory: pytest.TempPathFactory, entries: list[Entry], how: Packing) -> None:
    """Every member, byte, executable bit and link is there, also when unpacked; a second time changes nothing."""
    folder = tmp_path_factory.mktemp("sdist")
    before = pack(entries, how)
    (folder / NAME).write_bytes(before)
    unpacked = tree(extract(folder / NAME, folder / "before"))
    after = normalized(folder, before)
    had, has = contents(before), contents(after)
    assert {name: value[:3] for name, value in has.items()} == {name: value[:3] for name, value in had.items()}
    assert {n: v for n, v in has.items() if v[0] == tarfile.SYMTYPE} == {
        n: v for n, v in had.items() if v[0] == tarfile.SYMTYPE
    }
    assert tree(extract(folder / NAME, folder / "after")) == unpacked
    assert normalized(folder, after) == after


@given(entries=sdists(), hows=st.tuples(PACKINGS, PACKINGS), order=st.randoms())
def test_nothing_else_counts(
    tmp_path_factory: pytest.TempPathFactory, entries: list[Entry], hows: tuple[Packing, Packing], order: random.Random
) -> None:
    """Two archives of the same members in another order and packing give the same bytes."""
    folder = tmp_path_factory.mktemp("sdist")
    movable = [each for each in entries if each.kind != tarfile.LNKTYPE]
    order.shuffle(movable)
    links = [each for each in entries if each.kind == tarfile.LNKTYPE]
    first, second = pack(entries, hows[0]), pack([*movable, *links], hows[1])
    assert normalized(folder, first) == normalized(folder, second)


def test_the_headers(tmp_path: Path) -> None:
    """The gzip header has a date and no name; the members have an order, one date, no owner and two modes."""
    entries = [
        Entry("b/run", b"x", executable=True),
        Entry("PKG-INFO", INFO),
        Entry("a" * 120),
        Entry("ä"),
        Entry("b-c"),
    ]
    how = Packing(mtime=5.5, owner=7, user="me", umask=0)
    data = normalized(tmp_path, pack([*entries, Entry("b", kind=tarfile.DIRTYPE)], how))
    assert data[:10] == struct.pack("<4BL2B", 0x1F, 0x8B, 8, 0, DATE, 0, 255)
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        members = archive.getmembers()
    names = ["PKG-INFO", "a" * 120, "b", "b-c", "b/run", "ä"]
    assert [each.name for each in members] == [f"{TOP}/{name}" for name in names]
    assert {(m.uid, m.gid, m.uname, m.gname, m.mtime) for m in members} == {(0, 0, "", "", DATE)}
    assert [oct(m.mode) for m in members] == ["0o644", "0o644", "0o755", "0o644", "0o755", "0o644"]
    assert [list(m.pax_headers) for m in members] == [[], ["path"], [], [], [], ["path"]]


def test_every_python_writes_the_same(tmp_path: Path) -> None:
    """The archive inside gzip is the same under every version of Python that runs unmoor."""
    entries = [*BASE, Entry("x" * 150, b"x"), Entry("é"), Entry("d", kind=tarfile.DIRTYPE)]
    link = Entry("link", kind=tarfile.SYMTYPE, target="é")
    data = gzip.decompress(normalized(tmp_path, pack([*entries, link], Packing())))
    assert sha256(data).hexdigest() == "7de18e464225971dfd425a1cb0b72230d0523d8bef271b08f6ebf75aef647db4"


def test_nothing_is_open_when_it_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows replaces no file that a program has open, not even our own."""
    sdist, write = tmp_path / NAME, module._write
    sdist.write_bytes(pack(BASE, Packing()))
    opened = [str(sdist)]

    def watched(*args: Any) -> None:
        opened[:] = [each.path for each in psutil.Process().open_files()]
        write(*args)

    monkeypatch.setattr(module, "_write", watched)
    assert normalize(sdist, DATE) == ""
    assert str(sdist) not in opened


@pytest.mark.parametrize(
    ("executables", "expected"),
    [
        (None, {"by": True, "not": False, "link": False}),
        ({"not"}, {"by": False, "not": True, "link": True}),
        ({"by", "elsewhere/not"}, {"by": True, "not": False, "link": False}),
        (set(), {"by": False, "not": False, "link": False}),
    ],
)
def test_files_are_executable_as_git_records(
    tmp_path: Path, executables: set[str] | None, expected: dict[str, bool]
) -> None:
    """Where the disk cannot say it, git does, for every member: on FAT all of them may seem executable."""
    sdist = tmp_path / NAME
    entries = [Entry("by", executable=True), Entry("not"), Entry("link", kind=tarfile.LNKTYPE, target=f"{TOP}/not")]
    sdist.write_bytes(pack([*BASE, *entries], Packing()))
    assert normalize(sdist, DATE, executables=executables) == ""
    with tarfile.open(sdist) as archive:
        found = {each.name.partition("/")[2]: each for each in archive}
    assert {name: found[name].mode for name in expected} == {
        name: 0o755 if expected[name] else 0o644 for name in expected
    }
    assert found["PKG-INFO"].mode == 0o644


@pytest.mark.parametrize("date", [-1, 0, 2**33])
def test_dates_that_gzip_cannot_hold(tmp_path: Path, date: int) -> None:
    """A date before 1970 or after 2106 is the nearest one that can be written."""
    path = tmp_path / NAME
    path.write_bytes(pack(BASE, Packing()))
    assert normalize(path, date) == ""
    assert gzip.decompress(path.read_bytes())


@pytest.mark.parametrize("case", [case for case in SDISTS if case.rule.startswith(("tar-", "archive-"))], ids=str)
def test_what_is_refused_stays_refused(tmp_path: Path, case: Case) -> None:
    """A file that the checks refuse as an archive is left as it is, for the same reason."""
    name, data = case.make("light-house")
    path = tmp_path / name
    path.write_bytes(data)
    reason = normalize(path, DATE)
    problems = Examiner(Limits()).examine(describe_file(path)).problems
    assert case.rule in {problem.rule.name for problem in problems}
    if case.rule != "tar-top-name":  # the name of the folder is compared elsewhere
        assert reason in {problem.what for problem in problems}
        assert path.read_bytes() == data


def entry(name: str, data: bytes = b"") -> tarfile.TarInfo:
    """A file without content, executable if there is any data."""
    info = tarfile.TarInfo(f"{TOP}/{name}")
    info.mode = 0o755 if data else 0o644
    return info


def link(name: str, kind: bytes, target: str, *, mode: int = 0o644) -> tarfile.TarInfo:
    """A link."""
    info = special(f"{TOP}/{name}", kind, target)
    info.mode = mode
    return info


LEFT: dict[str, tuple[str, Callable[[], Sequence[tarfile.TarInfo]]]] = {
    "twice": ("occurs more than once", lambda: [entry("a"), entry("a")]),
    "a file and a folder": ("occurs more than once", lambda: [entry("a"), special(f"{TOP}/a", tarfile.DIRTYPE)]),
    "below a file": ("is no folder", lambda: [entry("a"), entry("a/b")]),
    "below a link": ("is below a link", lambda: [link("a", tarfile.SYMTYPE, "b"), entry("a/c")]),
    "out": ("links to", lambda: [link("a", tarfile.SYMTYPE, "../../b")]),
    "hard link to nothing": ("is no file before it", lambda: [link("a", tarfile.LNKTYPE, f"{TOP}/b")]),
    "hard link before": ("is no file before it", lambda: [link("a", tarfile.LNKTYPE, f"{TOP}/b"), entry("b")]),
    "hard link to a folder": (
        "is no file before it",
        lambda: [special(f"{TOP}/b", tarfile.DIRTYPE), link("a", tarfile.LNKTYPE, f"{TOP}/b")],
    ),
    "hard link to a link": (
        "is no file before it",
        lambda: [link("b", tarfile.SYMTYPE, "PKG-INFO"), link("a", tarfile.LNKTYPE, f"{TOP}/b")],
    ),
    "hard link with another mode": (
        "executable unlike its file",
        lambda: [entry("b"), link("a", tarfile.LNKTYPE, f"{TOP}/b", mode=0o755)],
    ),
    "through a link": (
        "leads through another link",
        lambda: [link("b", tarfile.SYMTYPE, "."), link("a", tarfile.SYMTYPE, "b/../x")],
    ),
    "to a folder that is a link": (
        "leads through another link",
        lambda: [link("b", tarfile.SYMTYPE, "."), link("a", tarfile.SYMTYPE, "b/")],
    ),
    "no UTF-8": ("UTF-8", lambda: [entry("a\udcff")]),
    "device": ("is a device", lambda: [special(f"{TOP}/a", tarfile.CHRTYPE)]),
}


@pytest.mark.parametrize("name", LEFT)
def test_what_cannot_be_written_otherwise_is_left(tmp_path: Path, name: str) -> None:
    """Where the order matters or would matter, the bytes stay, and the reason is given."""
    words, members = LEFT[name]
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz", format=tarfile.GNU_FORMAT) as archive:
        info = tarfile.TarInfo(f"{TOP}/PKG-INFO")
        info.size = len(INFO)
        archive.addfile(info, io.BytesIO(INFO))
        for each in members():
            archive.addfile(each)
    path = tmp_path / NAME
    path.write_bytes(out.getvalue())
    assert words in normalize(path, DATE)
    assert path.read_bytes() == out.getvalue()
    assert list(tmp_path.iterdir()) == [path]


def test_members_are_streamed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A large file is never in memory as a whole."""
    monkeypatch.setattr(module, "_IN_MEMORY", 1 << 20)
    size = 8 << 20
    path = tmp_path / NAME
    large = Entry("large", random.Random(1).randbytes(size))  # noqa: S311 - bytes that do not shrink
    path.write_bytes(pack([large, Entry("PKG-INFO", INFO)], Packing(level=1)))
    tracemalloc.start()
    try:
        assert normalize(path, DATE) == ""
        assert tracemalloc.get_traced_memory()[1] < size / 2
    finally:
        tracemalloc.stop()
    assert contents(path.read_bytes())[f"{TOP}/large"][1] == large.data
