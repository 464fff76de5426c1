"""The stage ``space``: bring the files into the Space by one commit, and wait until it runs them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Self

from unmoor.config.amounts import seconds_of
from unmoor.config.space import SpaceSettings
from unmoor.core.stage import NotUndone, Output, Push, StageContext, Undone
from unmoor.deploy.precedence import why_left
from unmoor.deploy.space.deploying import SpaceDeployer, SpaceState
from unmoor.deploy.space.identity import digest_of
from unmoor.ports.clock import Clock
from unmoor.ports.services import Services
from unmoor.ports.space_hub import SpaceHub
from unmoor.products import DeployedSpace, Release, SpaceFiles
from unmoor.release_request import ReleaseRequest


@dataclass(frozen=True, kw_only=True)
class DeploySpace(Push[DeployedSpace]):
    """Commits what differs onto the head of the Space, which is tagged first, and verifies it by digests.

    Found: the Space holds every file, and the hub says that it runs that commit. ``looked`` is what `find` saw.
    """

    name: str = "space"
    release: Output[Release]
    files: Output[SpaceFiles]
    settings: SpaceSettings
    hub: SpaceHub
    clock: Clock
    any_version: bool = False
    looked: list[SpaceState] = field(default_factory=list, init=False, repr=False, compare=False)

    @classmethod
    def of(
        cls,
        request: ReleaseRequest,
        services: Services,
        *,
        release: Output[Release],
        files: Output[SpaceFiles],
        settings: SpaceSettings,
        hub: SpaceHub,
        after: tuple[Output[Any], ...] = (),
    ) -> Self:
        """Build the stage for a request."""
        return cls(
            release=release,
            files=files,
            settings=settings,
            hub=hub,
            clock=services.clock,
            any_version=request.any_version,
            after=after,
            advisory=settings.policy == "advisory",
        )

    def plan(self) -> str:
        """Say what would be committed, and where."""
        return f"commit the files that differ to {self.hub.address}, and wait until it runs them"

    def find(self, context: StageContext) -> DeployedSpace | None:
        """Return the Space if it holds every file and runs them; ``None`` if any differs or something else runs.

        A Space has a history: other bytes are a former version, so they are no conflict. One that belongs to a higher
        version is left out. Raises `Unknown`.
        """
        deployer = self._deployer(context)
        state = deployer.look()
        self.looked[:] = [state]
        if not state.difference.is_none or not deployer.is_running(state.head):
            return self._left_out(context, deployer.title)
        return self._product(context, deployer)

    def find_begun(self, context: StageContext) -> DeployedSpace | None:
        """Return the commit of this deployment if it is the last one, though the Space does not run it."""
        deployer = self._deployer(context)
        return self._product(context, deployer) if deployer.is_last() else None

    def make(self, context: StageContext) -> DeployedSpace:
        """Commit, verify and wait. On a failure the Space gets its former files back before the error is raised."""
        deployer = self._deployer(context)
        # What `find` has seen counts for one commit, which the hub refuses if it is no longer so.
        before = self.looked.pop() if self.looked else None
        _, difference = deployer.deploy(context.say, before)
        context.say(
            f"{self.hub.address} runs {len(deployer.files)} files: {len(difference.changed)} were new or changed,"
            f" {len(difference.deleted)} deleted"
        )
        return self._product(context, deployer)

    def undo(self, product: DeployedSpace) -> Undone | NotUndone:
        """Give the Space back what our commit changed. Files that others changed since are in its way."""
        deployer = SpaceDeployer(hub=self.hub, clock=self.clock, title=product.title)
        ours = deployer.find_own()
        if ours is None:
            return NotUndone(f"{self.hub.address} held these files before; no commit of this deployment is there")
        made = deployer.roll_back(ours, _silent)
        return Undone(f"{self.hub.address} has the files of {ours.before[:12]} again, in {made[:12]}")

    def _deployer(self, context: StageContext) -> SpaceDeployer:
        release, found = context[self.release], context[self.files]
        return SpaceDeployer(
            hub=self.hub,
            clock=self.clock,
            title=_title(release),
            files=found.files,
            critical=self.settings.critical,
            prune=self.settings.prune,
            kept=tuple(each.path for each in found.left_out),
            wait=seconds_of(self.settings.wait),
        )

    def _left_out(self, context: StageContext, title: str) -> DeployedSpace | None:
        why = why_left(context[self.release], any_version=self.any_version)
        if not why:
            return None
        return DeployedSpace(what="space", address=self.hub.address, identity="", left_out=(why,), title=title)

    def _product(self, context: StageContext, deployer: SpaceDeployer) -> DeployedSpace:
        return DeployedSpace(
            what="space",
            address=self.hub.address,
            identity=digest_of(deployer.files),
            counts=(("files", len(deployer.files)),),
            left_out=tuple(map(str, context[self.files].left_out)),
            title=deployer.title,
        )


def _title(release: Release) -> str:
    """The title of the commit: one for each tag, or for each commit that is no release."""
    if release.version:
        return f"Deploy {release.project} {release.version} ({release.tag})"
    return f"Sync {release.project} at {release.commit[:12]}"


def _silent(_text: str) -> None:
    """Drop what a roll-back says: `undo` says what became of it."""
