"""What tests need is installed together with the file under test, and never in place of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

import pytest

from unmoor.dists.testing.suite_needs import install_needs
from unmoor.dists.testing.suites import Suite
from unmoor.errors import CheckFailed
from unmoor.ports.environments import Environment

SUITE = Suite(command="pytest", requires=("pytest", "idna"), extras=("cli",), why="found there", project="one")


@dataclass
class Recorded:
    """An environment that installs nothing, and fails for the first ``failures`` installs with dependencies."""

    failures: int = 0
    installed: list[tuple[Sequence[str], bool]] = field(default_factory=list)

    def install(self, requirements: Sequence[str], *, dependencies: bool = True) -> None:
        """Record an install."""
        self.installed.append((requirements, dependencies))
        if dependencies and len(self.installed) <= self.failures:
            raise CheckFailed("cannot install idna")


def file(extras: tuple[str, ...]) -> str:
    """The file under test as a requirement."""
    return f"one[{','.join(extras)}] @ file" if extras else "file"


TOGETHER = (["pytest", "idna", "one[cli] @ file"], True)
LAST = (["file"], False)


@pytest.mark.parametrize(
    ("suite", "failures", "installed", "said"),
    [
        (Suite(command="x"), 0, [LAST], 0),
        (SUITE, 0, [TOGETHER, LAST], 0),
        (Suite(command="x", requires=("idna",)), 0, [(["idna", "file"], True), LAST], 0),
        (Suite(command="x", requires=("idna",)), 1, [(["idna", "file"], True), (["idna"], True), LAST], 1),
    ],
)
def test_order(suite: Suite, failures: int, installed: list[tuple[Sequence[str], bool]], said: int) -> None:
    """The file comes with the requirements and again last. If they do not fit together, they are resolved apart."""
    environment, told = Recorded(failures), list[str]()
    install_needs(cast("Environment", environment), suite, file=file, say=told.append)
    assert environment.installed == installed
    assert len(told) == said


def test_requirements_that_cannot_be_installed() -> None:
    """The error says where they come from, and has the one setting to paste. Configured ones have only uv's message."""
    with pytest.raises(CheckFailed, match="found there; cannot install idna") as caught:
        install_needs(cast("Environment", Recorded(9)), SUITE, file=file, say=print)
    assert '\n[tool.unmoor]\ntest-requires = ["one[cli]", "pytest", "idna"]' in caught.value.next_step
    with pytest.raises(CheckFailed, match=r"^cannot install idna"):
        install_needs(cast("Environment", Recorded(9)), Suite(command="x", requires=("idna",)), file=file, say=print)
