"""The assets that a release must have, computed from values."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pytest
from tests.support import sample_values

from unmoor.artifacts.files import describe_file
from unmoor.artifacts.manifest import Manifest, encode
from unmoor.artifacts.run_dir import RunFolder
from unmoor.errors import Conflict, Refused
from unmoor.ports.forge import ForgeAsset, ForgeRelease
from unmoor.products import Dists, File, Notes
from unmoor.publish.documents import Documents
from unmoor.publish.file_comparison import Match
from unmoor.publish.release_assets import ASSET_SIZE_LIMIT, ReleaseAssets, compare_asset, same_text, select_draft
from unmoor.util.values import replace

ASSET = ForgeAsset(id=1, name="a.txt", size=1, sha256=None, uploaded=True, url="")
RELEASE = sample_values.sample_release("acme/demo", "demo")
NOTES = Notes(body="Notes", full="Notes", source="a test")


def forge_release(number: int, kind: str) -> ForgeRelease:
    """A release object: ``empty``, ``full``, ``foreign`` (with another text) or ``public``."""
    return ForgeRelease(
        id=number,
        tag="v1.0",
        target="a" * 40,
        name="v1.0",
        body="Somebody's words" if kind == "foreign" else "Notes",
        draft=kind != "public",
        prerelease=False,
        url=f"http://example.org/{number}",
        upload_url="",
        assets=(ASSET,) if kind in {"full", "public"} else (),
    )


@dataclass
class DamagingForge:
    """A forge without digests that serves these bytes, one after the other."""

    served: list[bytes]

    def fetch(self, asset: ForgeAsset, into: Path) -> File:
        """Download the next bytes."""
        path = into / asset.name
        path.write_bytes(self.served.pop(0))
        return describe_file(path)


@pytest.mark.parametrize(
    ("served", "match", "fetched"),
    [([b"a"], Match.SAME, 1), ([b"b", b"a"], Match.SAME, 2), ([b"b", b"b", b"a"], Match.DIFFERENT, 2)],
)
def test_other_bytes_count_if_they_come_twice(served: list[bytes], match: Match, fetched: int) -> None:
    """One damaged download is no conflict."""
    forge = DamagingForge(list(served))
    assert compare_asset(ASSET, sha256(b"a").hexdigest(), forge).match is match  # type: ignore[arg-type]
    assert len(served) - len(forge.served) == fetched


@pytest.mark.parametrize(
    ("kinds", "kept", "spare"),
    [
        ([], None, []),
        (["empty"], 1, []),
        (["foreign"], 1, []),
        (["full"], 1, []),
        (["empty", "empty", "empty"], 1, [2, 3]),
        (["empty", "full"], 2, [1]),
        (["full", "empty"], 1, [2]),
        (["public", "empty"], 1, [2]),
        (["empty", "public"], 2, [1]),
    ],
)
def test_one_release_object_of_a_tag_is_chosen(kinds: list[str], kept: int | None, spare: list[int]) -> None:
    """The one with content is chosen, else the oldest; empty ones of unmoor are spare."""
    choice = select_draft([forge_release(at, kind) for at, kind in enumerate(kinds, 1)][::-1], is_ours="Notes".__eq__)
    assert (choice.chosen.id if choice.chosen else None) == kept
    assert [each.id for each in choice.spare] == spare


@pytest.mark.parametrize(
    "kinds", [["full", "full"], ["full", "foreign"], ["public", "full"], ["empty", "foreign"]], ids=str
)
def test_two_with_content_are_a_conflict(kinds: list[str]) -> None:
    """The error has both URLs, and nothing is chosen."""
    with pytest.raises(Conflict, match=r"example\.org/1.*example\.org/2"):
        select_draft([forge_release(at, kind) for at, kind in enumerate(kinds, 1)], is_ours="Notes".__eq__)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("a\nb\n", "a\r\nb", True),
        ("a  \nb", "a\nb\n\n", True),
        ("a\rb", "a\nb", True),
        ("a b", "a  b", False),
        ("", "\n", True),
        ("a", "", False),
    ],
)
def test_texts_are_compared_as_a_reader_would(one: str, other: str, *, same: bool) -> None:
    """Forges change line endings, which makes no other text."""
    assert same_text(one, other) is same


def documents_of(dists: Dists) -> Documents:
    """The documents of a release of these files."""
    manifest = Manifest.of(RELEASE, dists)
    return Documents(manifest=manifest, manifest_data=encode(manifest))


def file_named(name: str) -> File:
    """A file that no test reads."""
    return File(name=name, sha256=sha256(name.encode()).hexdigest(), size=3, path=Path(name))


@pytest.mark.parametrize("name", ["demo-1.0+local-py3-none-any.whl", "de mo.whl", "démo.whl", "1!1.whl", ""])
def test_a_name_that_the_forge_would_change_is_refused(name: str, tmp_path: Path) -> None:
    """SHA256SUMS would list a file that is not there."""
    dists = Dists(files=(file_named(name),))
    with pytest.raises(Refused, match="the forge would rename"):
        ReleaseAssets.of(documents_of(dists), dists, NOTES, RunFolder(tmp_path))


def test_a_file_above_the_size_limit_is_refused(tmp_path: Path) -> None:
    """A file of 2 GiB is refused before anything is created; one byte less is not."""
    for size in (ASSET_SIZE_LIMIT - 1, ASSET_SIZE_LIMIT):
        dists = Dists(files=(replace(file_named("demo-1.0-py3-none-any.whl"), size=size),))
        with pytest.raises(Refused, match="smaller than 2 GiB") if size == ASSET_SIZE_LIMIT else nullcontext():
            ReleaseAssets.of(documents_of(dists), dists, NOTES, RunFolder(tmp_path))


@pytest.mark.parametrize(
    ("wheels", "foreign", "refused"), [(998, 0, ""), (999, 0, "of"), (990, 8, ""), (990, 9, "room")]
)
def test_too_many_files_are_refused(wheels: int, foreign: int, refused: str, tmp_path: Path) -> None:
    """SHA256SUMS, the manifest and foreign assets count, too."""
    dists = Dists(files=tuple(file_named(f"demo-1.0-{n}-py3-none-any.whl") for n in range(wheels)))
    with pytest.raises(Refused, match="the forge accepts 1000") if refused == "of" else nullcontext():
        bundle = ReleaseAssets.of(documents_of(dists), dists, NOTES, RunFolder(tmp_path))
        theirs = tuple(
            ForgeAsset(id=n + 1, name=f"x{n}.txt", size=1, sha256=None, uploaded=True, url="") for n in range(foreign)
        )
        with pytest.raises(Refused, match="the forge accepts 1000") if refused == "room" else nullcontext():
            bundle.require_room(replace(forge_release(1, "ours"), assets=theirs))


def test_the_sums_name_the_files_and_nothing_is_written(tmp_path: Path) -> None:
    """SHA256SUMS has the form of ``sha256sum -c``; only ``write`` creates files."""
    dists = Dists(files=(file_named("b.whl"), file_named("a.tar.gz")))
    bundle = ReleaseAssets.of(documents_of(dists), dists, NOTES, RunFolder(tmp_path / "run"))
    texts = {path.name: data for path, data in bundle.texts}
    assert texts["SHA256SUMS"].decode().splitlines() == [
        f"{dists.files[1].sha256}  a.tar.gz",
        f"{dists.files[0].sha256}  b.whl",
    ]
    assert not (tmp_path / "run").exists()
    bundle.write(RunFolder(tmp_path / "run"))
    assert all(file.path.read_bytes() == texts[file.name] for file in bundle.files[2:])
