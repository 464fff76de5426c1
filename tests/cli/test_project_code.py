"""A job with credentials refuses what would run code of the project, and names the job that makes what is absent."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from typing import NamedTuple, cast

import pytest

from unmoor import stages
from unmoor.cli.project_code import MADE_BY, refusal
from unmoor.core.pipeline import AnyStage
from unmoor.core.stage import Stage


class _Named(NamedTuple):
    """What is read of a stage."""

    name: str
    runs_project_code: bool


def _stage_classes() -> Iterator[type[AnyStage]]:
    for module in pkgutil.iter_modules(stages.__path__):
        for each in vars(importlib.import_module(f"unmoor.stages.{module.name}")).values():
            if isinstance(each, type) and issubclass(each, Stage) and each.__module__.endswith(f".{module.name}"):
                yield each


CLASSES = {each.__dataclass_fields__["name"].default: each for each in _stage_classes()}
RUN_CODE = {"build-docs", "dists", "images", "prove-dists", "prove-images", "prove-testpypi", "rebuild"}
"""The stages that start a build backend, an installed project, its tests, or a container of it."""


def test_which_stages_run_code_of_the_project() -> None:
    """Each stage that does says so, and has a job that makes what it makes."""
    assert {name for name, each in CLASSES.items() if each.runs_project_code} == RUN_CODE
    assert set(MADE_BY) == RUN_CODE


@pytest.mark.parametrize(
    ("name", "job"),
    [
        ("dists", "`build`, or `merge`"),
        ("prove-dists", "`test`, or `merge`"),
        ("rebuild", "`test`, or `merge`"),
        ("build-docs", "`docs`"),
        ("images", "`image-OS-ARCH`"),
        ("prove-images", "`image-OS-ARCH`"),
        ("prove-testpypi", "`prove`"),
        ("draft", ""),
        ("pypi", ""),
        ("notes", ""),
        ("sbom", ""),
    ],
)
def test_what_is_refused(name: str, job: str) -> None:
    """A stage that runs project code is refused with exit code 8 and the job to run again; others are not refused."""
    stage = CLASSES[name]
    error = refusal(cast("AnyStage", _Named(name, stage.runs_project_code)))
    if not job:
        assert error is None
        return
    assert error is not None
    assert error.exit_code == 8
    assert "--no-project-code" in str(error)
    assert job in error.next_step
