"""Two builds of one file are compared by their members, and the message says which one differs and how."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest

from unmoor.dists.comparison import Comparison, compare

Content = dict[str, str | bytes]
EARLY, LATE = (2020, 1, 1, 0, 0, 0), (2020, 1, 2, 14, 0, 0)
LONG = "x" * 200


def wheel(
    path: Path, content: Content, *, mode: int = 0o644, time: tuple[int, ...] = EARLY, stored: bool = False
) -> Path:
    """Write a wheel."""
    path.parent.mkdir(exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in content.items():
            info = zipfile.ZipInfo(name, (*time,)[:6])  # type: ignore[arg-type]
            info.external_attr = (0o100000 | mode) << 16
            info.compress_type = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
            archive.writestr(info, data)
    return path


def sdist(path: Path, content: Content, *, mode: int = 0o644, mtime: int = 0, user: str = "", level: int = 6) -> Path:
    """Write an sdist."""
    path.parent.mkdir(exist_ok=True)
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, data in content.items():
            info, text = tarfile.TarInfo(name), data.encode() if isinstance(data, str) else data
            info.size, info.mode, info.mtime, info.uname = len(text), mode, mtime, user
            archive.addfile(info, io.BytesIO(text))
    path.write_bytes(gzip.compress(packed.getvalue(), level, mtime=0))
    return path


def test_the_same_bytes(tmp_path: Path) -> None:
    """Equal files have no difference, whatever they hold."""
    for data in (b"", b"no archive"):
        for name in ("1", "2"):
            (tmp_path / name).write_bytes(data)
        assert compare(tmp_path / "1", tmp_path / "2") == Comparison()


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (
            {"a": "1\n2\n3\n"},
            {"a": "1\n9\n3\n"},
            ("a: another text (6 and 6 bytes)", "  line 2 is '2' in the first build", "  line 2 is '9' in the second"),
        ),
        (
            {"a": "1\n2"},
            {"a": "2\n1"},
            (
                "a: another text (3 and 3 bytes): the same lines in another order",
                "  line 1 is '1' in the first build",
                "  line 1 is '2' in the second",
                "  line 2 is '2' in the first build",
                "  line 2 is '1' in the second",
            ),
        ),
        (
            {"a": "1"},
            {"a": "1\n2"},
            (
                "a: another text (1 and 3 bytes)",
                "  line 2 is missing in the first build",
                "  line 2 is '2' in the second",
            ),
        ),
        (
            {"a": "1"},
            {"a": "in /tmp/elsewhere"},
            (
                "a: another text (1 and 17 bytes): the second holds its folder",
                "  line 1 is '1' in the first build",
                "  line 1 is 'in /tmp/elsewhere' in the second",
            ),
        ),
        ({"a": b"\0\1\2"}, {"a": b"\0\1\3\4"}, ("a: other bytes from byte 2 on (3 and 4 bytes)",)),
        (
            {"a": b"\0"},
            {"a": b"\0/tmp/elsewhere"},
            ("a: other bytes from byte 1 on (1 and 15 bytes): the second holds its folder",),
        ),
        ({"a": "1", "b": "2"}, {"a": "1"}, ("b: only in the first build",)),
        ({"a": "1"}, {"a": "1", "b\x1b[31m": "2"}, ("b: only in the second build",)),
        (
            {"a": "1", "b": "2"},
            {"b": "2", "a": "1"},
            ("the same members in another order: number 1 is a in the first build, b in the second",),
        ),
        (
            {"a": LONG + "1"},
            {"a": LONG + "2"},
            (
                "a: another text (201 and 201 bytes)",
                f"  line 1 is '…{LONG[:50]}1' in the first build".replace("'…", "…'"),
                f"  line 1 is …'{LONG[:50]}2' in the second",
            ),
        ),
    ],
    ids=[
        "a line",
        "order of lines",
        "more lines",
        "folder",
        "binary",
        "folder in a binary",
        "gone",
        "new",
        "order",
        "long line",
    ],
)
def test_content(tmp_path: Path, first: Content, second: Content, expected: tuple[str, ...]) -> None:
    """Wheels and sdists show the members that differ: lines of texts, sizes of other files, what is missing, order."""
    for name, write in (("x.whl", wheel), ("x.tar.gz", sdist)):
        one, other = write(tmp_path / "1" / name, first), write(tmp_path / "2" / name, second)
        found = compare(one, other, marks={"/tmp/elsewhere": "its folder"})
        assert found.differences == expected
        assert not found.same


def test_what_is_around_the_content(tmp_path: Path) -> None:
    """Modes, times, owners and the packing of equal contents are compared, too."""
    content: Content = {"a": "1" * 100}
    packings = [f"compression method {method}, flags 0, system 3 in the" for method in (8, 0)]
    wheels: tuple[tuple[dict[str, Any], str], ...] = (
        ({"mode": 0o755}, "mode 0644 in the first build, 0755 in the second"),
        ({"time": LATE}, "time 2020-01-01 00:00:00 in the first build, 2020-01-02 14:00:00 in the second"),
        ({"stored": True}, f"{packings[0]} first build, {packings[1]} second"),
    )
    sdists: tuple[tuple[dict[str, Any], str], ...] = (
        ({"mode": 0o600}, "mode 0644 in the first build, 0600 in the second"),
        ({"mtime": -60}, "time 1970-01-01 00:00:00+00:00 in the first build, 1969-12-31 23:59:00+00:00 in the second"),
        ({"mtime": 60}, "time 1970-01-01 00:00:00+00:00 in the first build, 1970-01-01 00:01:00+00:00 in the second"),
        ({"user": "me"}, "owner 0:0 in the first build, me:0 in the second"),
    )
    one = wheel(tmp_path / "1" / "x.whl", content)
    for number, (options, expected) in enumerate(wheels):
        other = wheel(tmp_path / f"w{number}" / "x.whl", content, **options)
        assert compare(one, other).differences == (f"a: {expected}",)
    one = sdist(tmp_path / "1" / "x.tar.gz", content)
    for number, (options, expected) in enumerate(sdists):
        other = sdist(tmp_path / f"s{number}" / "x.tar.gz", content, **options)
        assert compare(one, other).differences == (f"a: {expected}",)
    packed = sdist(tmp_path / "p" / "x.tar.gz", {"a": "1" * 10_000}, level=9)
    other = sdist(tmp_path / "q" / "x.tar.gz", {"a": "1" * 10_000}, level=1)
    assert "the archive around them differs" in compare(packed, other).differences[0]


@pytest.mark.parametrize(
    ("mode", "content", "masked"),
    [(0o600, "1", True), (0o640, "1", False), (0o644, "1", False), (0o600, "2", False)],
    ids=["by the umask", "by something else", "not at all", "with another content"],
)
def test_modes_that_follow_the_umask(tmp_path: Path, mode: int, content: str, *, masked: bool) -> None:
    """A wheel that only lacks what the second umask takes away is the same, exactly then."""
    one = wheel(tmp_path / "1" / "x.whl", {"a": "1", "b": "1"})
    other = wheel(tmp_path / "2" / "x.whl", {"a": "1", "b": content}, mode=mode)
    found = compare(one, other, umask=0o055)
    assert found.masked is masked
    assert found.same is (masked or mode == 0o644)
    assert not compare(one, other).masked


def test_limits(tmp_path: Path) -> None:
    """Ten members are described, and three lines of each; long members only by their size."""
    many = {f"m{number:02}": "\n".join("1" * 9) for number in range(12)}
    one = wheel(tmp_path / "1" / "x.whl", dict(many))
    other = wheel(tmp_path / "2" / "x.whl", {name: text.replace("1", "2") for name, text in many.items()})
    found = compare(one, other)
    assert found.members == 12
    assert found.differences[-1] == "and 2 more members"
    assert found.differences[:8].count("  and more lines") == 1
    large = "1" * (2 << 20)
    one = wheel(tmp_path / "1" / "x.whl", {"a": large})
    other = wheel(tmp_path / "2" / "x.whl", {"a": large + "2"})
    assert compare(one, other).differences == ("a: other bytes (2,097,152 and 2,097,153 bytes)",)


@pytest.mark.parametrize("name", ["x.whl", "x.tar.gz"])
def test_what_is_no_archive(tmp_path: Path, name: str) -> None:
    """A second build that is no archive is a difference, and no error."""
    one = (wheel if name.endswith("whl") else sdist)(tmp_path / "1" / name, {"a": "1"})
    (tmp_path / "2").mkdir()
    other = tmp_path / "2" / name
    other.write_bytes(b"nothing")
    assert "cannot be read as an archive" in compare(one, other).differences[0]
