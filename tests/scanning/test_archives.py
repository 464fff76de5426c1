"""Built files are searched member by member, within limits; what cannot be read to its end is said."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.sample_projects import write_wheel
from tests.support.secrets_of_tests import SECRETS

from unmoor.artifacts.files import describe_file
from unmoor.dists.checks.archives import Limits
from unmoor.products import File, Level
from unmoor.scanning.archives import Unscannable, scan_file
from unmoor.util.values import replace

Make = Callable[..., File]
KEY, TOKEN = SECRETS["private-key"], SECRETS["github-token"]


def wheel(folder: Path, **content: str) -> File:
    """Write a wheel with these members."""
    path = folder / "demo-1.0-py3-none-any.whl"
    write_wheel(path, "demo", content)
    return describe_file(path)


def sdist(folder: Path, **content: str) -> File:
    """Write an sdist with these members, one of them a link."""
    path = folder / "demo-1.0.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        link = tarfile.TarInfo("demo-1.0/link")
        link.type, link.linkname = tarfile.SYMTYPE, "setup.py"
        archive.addfile(link)
        for name, text in content.items():
            member = tarfile.TarInfo(f"demo-1.0/{name}")
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
    return describe_file(path)


def found(file: File) -> list[tuple[str, str, int]]:
    """Return level, id and line of each finding."""
    return [(each.level.value, each.id, each.line) for each in scan_file(file)]


@pytest.mark.parametrize("make", [wheel, sdist])
def test_findings_name_the_member(tmp_path: Path, make: Make) -> None:
    """A finding has the rule and the path in the file, which is the same in every version, and its line."""
    content = {"demo/a.py": f"\n\nt = '{TOKEN}'", "demo/b.py": "pass", "demo/c.pem": KEY, "demo/d": f"{TOKEN}\n{TOKEN}"}
    assert found(make(tmp_path, **content)) == [
        ("error", "github-token:demo/a.py", 3),
        ("error", "private-key:demo/c.pem", 1),
        ("error", "github-token:demo/d", 1),
    ]


@pytest.mark.parametrize("make", [wheel, sdist])
def test_nothing(tmp_path: Path, make: Make) -> None:
    """Files without a secret have no finding."""
    assert found(make(tmp_path, **{"demo/__init__.py": "x = 1\n", "demo/empty": ""})) == []


@pytest.mark.parametrize(
    ("path", "level"),
    [
        ("tests/server.key", Level.NOTE),
        ("src/demo/test/server.pem", Level.NOTE),
        ("docs/conf.py", Level.NOTE),
        ("demo/examples/a.pem", Level.NOTE),
        ("demo/test_tls.py", Level.NOTE),
        ("demo/tls_test.py", Level.NOTE),
        ("demo/server.key", Level.ERROR),
        ("demo/testimony/server.key", Level.ERROR),
        ("demo/contest.key", Level.ERROR),
    ],
)
def test_keys_of_tests_are_samples(tmp_path: Path, path: str, level: Level) -> None:
    """A private key that only tests, examples or documentation read is listed; a token there counts."""
    both = list(scan_file(sdist(tmp_path, **{path: f"{KEY}{TOKEN}"})))
    assert {each.rule: each.level for each in both} == {"private-key": level, "github-token": Level.ERROR}


@pytest.mark.parametrize("make", [wheel, sdist])
def test_a_large_member(tmp_path: Path, make: Make) -> None:
    """A secret deep in a large member is found, by its line."""
    text = "0123456789\n" * 200_000 + TOKEN
    file = make(tmp_path, **{"demo/data.txt": text})
    assert [each.line for each in scan_file(file, Limits(ratio=10**6))] == [200_001]


def _cut(file: File) -> File:
    file.path.write_bytes(file.path.read_bytes()[:-200])
    return describe_file(file.path)


@pytest.mark.parametrize("make", [wheel, sdist])
def test_what_cannot_be_read(tmp_path: Path, make: Make) -> None:
    """A changed, a cut and an overlong file are never taken for clean."""
    file = make(tmp_path, **{"demo/a.txt": "".join(str(each) for each in range(5000))})
    with pytest.raises(Unscannable, match="unpacks to more"):
        list(scan_file(file, Limits(ratio=0, ratio_from=100)))
    with pytest.raises(Unscannable, match="bytes changed"):
        list(scan_file(replace(file, sha256="0" * 64)))
    with pytest.raises(Unscannable):
        list(scan_file(_cut(file)))
    file.path.unlink()
    with pytest.raises(Unscannable, match="it is gone"):
        list(scan_file(file))


def test_an_encrypted_member(tmp_path: Path) -> None:
    """A member that nobody can read without a password is said."""
    file = wheel(tmp_path, **{"demo/a.py": "x"})
    data = bytearray(file.path.read_bytes())
    with zipfile.ZipFile(file.path) as archive:
        start = archive.start_dir
    data[start + 8] |= 1
    file.path.write_bytes(data)
    with pytest.raises(Unscannable, match="encrypted"):
        list(scan_file(describe_file(file.path)))
