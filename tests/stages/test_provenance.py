"""The stage ``provenance``: the run folder has one statement, which says what the manifest says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.support.sample_values import sample_release

from unmoor.artifacts.manifest import Manifest, decode, encode
from unmoor.artifacts.run_dir import RunFolder
from unmoor.core.stage import Output, StageContext
from unmoor.products import Dists, File, Tool
from unmoor.stages.provenance import DescribeBuild

RELEASE = sample_release()
DISTS = Dists(
    files=(File(name="small_one-1.0.tar.gz", sha256="1" * 64, size=1, path=Path("x")),),
    tools=(Tool(name="hatchling", version="1.32", sha256="3" * 64), Tool(name="python", version="3.13.1")),
    decisions=("formats = sdist",),
)


def stage(folder: Path) -> DescribeBuild:
    """Return the stage for a run folder."""
    return DescribeBuild(release=Output("tag"), dists=Output("dists"), folder=RunFolder(folder))


def context(dists: Dists = DISTS, said: list[str] | None = None) -> StageContext:
    """Return the products that the stage needs."""
    said = [] if said is None else said
    return StageContext({"tag": RELEASE, "dists": dists}, say=said.append)


def test_another_job_finds_what_the_build_wrote(tmp_path: Path) -> None:
    """It knows the files and tools by the manifest that was handed to it, and comes to the same bytes."""
    assert stage(tmp_path).find(context()) is None
    made = stage(tmp_path).make(context())
    assert (tmp_path / "provenance.json").read_bytes() == made.statement
    handed = decode(encode(Manifest.of(RELEASE, DISTS)), where="").dists(tmp_path / "dists")
    assert stage(tmp_path).find(context(handed)) == made
    elsewhere = stage(tmp_path / "elsewhere")
    assert elsewhere.find(context(handed)) is None
    assert elsewhere.make(context(handed)) == made


@pytest.mark.parametrize("planted", [b"", b"{}", b"garbage", b"of another tool"])
def test_a_statement_that_says_something_else_does_not_count(tmp_path: Path, planted: bytes) -> None:
    """Whoever can write to the run folder cannot change what is signed: the manifest decides."""
    made = stage(tmp_path).make(context())
    if planted.startswith(b"of"):
        planted = made.statement.replace(b"hatchling", b"evil")
        assert json.loads(planted)
    (tmp_path / "provenance.json").write_bytes(planted)
    assert stage(tmp_path).find(context()) is None
    said: list[str] = []
    assert stage(tmp_path).make(context(said=said)) == made
    assert "says something else than the manifest" in said[0]
    assert (tmp_path / "provenance.json").read_bytes() == made.statement


def test_a_manifest_without_digests_is_as_before() -> None:
    """The digest of a tool is written only if it is known, so that older manifests stay the same bytes."""
    text = encode(Manifest.of(RELEASE, DISTS)).decode()
    assert text.count("sha256") == 2
    assert '"sha256": "' + "3" * 64 in text
