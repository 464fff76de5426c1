"""The command line that a run prints at its end can be pasted, and goes no further than requested."""

from __future__ import annotations

from pathlib import Path, PureWindowsPath

import pytest

from unmoor.artifacts.merge import Handover
from unmoor.cli.run_options import FileOptions, RunOptions, TargetOptions
from unmoor.core.stage import Reach
from unmoor.filesystem import commands

HERE = Path()


@pytest.mark.parametrize(
    ("options", "same", "release"),
    [
        pytest.param(
            RunOptions(target=TargetOptions(folder=HERE, world=Path("w.toml")), ceiling=Reach.FINAL),
            "unmoor release --world w.toml v1",
            "unmoor release --world w.toml v1",
            id="release",
        ),
        pytest.param(
            RunOptions(
                target=TargetOptions(folder=Path("a b")), ceiling=Reach.LOCAL, until=("check-dists", "prove-dists")
            ),
            "unmoor release --directory 'a b' --dry-run --until check-dists --until prove-dists v1",
            "unmoor release --directory 'a b' v1",
            id="dry",
        ),
        pytest.param(
            RunOptions(
                target=TargetOptions(folder=HERE),
                ceiling=Reach.REMOTE,
                files=FileOptions(handed=(Handover(dists=Path("d"), manifest=Path("m.json")),), legs=(Path("l"),)),
            ),
            "unmoor release --hold --dists d --manifest m.json --leg l v1",
            "unmoor release --dists d --manifest m.json --leg l v1",
            id="files-of-a-job",
        ),
        pytest.param(
            RunOptions(
                target=TargetOptions(folder=HERE),
                ceiling=Reach.LOCAL,
                files=FileOptions(prebuilt=Path("wheelhouse"), digests=("00", "11")),
                platforms=("linux/arm64",),
                keep_images=True,
                skip=("testpypi",),
                leg_name="arm",
            ),
            "unmoor release --dry-run --manifest-sha256 00 --manifest-sha256 11 --built wheelhouse --skip testpypi"
            " --leg-name arm --keep-images --platform linux/arm64 v1",
            "unmoor release --manifest-sha256 00 --manifest-sha256 11 --built wheelhouse --skip testpypi v1",
            id="leg",
        ),
        pytest.param(
            RunOptions(target=TargetOptions(folder=HERE, path="p")),
            "unmoor plan --path p v1",
            "unmoor release --path p v1",
            id="plan",
        ),
        pytest.param(
            RunOptions(target=TargetOptions(folder=HERE), ceiling=Reach.FINAL, command="unmoor rehearse"),
            "unmoor rehearse",
            "unmoor release v1",
            id="rehearsal",
        ),
    ],
)
def test_the_command_to_continue_with(options: RunOptions, same: str, release: str) -> None:
    """The same command keeps the ceiling of the run; the release goes to the end."""
    assert (options.same_command("v1"), options.release_command("v1")) == (same, release)


def test_another_command_keeps_the_project_and_the_world() -> None:
    """The command line of ``undo`` has no options that only ``release`` has."""
    options = RunOptions(
        target=TargetOptions(folder=HERE, world=Path("w.toml"), config=Path("c.toml")),
        files=FileOptions(prebuilt=Path("x")),
    )
    assert options.other_command("undo", "v1") == "unmoor undo --world w.toml --config c.toml v1"


def test_a_command_line_for_powershell(monkeypatch: pytest.MonkeyPatch) -> None:
    """On Windows it is quoted for the shell there, in which single quotes within a path are no quotes."""
    monkeypatch.setattr(commands, "SHELL", commands.PowerShell())
    folder = PureWindowsPath(r"C:\\Users\\it's me\\pkg")
    options = RunOptions(target=TargetOptions(folder=Path(str(folder)), path="packages/a,b"), ceiling=Reach.FINAL)
    assert options.release_command("v1.0") == (rf"""unmoor release --directory "{folder}" --path "packages/a,b" v1.0""")
