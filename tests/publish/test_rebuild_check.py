"""Whether a published release can be built again: which one it is, what it was built with, and the answer."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest
from tests.support.sample_values import sample_release

from unmoor.artifacts import manifest as manifests
from unmoor.artifacts.manifest import Manifest
from unmoor.config.groups import BuildOptions
from unmoor.errors import Conflict, Incomplete, Unknown, UnmoorError
from unmoor.ports.forge import ForgeAsset, ForgeRelease
from unmoor.products import Dists, File, Tool
from unmoor.publish.rebuild_check import (
    CODES,
    Rebuilt,
    RebuiltFile,
    _judge,
    check_rebuild,
    options_of,
    published_manifest,
    release_of,
    worst,
)
from unmoor.util.values import replace

RELEASE = sample_release()
FILE = File(name="demo-1.0.tar.gz", sha256="1" * 64, size=1, path=Path("demo-1.0.tar.gz"))
MANIFEST = Manifest.of(RELEASE, Dists(files=(FILE,), tools=(Tool(name="uv", version="0"),)))
ASSET = ForgeAsset(id=1, name=manifests.NAME, size=1, sha256=None, uploaded=True, url="there")


def there(*assets: ForgeAsset) -> ForgeRelease:
    """A public release with these assets."""
    return ForgeRelease(
        id=1,
        tag=RELEASE.tag,
        target="",
        name="",
        body="",
        draft=False,
        prerelease=False,
        url="https://forge.test/r",
        upload_url="",
        assets=assets,
    )


class OneRelease:
    """A forge with at most one public release, whose manifest holds ``data``."""

    address = "https://forge.test"

    def __init__(self, release: ForgeRelease | None, data: bytes = b"") -> None:
        self.release = release
        self.data = data

    def public(self, _tag: str) -> ForgeRelease | None:
        """The release."""
        return self.release

    def fetch(self, asset: ForgeAsset, into: Path) -> File:
        """Download the manifest."""
        path = into / asset.name
        path.write_bytes(self.data)
        return File(name=asset.name, sha256="", size=0, path=path)


@pytest.mark.parametrize(
    ("release", "data", "error"),
    [
        (None, b"", Incomplete),
        (there(), b"", Incomplete),
        (there(ASSET), b"no JSON", Unknown),
        (there(ASSET), manifests.encode(MANIFEST), None),
    ],
    ids=["no release", "no manifest", "garbage", "a manifest"],
)
def test_the_published_manifest(release: ForgeRelease | None, data: bytes, error: type[UnmoorError] | None) -> None:
    """A release without a manifest is not one of unmoor; a manifest that cannot be read is unknown."""
    forge = cast("Any", OneRelease(release, data))
    if error is None:
        assert published_manifest(forge, RELEASE.tag)[1] == MANIFEST
    else:
        with pytest.raises(error):
            published_manifest(forge, RELEASE.tag)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({}, None),
        ({"tag": "v9"}, Conflict),
        ({"commit": "f" * 40}, Conflict),
        ({"settings": "own.toml sha256:1"}, Unknown),
    ],
)
def test_which_release_it_is(changes: dict[str, str], error: type[UnmoorError] | None) -> None:
    """The tag of the repository and the manifest have to name one commit, and the settings have to be the same."""
    given: dict[str, Any] = {"tag": RELEASE.tag, "commit": RELEASE.commit, "settings": "", **changes}
    if error is None:
        found = release_of(MANIFEST, date=RELEASE.date, where="", **given)
        assert replace(found, highest=RELEASE.highest, previous=RELEASE.previous) == RELEASE
    else:
        with pytest.raises(error):
            release_of(MANIFEST, date=RELEASE.date, where="", **given)


@pytest.mark.parametrize(
    ("files", "decisions", "expected"),
    [
        ((FILE,), (), BuildOptions(formats=("sdist",))),
        ((FILE, replace(FILE, name="demo-1.0-py3-none-any.whl")), (), BuildOptions()),
        ((replace(FILE, name="demo-1.0-py3-none-any.whl"),), (), BuildOptions(formats=("wheel",))),
        ((FILE,), ("normalize-sdist = false",), BuildOptions(formats=("sdist",), normalize_sdist=False)),
        (
            (FILE, replace(FILE, name="demo-1.0-py3-none-any.whl")),
            ("wheel-from = tree",),
            BuildOptions(wheel_from="tree"),
        ),
    ],
)
def test_how_the_files_were_built(files: tuple[File, ...], decisions: tuple[str, ...], expected: BuildOptions) -> None:
    """What the manifest records goes before the settings of the commit, which a variable may have replaced."""
    manifest = Manifest.of(RELEASE, Dists(files=files, decisions=decisions))
    for settings in (BuildOptions(), BuildOptions(formats=("wheel",), wheel_from="tree", normalize_sdist=False)):
        assert options_of(manifest, settings) == expected


def test_the_answer_for_a_release() -> None:
    """One difference decides; without one, a file that is not known leaves the release unknown, as no file does."""
    files = {state: RebuiltFile(name=state, sha256="", state=state) for state in Rebuilt}
    rows = {
        (): Rebuilt.UNKNOWN,
        (Rebuilt.SAME, Rebuilt.SAME): Rebuilt.SAME,
        (Rebuilt.SAME, Rebuilt.UNKNOWN): Rebuilt.UNKNOWN,
        (Rebuilt.UNKNOWN, Rebuilt.DIFFERENT, Rebuilt.SAME): Rebuilt.DIFFERENT,
    }
    for states, expected in rows.items():
        assert worst(tuple(files[state] for state in states)) is expected
    assert [CODES[state] for state in Rebuilt] == [0, 8, 10]
    assert _judge(FILE, "why", None).note == "why"


def test_a_commit_that_cannot_be_built_here(tmp_path: Path) -> None:
    """The failure of a build says nothing of how the published files were built: they are unknown, with the reason."""

    class Fails:
        """A builder that fails."""

        options = cast("Any", type("Options", (), {"formats": ("sdist",)}))
        backend = cast("Any", type("Backend", (), {"tools": lambda _: (Tool(name="uv", version="1"),)})())

        def build(self, *_: object, **__: object) -> None:
            """Fail."""
            raise Unknown("no network\nat all")

    warned: list[str] = []
    files = check_rebuild(
        MANIFEST,
        RELEASE,
        there(),
        cast("Any", type("Fetched", (), {"fetch_all": lambda *_: True})()),
        builder=cast("Any", Fails()),
        folder=cast("Any", type("Folder", (), {"dists": tmp_path})()),
        say=lambda _: None,
        warn=warned.append,
    )
    assert [(file.state, file.note) for file in files] == [(Rebuilt.UNKNOWN, "cannot be built here: no network")]
    assert warned[0] == "uv is 1 here, and was 0 in the release"
    assert "at all" in warned[1]
