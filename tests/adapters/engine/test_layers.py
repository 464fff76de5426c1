"""Archives of images, honest and hostile."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Iterator, Mapping

import pytest

from unmoor.adapters.engine import layers
from unmoor.adapters.engine.layers import contents_of
from unmoor.errors import InvalidDist, Unknown, UnmoorError
from unmoor.ports.engine import Member

KEY = b"-----BEGIN PRIVATE KEY-----\nx\n"
CONFIG = "1" * 64


def packed(files: Mapping[str, bytes | str]) -> bytes:
    """A tar: bytes are files, text is where a link leads."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            if isinstance(data, str):
                member.type, member.linkname = tarfile.SYMTYPE, data
                archive.addfile(member)
            else:
                member.size = len(data)
                archive.addfile(member, io.BytesIO(data))
    return made.getvalue()


def listed(*names: str, config: str = f"{CONFIG}.json") -> bytes:
    """The list of layers of one image."""
    return json.dumps([{"Config": config, "RepoTags": None, "Layers": list(names)}]).encode()


def pieces(data: bytes, size: int = 1000) -> Iterator[bytes]:
    """The stream as it comes."""
    return (data[at : at + size] for at in range(0, len(data), size))


def read(files: Mapping[str, bytes | str]) -> tuple[Member, ...]:
    """The files of the one image in an archive."""
    (found,) = contents_of(pieces(packed(files))).values()
    return found


ONE, TWO = packed({"etc/key": KEY, "a": b"x" * 5000}), packed({"./b": b"", "link": "a", ".wh.a": b""})
EXPECTED = (
    Member(layer=0, path="etc/key", size=len(KEY), holds="private key"),
    Member(layer=0, path="a", size=5000),
    Member(layer=1, path="b", size=0),
    Member(layer=1, path="link", size=0),
    Member(layer=1, path=".wh.a", size=0),
)


@pytest.mark.parametrize(
    "files",
    [
        {
            "1/layer.tar": ONE,
            "1/json": b"{}",
            "2/layer.tar": TWO,
            "manifest.json": listed("1/layer.tar", "2/layer.tar"),
        },
        {"manifest.json": listed("1/layer.tar", "2/layer.tar"), "2/layer.tar": TWO, "1/layer.tar": ONE},
        {"0/layer.tar": ONE, "1/layer.tar": "../0/layer.tar", "2/layer.tar": TWO}
        | {"manifest.json": listed("1/layer.tar", "2/layer.tar")},
        {
            "aa.tar": ONE,
            "bb.tar": TWO,
            "1/layer.tar": "../aa.tar",
            "1/json": b"{}",
            "manifest.json": listed("aa.tar", "bb.tar"),
        },
        {
            "blobs/sha256/aa": ONE,
            "blobs/sha256/bb": gzip.compress(TWO),
            "blobs/sha256/cc": b'{"config": {}}',
            "index.json": b"{}",
            "manifest.json": listed("blobs/sha256/aa", "blobs/sha256/bb", config=f"blobs/sha256/{CONFIG}"),
        },
    ],
    ids=["first-form", "list-first", "linked", "podman", "oci-layout"],
)
def test_every_form_gives_the_same_files(files: Mapping[str, bytes | str]) -> None:
    """The layers are told in their order, whatever the order of the stream."""
    assert read(files) == EXPECTED
    assert list(contents_of(pieces(packed(files)))) == [f"sha256:{CONFIG}"]


def test_shared_layers() -> None:
    """Two images over one layer are both told in full."""
    images = [
        {"Config": f"{number * 64}.json", "Layers": ["1/layer.tar", *more]}
        for number, more in (("1", []), ("2", ["2/layer.tar"]))
    ]
    data = packed({"1/layer.tar": ONE, "2/layer.tar": TWO, "manifest.json": json.dumps(images).encode()})
    found = contents_of(pieces(data))
    assert found["sha256:" + "1" * 64] == EXPECTED[:2]
    assert found["sha256:" + "2" * 64] == EXPECTED


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({}, "lists no layers"),
        ({"1/layer.tar": ONE}, "lists no layers"),
        ({"manifest.json": listed("1/layer.tar")}, "lacks the layer 1/layer.tar"),
        ({"manifest.json": listed("1/layer.tar"), "1/layer.tar": "../1/layer.tar"}, "lacks the layer"),
        ({"manifest.json": b"x"}, "cannot read"),
        ({"manifest.json": b"[1]"}, "cannot read"),
        ({"manifest.json": b"{}"}, "lists no layers|cannot read"),
        ({"manifest.json": b"[" * 100_000}, "cannot read"),
        ({"1/layer.tar": b"x" * 2000, "manifest.json": listed("1/layer.tar")}, "cannot read"),
        ({"1/layer.tar": gzip.compress(ONE)[:-20], "manifest.json": listed("1/layer.tar")}, "cannot read"),
    ],
    ids=["empty", "no-list", "no-layer", "own-link", "no-json", "numbers", "object", "deep", "noise", "cut"],
)
def test_broken_archives(files: Mapping[str, bytes | str], told: str) -> None:
    """An archive that cannot be read is never taken for an image without files."""
    with pytest.raises(Unknown, match=told):
        contents_of(pieces(packed(files)))


def test_a_stream_that_ends_early() -> None:
    """Half an archive is none."""
    data = packed({"1/layer.tar": ONE, "manifest.json": listed("1/layer.tar")})
    with pytest.raises(Unknown):
        contents_of(pieces(data[: len(data) // 2]))


def test_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Too many files and too many bytes are refused while they come."""
    files = {"1/layer.tar": ONE, "manifest.json": listed("1/layer.tar")}
    monkeypatch.setattr(layers, "COUNT_LIMIT", 1)
    with pytest.raises(InvalidDist, match="more than 1 files"):
        read(files)
    with pytest.raises(UnmoorError, match="too large"):
        layers.ChunkReader(pieces(bytes(5000)), limit=100).read()
