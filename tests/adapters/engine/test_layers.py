"""Archives of images, valid and malformed."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Generator, Iterator, Mapping, Sequence
from typing import Any, cast

import pytest

from unmoor.adapters.engine import DockerEngine, layers
from unmoor.adapters.engine.layers import contents_of
from unmoor.errors import InvalidDist, Unknown, UnmoorError
from unmoor.ports.engine import Member

KEY = b"-----BEGIN PRIVATE KEY-----\nx\n"
CONFIG = "1" * 64


def tar(files: Mapping[str, bytes | str]) -> bytes:
    """Return a tar: bytes are the content of a file, text is the target of a link."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            if isinstance(data, str):
                member.type, member.linkname = tarfile.SYMTYPE, data
                archive.addfile(member)
            else:
                member.size = len(data)
                archive.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


def layer_list(*names: str, config: str = f"{CONFIG}.json") -> bytes:
    """Return the list of layers of one image."""
    return json.dumps([{"Config": config, "RepoTags": None, "Layers": list(names)}]).encode()


def chunks(data: bytes, size: int = 1000) -> Iterator[bytes]:
    """Return the stream in chunks."""
    return (data[at : at + size] for at in range(0, len(data), size))


def read(files: Mapping[str, bytes | str]) -> tuple[Member, ...]:
    """Return the files of the only image in an archive."""
    (found,) = contents_of(chunks(tar(files))).values()
    return found


ONE, TWO = tar({"etc/key": KEY, "a": b"x" * 5000}), tar({"./b": b"", "link": "a", ".wh.a": b""})
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
            "manifest.json": layer_list("1/layer.tar", "2/layer.tar"),
        },
        {"manifest.json": layer_list("1/layer.tar", "2/layer.tar"), "2/layer.tar": TWO, "1/layer.tar": ONE},
        {"0/layer.tar": ONE, "1/layer.tar": "../0/layer.tar", "2/layer.tar": TWO}
        | {"manifest.json": layer_list("1/layer.tar", "2/layer.tar")},
        {
            "aa.tar": ONE,
            "bb.tar": TWO,
            "1/layer.tar": "../aa.tar",
            "1/json": b"{}",
            "manifest.json": layer_list("aa.tar", "bb.tar"),
        },
        {
            "blobs/sha256/aa": ONE,
            "blobs/sha256/bb": gzip.compress(TWO),
            "blobs/sha256/cc": b'{"config": {}}',
            "index.json": b"{}",
            "manifest.json": layer_list("blobs/sha256/aa", "blobs/sha256/bb", config=f"blobs/sha256/{CONFIG}"),
        },
    ],
    ids=["docker-24", "list-first", "linked", "podman", "oci-layout"],
)
def test_every_layout_has_the_same_files(files: Mapping[str, bytes | str]) -> None:
    """The layers are in their order, whatever the order of the stream."""
    assert read(files) == EXPECTED
    assert list(contents_of(chunks(tar(files)))) == [f"sha256:{CONFIG}"]


def test_shared_layers() -> None:
    """If two images share a layer, both have all their files."""
    images = [
        {"Config": f"{number * 64}.json", "Layers": ["1/layer.tar", *more]}
        for number, more in (("1", []), ("2", ["2/layer.tar"]))
    ]
    data = tar({"1/layer.tar": ONE, "2/layer.tar": TWO, "manifest.json": json.dumps(images).encode()})
    found = contents_of(chunks(data))
    assert found["sha256:" + "1" * 64] == EXPECTED[:2]
    assert found["sha256:" + "2" * 64] == EXPECTED


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "lists no layers"),
        ({"1/layer.tar": ONE}, "lists no layers"),
        ({"manifest.json": layer_list("1/layer.tar")}, "lacks the layer 1/layer.tar"),
        ({"manifest.json": layer_list("1/layer.tar"), "1/layer.tar": "../1/layer.tar"}, "lacks the layer"),
        ({"manifest.json": b"x"}, "cannot read"),
        ({"manifest.json": b"[1]"}, "cannot read"),
        ({"manifest.json": b"{}"}, "lists no layers|cannot read"),
        ({"manifest.json": b"[" * 100_000}, "cannot read"),
        ({"1/layer.tar": b"x" * 2000, "manifest.json": layer_list("1/layer.tar")}, "cannot read"),
        ({"1/layer.tar": gzip.compress(ONE)[:-20], "manifest.json": layer_list("1/layer.tar")}, "cannot read"),
    ],
    ids=["empty", "no-list", "no-layer", "own-link", "no-json", "numbers", "object", "deep", "noise", "cut"],
)
def test_broken_archives(files: Mapping[str, bytes | str], message: str) -> None:
    """A malformed archive never counts as an image without files."""
    with pytest.raises(Unknown, match=message):
        contents_of(chunks(tar(files)))


def test_a_stream_that_ends_early() -> None:
    """Half of an archive is an error."""
    data = tar({"1/layer.tar": ONE, "manifest.json": layer_list("1/layer.tar")})
    with pytest.raises(Unknown):
        contents_of(chunks(data[: len(data) // 2]))


def test_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Too many files or bytes stop the read."""
    files = {"1/layer.tar": ONE, "manifest.json": layer_list("1/layer.tar")}
    monkeypatch.setattr(layers, "COUNT_LIMIT", 1)
    with pytest.raises(InvalidDist, match="more than 1 files"):
        read(files)
    with pytest.raises(UnmoorError, match="too large"):
        layers.ChunkReader(chunks(bytes(5000)), limit=100).read()


@pytest.mark.parametrize("ids", [["1"], ["2"], ["1", "2"], ["2", "1"], ["1", "1"]], ids="".join)
@pytest.mark.parametrize("named_by", ["configuration", "manifest"])
def test_an_engine_names_images_by_their_configuration_or_their_manifest(ids: list[str], named_by: str) -> None:
    """Archives list configurations; with containerd's image store the ids are those of manifests, also for several."""
    asked: list[list[str]] = []
    one = {"1": ["1/layer.tar"], "2": ["1/layer.tar", "2/layer.tar"]}
    names = {f"sha256:{each * 64}": each for each in one}
    if named_by == "manifest":
        names = {f"sha256:{letter * 64}": each for letter, each in zip("ab", one, strict=True)}

    class Engine(DockerEngine):
        """An engine whose archives have these layers."""

        def _archive(self, names_: Sequence[str]) -> Generator[bytes, None, None]:
            asked.append(list(names_))
            images = [{"Config": f"{names[each] * 64}.json", "Layers": one[names[each]]} for each in names_]
            listed = json.dumps(images).encode()
            yield tar({"1/layer.tar": ONE, "2/layer.tar": TWO, "manifest.json": listed})

    wanted = {name: EXPECTED if each == "2" else EXPECTED[:2] for name, each in names.items() if each in ids}
    engine = Engine(shell=cast("Any", None), processes=cast("Any", None))
    known = {each: name for name, each in names.items()}
    assert engine.contents([known[each] for each in ids]) == wanted
    assert len(asked) == (1 if named_by == "configuration" or len(wanted) == 1 else 3)
