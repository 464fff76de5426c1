"""The stage ``public``: a deployment on its own begins with a public release whose manifest is vouched for."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from tests.support.published import FakeForge

from unmoor.artifacts import manifest as manifests
from unmoor.artifacts.belief import Belief
from unmoor.artifacts.manifest import Manifest
from unmoor.core.stage import StageContext
from unmoor.errors import Conflict, Incomplete, Refused, UnmoorError
from unmoor.products import Dists, File, Release
from unmoor.stages.public import FindPublic
from unmoor.util.values import replace

COMMIT = "a" * 40
RELEASE = Release(
    repository="acme/demo",
    project="demo",
    tag="v1.0",
    version="1.0",
    commit=COMMIT,
    date=0,
    prerelease=False,
    highest=True,
)
WHEEL = File(name="demo-1.0-py3-none-any.whl", sha256="0" * 64, size=1, path=Path("x"))
DATA = manifests.encode(Manifest.of(RELEASE, Dists(files=(WHEEL,)), ()))
OTHER = manifests.encode(Manifest.of(replace(RELEASE, commit="b" * 40), Dists(files=(WHEEL,)), ()))


class Forge(FakeForge):
    """A forge with an address."""

    address = "https://forge.invalid/acme/demo"


def look(forge: FakeForge, *believed: bytes, there: str = COMMIT) -> Any:
    """Run the stage, with these documents vouched for and the tag at a commit on the remote."""
    git = SimpleNamespace(remote_tags=lambda: {"v1.0": there}, remote=lambda: "origin")
    tag = SimpleNamespace(by="tag")
    stage = FindPublic(
        release=cast("Any", tag),
        forge=cast("Any", Forge(**vars(forge))),
        git=cast("Any", git),
        belief=Belief(given=frozenset(sha256(each).hexdigest() for each in believed)),
        command="unmoor release v1.0",
    )
    assert "manifest" in stage.plan()
    return stage.make(StageContext({"tag": RELEASE}))


def forge(**assets: bytes) -> FakeForge:
    """A public release with a manifest, or without one."""
    return FakeForge(assets={name.replace("__", "."): data for name, data in assets.items()}, number=1, commit=COMMIT)


def test_a_public_release_with_its_manifest() -> None:
    """The product names the manifest by its sha256."""
    found = look(forge(manifest__json=DATA), DATA)
    assert [(each.what, each.digest) for each in found.held] == [("manifest.json", sha256(DATA).hexdigest())]


@pytest.mark.parametrize(
    ("at", "believed", "there", "kind", "what"),
    [
        (None, DATA, COMMIT, Incomplete, "v1.0 is not public"),
        ({}, DATA, COMMIT, Incomplete, "has no manifest"),
        ({"manifest__json": DATA}, b"", COMMIT, Conflict, "nothing vouches for the manifest"),
        ({"manifest__json": OTHER}, OTHER, COMMIT, Conflict, "at commit bbb"),
        ({"manifest__json": DATA}, DATA, "c" * 40, Refused, "was moved"),
    ],
    ids=["no release", "no manifest", "not vouched for", "another commit", "tag moved"],
)
def test_nothing_is_deployed_of_any_other(
    at: dict[str, bytes] | None, believed: bytes, there: str, kind: type[UnmoorError], what: str
) -> None:
    """Each has its error, with what to do."""
    place = forge(**at) if at is not None else nothing()
    with pytest.raises(kind, match=what) as caught:
        look(place, believed, there=there)
    assert caught.value.next_step


def nothing() -> FakeForge:
    """A forge without the release."""
    return FakeForge(assets={}, number=1, commit=COMMIT, gone=True)
