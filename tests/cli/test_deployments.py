"""Which stages are deployments, how their commands are named, and what may be made in a run for one of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.unused_services import unused_pipeline

from unmoor.cli.deployments import failed_deployments, refuses, stage_of, words_of
from unmoor.cli.run_options import FileOptions, RunOptions
from unmoor.cli.target_options import TargetOptions
from unmoor.core.events import Report, StageInfo, StageReport
from unmoor.core.outcome import Failed, Found
from unmoor.core.stage import Reach
from unmoor.errors import Incomplete, Unknown

HEX = "0" * 64
TARGET = TargetOptions(folder=Path(), world=Path("w.toml"))


@pytest.mark.parametrize(
    ("words", "stage"), [(("docs",), "docs"), (("space",), "space"), (("service", "web-1"), "service-web-1")]
)
def test_the_stage_of_a_command(words: tuple[str, ...], stage: str) -> None:
    """Each command has its stage, and leads back."""
    assert stage_of(words) == stage
    assert words_of(stage) == words
    assert words_of("pypi") == ()


def report(**states: bool | None) -> Report:
    """A run in which these stages failed (false), failed but are only advisory (``None``), or were found (true)."""

    def stage(name: str, *, state: bool | None) -> StageReport:
        info = StageInfo(name=name.replace("_", "-"), reach=Reach.REMOTE, advisory=state is None)
        outcome = Found("x") if state else Failed(Unknown("hidden"))
        return StageReport(info=info, outcome=outcome, seconds=0.0, plan="")

    return Report(stages=tuple(stage(name, state=state) for name, state in states.items()), warnings=(), seconds=0.0)


@pytest.mark.parametrize(
    ("states", "failed"),
    [
        ({"verify": True, "docs": False}, (("docs",),)),
        ({"docs": False, "service_web": False, "space": True}, (("docs",), ("service", "web"))),
        ({"pypi": False, "docs": False}, ()),
        ({"docs": None, "space": True}, ()),
    ],
    ids=["one", "two", "something else", "advisory"],
)
def test_only_deployments_are_named_if_only_they_failed(
    states: dict[str, bool | None], failed: tuple[tuple[str, ...], ...]
) -> None:
    """If anything else failed, the command that goes on is that of the release."""
    assert failed_deployments(report(**states)) == failed


def test_the_command_of_a_deployment() -> None:
    """It has the target of the run and the digests that it was given, and is its own command that goes on."""
    options = RunOptions(target=TARGET, files=FileOptions(digests=(HEX,)), deploys=("service", "web"))
    command = f"unmoor deploy service web --world w.toml --manifest-sha256 {HEX} v1.0"
    assert options.same_command("v1.0") == command
    assert options.deploy_command(("docs",), "v1.0") == command.replace("service web", "docs")


def test_a_run_for_a_deployment_makes_nothing_else() -> None:
    """It may read, and make the deployment; whatever else is missing is a release to be made, with advice."""
    refuse = refuses(RunOptions(target=TARGET, deploys=("docs",)))
    errors = {stage.name: refuse(stage) for stage in unused_pipeline()}
    reading = {"tag", "access", "notes", "check-dists", "scan", "verify"}
    assert {name for name, error in errors.items() if error is None} == reading
    assert all(isinstance(error, Incomplete) and not error.retryable for error in errors.values() if error)
