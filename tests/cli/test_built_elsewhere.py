"""What files that were built elsewhere say about the release to rehearse, and whether they count."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.support import sample_values

from unmoor.artifacts import manifest as manifests
from unmoor.artifacts.manifest import Manifest
from unmoor.artifacts.merge import Handover
from unmoor.artifacts.notebook import StateNotebook
from unmoor.cli import built_elsewhere
from unmoor.cli.app import cli
from unmoor.cli.run_options import FileOptions
from unmoor.errors import Incomplete, Refused
from unmoor.products import Dists

RELEASE = sample_values.sample_release()


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state folder of its own."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state"


@pytest.mark.parametrize(
    ("names", "version"),
    [
        (["p-1.2-cp311-cp311-linux_x86_64.whl"], "1.2"),
        (["p-1.2-cp39-abi3-manylinux_2_28_x86_64.whl", "p-1.2-cp313-cp313t-musllinux_1_2_x86_64.whl"], "1.2"),
        (["P_q-1.2.0-py3-none-any.whl", "p_q-1.2.tar.gz", "build.log"], "1.2"),
        (["p-1.2.dev3+g1-py3-none-any.whl"], "1.2.dev3+g1"),
        (["not a name.whl"], None),
        (["p-1.2-py3-none-any.whl", "p-1.3-py3-none-any.whl"], Refused),
        (["p-1.2-py3-none-any.whl", "numpy-2.0-cp311-cp311-linux_x86_64.whl"], Refused),
        (["build.log"], Incomplete),
        ([], Incomplete),
    ],
)
def test_version_of_built_files(tmp_path: Path, names: list[str], version: str | type[Exception] | None) -> None:
    """All files must be of one release; what is no release file does not matter."""
    for name in names:
        (tmp_path / name).touch()
    files = FileOptions(prebuilt=tmp_path)
    if isinstance(version, type):
        with pytest.raises(version) as caught:
            built_elsewhere.read(files, tmp_path)
        assert str(tmp_path) in str(caught.value)
        return
    built = built_elsewhere.read(files, tmp_path).built
    assert (None if built is None else str(built.version).removesuffix(".0")) == version


@pytest.mark.usefixtures("state")
@pytest.mark.parametrize("why", ["the sha256 was given", "this account wrote it", ""])
def test_a_manifest_that_was_handed_over(tmp_path: Path, why: str) -> None:
    """Its tag is rehearsed if something vouches for it; a rehearsal notes nothing."""
    data = manifests.encode(Manifest.of(RELEASE, Dists(files=())))
    (tmp_path / manifests.NAME).write_bytes(data)
    digest = hashlib.sha256(data).hexdigest()
    key = (RELEASE.repository, RELEASE.tag, RELEASE.commit)
    notebook = StateNotebook.of(*key, checkout=tmp_path / "checkout")
    if why == "this account wrote it":
        notebook.remember(digest, document="manifest.json")
    files = FileOptions(handed=(Handover.of(tmp_path),), digests=(digest,) if why == "the sha256 was given" else ())
    if not why:
        with pytest.raises(Refused, match="nothing vouches for this document"):
            built_elsewhere.read(files, tmp_path / "checkout")
        return
    found = built_elsewhere.read(files, tmp_path / "checkout")
    assert found.tag == RELEASE.tag
    found.belief.remember(b"made in the rehearsal", document="manifest.json")
    assert found.belief.vouches_for(b"made in the rehearsal")
    assert not notebook.remembers(hashlib.sha256(b"made in the rehearsal").hexdigest())


@pytest.mark.parametrize(("content", "error"), [(None, "there is no manifest"), (b"{", "nothing vouches")])
def test_a_manifest_that_says_nothing(tmp_path: Path, content: bytes | None, error: str) -> None:
    """A missing or broken manifest is an error of its own, with the place."""
    if content is not None:
        (tmp_path / manifests.NAME).write_bytes(content)
    files = FileOptions(handed=(Handover.of(tmp_path),))
    with pytest.raises((Incomplete, Refused), match=error) as caught:
        built_elsewhere.read(files, tmp_path)
    assert str(tmp_path / manifests.NAME) in str(caught.value)


def test_files_of_the_last_rehearsal(tmp_path: Path) -> None:
    """A rehearsal empties its folder first, so files inside it are refused."""
    inside = tmp_path / ".unmoor" / "rehearsal" / "checkout" / ".unmoor" / "v1"
    for files in (
        FileOptions(prebuilt=inside / "dists"),
        FileOptions(handed=(Handover.of(inside),)),
        FileOptions(legs=(inside,)),
    ):
        with pytest.raises(Refused, match="removing the files of the last one") as caught:
            built_elsewhere.refuse_inside(files, tmp_path / ".unmoor" / "rehearsal")
        assert "copy it to another place" in caught.value.next_step
    built_elsewhere.refuse_inside(FileOptions(prebuilt=tmp_path / ".unmoor" / "v1"), tmp_path / ".unmoor" / "rehearsal")


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--built", ".", "--dists", "."], "--built and --dists cannot be used together"),
        (["--leg", ".", "--without-images"], "--without-images and --leg cannot be used together"),
        (["--manifest-sha256", ""], "an empty value is not a sha256"),
        (["--dists", ".", "--dists", ".", "--manifest", "m"], "--manifest is given 1 times and --dists 2 times"),
        (["--built", "nowhere"], "'nowhere' does not exist"),
    ],
)
def test_usage(args: list[str], words: str) -> None:
    """The options mean the same as those of ``unmoor release``, and so do the errors."""
    result = CliRunner().invoke(cli, ["rehearse", *args])
    assert result.exit_code == 2
    assert words in result.stderr
