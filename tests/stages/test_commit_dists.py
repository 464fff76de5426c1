"""The stage ``commit-dists`` describes what the stage ``commit`` has built."""

from __future__ import annotations

from pathlib import Path

from tests.support.sample_projects import write_wheel
from tests.support.sample_values import sample_release

from unmoor.artifacts.run_dir import RunFolder
from unmoor.core.stage import Output, StageContext
from unmoor.products import Release
from unmoor.stages.commit_dists import TakeCommitDists


def test_every_file(tmp_path: Path) -> None:
    """Wheels come first, in the order of their names, whatever the order of the folder."""
    folder = RunFolder(tmp_path / "run")
    folder.dists.mkdir(parents=True)
    (folder.dists / "demo-1.0.dev1.tar.gz").write_bytes(b"sdist")
    for python in ("py3", "cp312"):
        write_wheel(folder.dists / f"demo-1.0.dev1-{python}-none-any.whl", "demo", {}, "1.0.dev1")
    release: Output[Release] = Output("commit")
    stage = TakeCommitDists(release=release, folder=folder)
    assert str(folder.dists) in stage.plan()
    dists = stage.make(StageContext({release.by: sample_release()}))
    assert [file.name for file in dists.files] == [
        "demo-1.0.dev1-cp312-none-any.whl",
        "demo-1.0.dev1-py3-none-any.whl",
        "demo-1.0.dev1.tar.gz",
    ]
