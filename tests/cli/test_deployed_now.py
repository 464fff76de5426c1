"""What a killed run left of a deployment is looked for only where nothing is deployed, and only with what it needs."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from unmoor.cli.deployed_now import Deployment, begun_of
from unmoor.core.events import Report, StageInfo, StageReport
from unmoor.core.outcome import Made, Outcome, Skipped
from unmoor.core.stage import NotUndone, Output, Push, Reach, StageContext, Undone
from unmoor.errors import Unknown
from unmoor.products import Deployed

PUSHED: Output[str] = Output("registry")
THERE = Deployed(what="service web", address="", identity="sha256:1")
LEFT_OUT = Deployed(what="service web", address="", identity="", left_out=("a reason",))
BEGUN = Deployed(what="service web", address="", identity="sha256:2")


@dataclass(frozen=True, kw_only=True)
class _Service(Push[Deployed]):
    """A service, of which a run may have begun something."""

    name: str = "service-web"
    pushed: Output[str] = PUSHED
    left: Deployed | None = BEGUN
    error: Unknown | None = None

    def plan(self) -> str:
        """Say it."""
        return "run it"

    def find(self, context: StageContext) -> None:
        """Find nothing."""

    def find_begun(self, context: StageContext) -> Deployed | None:
        """Find what is left, with what it needs."""
        assert context[self.pushed] == "image"
        if self.error is not None:
            raise self.error
        return self.left

    def make(self, context: StageContext) -> Deployed:
        """Make it."""
        del context
        return THERE

    def undo(self, product: Deployed) -> Undone | NotUndone:
        """Take it back."""
        del product
        return Undone("it")


def report(outcome: Outcome) -> Report:
    """A run in which the stage that the service needs ended so."""
    info = StageInfo(name=PUSHED.by, reach=Reach.REMOTE, advisory=False)
    return Report(stages=(StageReport(info=info, outcome=outcome, seconds=0, plan=""),), warnings=(), seconds=0)


@pytest.mark.parametrize(
    ("product", "outcome", "left", "expected"),
    [
        (None, Made("image"), BEGUN, BEGUN),
        (LEFT_OUT, Made("image"), BEGUN, BEGUN),
        (LEFT_OUT, Made("image"), None, LEFT_OUT),
        (None, Made("image"), None, None),
        (THERE, Made("image"), BEGUN, THERE),
        (None, Skipped("no image"), BEGUN, None),
    ],
    ids=["begun", "left out and begun", "left out", "nothing", "deployed", "no image"],
)
def test_what_is_begun(
    product: Deployed | None, outcome: Outcome, left: Deployed | None, expected: Deployed | None
) -> None:
    """What is deployed counts first."""
    found = begun_of(Deployment(stage=_Service(left=left), product=product), report(outcome))
    assert (found.product, found.error) == (expected, None)


def test_what_cannot_be_read_is_unknown() -> None:
    """Undo says so, and does not take it for absent."""
    error = Unknown("the proxy does not answer")
    found = begun_of(Deployment(stage=_Service(error=error)), report(Made("image")))
    assert found.error is error
    assert found.undo is not None
    earlier = Deployment(stage=_Service(), error=error)
    assert begun_of(earlier, report(Made("image"))) is earlier
