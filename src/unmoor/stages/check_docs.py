"""The stage ``check-docs``: look at the branches of pages, while nothing has left this machine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from unmoor.core.stage import Check, Output, StageContext
from unmoor.deploy.docs.branch import BranchDeployment
from unmoor.deploy.docs.layout import Placement
from unmoor.ports.pages import PagesBranch
from unmoor.products import BuiltDocs, Release
from unmoor.products.deployment import CheckedDocs
from unmoor.release_request import ReleaseRequest


@dataclass(frozen=True, kw_only=True)
class CheckDocs(Check[CheckedDocs]):
    """Reads each branch, and decides what its deployment would change there, without sending it.

    ``pushes``: the login of this run is the one that deploys, so the remote is asked whether it may push. A rule that
    protects a branch is seen only by a push.
    """

    name: str = "check-docs"
    release: Output[Release]
    docs: Output[BuiltDocs]
    branches: tuple[PagesBranch, ...]
    pushes: bool = False

    @classmethod
    def of(
        cls,
        request: ReleaseRequest,
        *,
        release: Output[Release],
        docs: Output[BuiltDocs],
        branches: tuple[PagesBranch, ...],
    ) -> Self:
        """Build the stage for a request."""
        settings = request.settings.docs
        return cls(
            release=release,
            docs=docs,
            branches=branches,
            pushes=request.pushes,
            advisory=settings is not None and settings.policy == "advisory",
        )

    def plan(self) -> str:
        """Say what would be read."""
        asked = ", and ask whether this login may push" if self.pushes else ""
        return f"read {', '.join(each.where for each in self.branches)}{asked}"

    def make(self, context: StageContext) -> CheckedDocs:
        """Read them. Raises what would stop the deployment, such as `Refused` for a symbolic link on a branch."""
        release, file = context[self.release], context[self.docs].file
        if file is None:
            return CheckedDocs(branches=())
        placement = Placement(folder=release.version, tree="", stable=release.highest)
        for branch in self.branches:
            deployment = BranchDeployment(pages=branch, say=context.say)
            deployment.check(file.path, placement, title=release.tag, pushes=self.pushes)
        return CheckedDocs(branches=tuple(each.where for each in self.branches))
