"""An archive of another job gives no image a name that a build or a user might use."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from unmoor.errors import Conflict
from unmoor.images.archive_names import require_local_names

OURS = "unmoor.local/ghcr.io/acme/demo:sha-0123456789ab-linux-amd64"
BASE = "python:3.13-slim"


def saved(*names: str) -> list[dict[str, Any]]:
    """The list of images in an archive."""
    return [{"Config": "blobs/sha256/1", "RepoTags": list(names), "Layers": []}]


def index(name: str, key: str = "io.containerd.image.name") -> dict[str, Any]:
    """The index of an OCI layout with one image."""
    return {"schemaVersion": 2, "manifests": [{"digest": "sha256:1", "annotations": {key: name}}]}


def archive(path: Path, *members: tuple[str, Any]) -> Path:
    """Write an archive. A member whose content is a path is a link to it."""
    with tarfile.open(path, "w") as tar:
        for name, content in members:
            entry = tarfile.TarInfo(name)
            if isinstance(content, Path):
                entry.type, entry.linkname = tarfile.SYMTYPE, str(content)
                tar.addfile(entry)
                continue
            data = content if isinstance(content, bytes) else json.dumps(content).encode()
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return path


@pytest.mark.parametrize(
    "members",
    [
        [("manifest.json", saved(OURS))],
        [("manifest.json", saved(OURS, f"{OURS}-dev")), ("repositories", {OURS.rpartition(":")[0]: {"x": "1"}})],
        [("manifest.json", saved(OURS)), ("index.json", index(OURS)), ("blobs/sha256/1", b"{}")],
        [("index.json", index("sha-0123456789ab", "org.opencontainers.image.ref.name"))],
        [("manifest.json", [{"Config": "x", "RepoTags": None, "Layers": []}])],
    ],
    ids=["saved", "two", "both lists", "a bare tag", "no name"],
)
def test_an_archive_of_ours(tmp_path: Path, members: list[tuple[str, Any]]) -> None:
    """Names below the local prefix are fine."""
    require_local_names(archive(tmp_path / "images.tar", *members))


@pytest.mark.parametrize(
    "members",
    [
        [("manifest.json", saved(OURS, BASE))],
        [("manifest.json", saved(OURS)), ("manifest.json", saved(BASE))],
        [("./manifest.json", saved(BASE))],
        [("x/../manifest.json", saved(BASE))],
        [("/manifest.json", saved(BASE))],
        [("manifest.json", saved(OURS)), ("repositories", {"python": {"3.13-slim": "1"}})],
        [("manifest.json", saved(OURS)), ("index.json", index(f"docker.io/library/{BASE}"))],
        [("index.json", index(BASE, "org.opencontainers.image.ref.name"))],
        [("manifest.json", saved("unmoor.local.example.org/x:1"))],
        [("other.json", saved(BASE)), ("manifest.json", Path("other.json"))],
        [("manifest.json", b"{")],
        [("manifest.json", b"[1]")],
        [("manifest.json", b"[" * 5000)],
        [("manifest.json", b" " * 1_000_001)],
    ],
    ids=[
        *("one more", "listed twice", "dot", "detour", "slash", "repositories", "index", "reference", "near"),
        *("link", "broken", "shape", "deep", "huge"),
    ],
)
def test_an_archive_with_another_name(tmp_path: Path, members: list[tuple[str, Any]]) -> None:
    """A name of a base image, wherever an engine would read it, and a list that cannot be read are refused."""
    with pytest.raises(Conflict) as caught:
        require_local_names(archive(tmp_path / "images.tar", *members))
    assert caught.value.next_step


@pytest.mark.parametrize("data", [b"", b"no archive", b"\x1f\x8b\x08compressed"])
def test_no_archive(tmp_path: Path, data: bytes) -> None:
    """What is no archive, or a compressed one, which unmoor never writes, is refused."""
    (tmp_path / "images.tar").write_bytes(data)
    with pytest.raises(Conflict, match="not an archive of images"):
        require_local_names(tmp_path / "images.tar")
