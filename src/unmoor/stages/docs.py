"""The stage ``docs``: put the documentation online, once the release is public and verified.

Nothing is built: the pages come from the archive that the manifest lists. Read the Docs builds the tag itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from unmoor import advice
from unmoor.core.stage import NotUndone, Output, Push, StageContext, Undone, without_none
from unmoor.deploy.docs.branch import BranchDeployment
from unmoor.deploy.docs.layout import Placement
from unmoor.deploy.docs.service import ServiceDeployment
from unmoor.errors import Incomplete, Refused
from unmoor.ports.clock import Clock
from unmoor.ports.docs_service import DocsService
from unmoor.ports.git import Git
from unmoor.ports.pages import PagesBranch
from unmoor.ports.services import Services
from unmoor.products import BuiltDocs, Release, Verified
from unmoor.products.deployment import Deployed
from unmoor.publish.tag_recheck import verify_tag_unmoved
from unmoor.release_request import ReleaseRequest
from unmoor.util.text import clean


@dataclass(frozen=True, kw_only=True)
class DeployDocs(Push[Deployed]):
    """Puts the pages beside those of other versions on each branch, and lets each service build the tag.

    ``missing`` names the places in the settings that this world does not have. ``folder`` is empty for the version's
    own; else the pages are those of a branch, and replace what was there.
    """

    name: str = "docs"
    release: Output[Release]
    docs: Output[BuiltDocs]
    git: Git
    clock: Clock
    branches: tuple[PagesBranch, ...] = ()
    services: tuple[DocsService, ...] = ()
    missing: tuple[str, ...] = ()
    folder: str = ""

    @classmethod
    def of(
        cls,
        request: ReleaseRequest,
        services: Services,
        *,
        release: Output[Release],
        docs: Output[BuiltDocs],
        verified: Output[Verified] | None,
        folder: str = "",
    ) -> Self:
        """Build the stage for a request, without the places that its world does not have."""
        settings, deployers = request.settings.docs, services.deployers
        targets = [each.partition(":") for each in settings.targets] if settings is not None else []
        open_branch, open_service = deployers.pages, deployers.docs_service
        return cls(
            release=release,
            docs=docs,
            git=services.git,
            clock=services.clock,
            branches=tuple(open_branch(name) for kind, _, name in targets if open_branch and kind == "branch"),
            services=tuple(open_service(name) for kind, _, name in targets if open_service and kind == "readthedocs"),
            missing=tuple(
                f"{kind}:{name} (this world has no such place)"
                for kind, _, name in targets
                if not (open_branch if kind == "branch" else open_service)
            ),
            folder=folder,
            advisory=settings is not None and settings.policy == "advisory",
            after=without_none(verified),
        )

    def plan(self) -> str:
        """Say where the pages would go."""
        places = [f"commit the pages to {each.where}" for each in self.branches]
        places += [f"let {each.where} build the tag" for each in self.services]
        return ", and ".join(places)

    def find(self, context: StageContext) -> Deployed | None:
        """Return the deployment if every branch holds exactly these pages, and every service built this commit.

        Raises `Conflict` if the folder of the version holds other pages, `Unknown`, `Denied` and `Refused`.
        """
        release, file = context[self.release], context[self.docs].file
        addresses: list[str] = []
        tree, files = "", 0
        for branch in self.branches:
            if file is None:
                return None
            found = BranchDeployment(pages=branch).find(file.path, self._placement(release))
            if found is None:
                return None
            addresses.append(found.address)
            tree, files = found.tree, found.files
        for service in self.services:
            built = ServiceDeployment(service=service, clock=self.clock).find(release)
            if built is None:
                return None
            addresses.append(built.address)
        return self._deployed(addresses, tree or release.commit, files)

    def make(self, context: StageContext) -> Deployed:
        """Deploy to each place, the branches first. Raises as `BranchDeployment` and `ServiceDeployment` do.

        Raises `Refused` if the tag no longer names the commit that was released.
        """
        release, built = context[self.release], context[self.docs]
        self._require_current(release)
        addresses: list[str] = []
        tree, files = "", 0
        for branch in self.branches:
            if built.file is None:
                raise Incomplete(
                    f"there is no documentation to deploy: {clean(built.why_not)}",
                    next_step=advice.RELEASE_NEW_VERSION(why="a manifest never changes once it is complete"),
                    retryable=False,
                )
            title = f"{release.project} {release.version} ({(self.folder and release.commit[:12]) or release.tag})"
            done = BranchDeployment(pages=branch, say=context.say).deploy(
                built.file.path, self._placement(release), title=title
            )
            addresses.append(done.address)
            tree, files = done.tree, done.files
        for service in self.services:
            version = ServiceDeployment(service=service, clock=self.clock, say=context.say).deploy(release)
            addresses.append(version.address)
        return self._deployed(addresses, tree or release.commit, files)

    def undo(self, product: Deployed) -> Undone | NotUndone:
        """Give each folder on the branches what it held before. What Read the Docs has built stays."""
        done = [BranchDeployment(pages=branch).take_back(product.identity) for branch in self.branches]
        if self.services:
            stays = ", ".join(each.where for each in self.services)
            before = f"{'; '.join(done)}; but " if done else ""
            return NotUndone(f"{before}{stays} keeps what it built of the tag: hide or delete the version there")
        return Undone("; ".join(done))

    def _require_current(self, release: Release) -> None:
        """Raise `Refused` if the tag moved, or if the default branch has a later commit than that of the pages."""
        if not self.folder:
            verify_tag_unmoved(self.git, release, already="the release is public, and stays so")
            return
        head = self.git.default_head()
        if head is not None and head != release.commit:
            raise Refused(
                f"the default branch is at {head[:12]} now, and these pages are of {release.commit[:12]}",
                next_step=advice.DEPLOY_DEFAULT_BRANCH(folder=self.folder),
            )

    def _placement(self, release: Release) -> Placement:
        """Where the pages belong; the tree is worked out from the archive."""
        folder = self.folder or release.version
        return Placement(folder=folder, tree="", stable=release.highest, replaces=bool(self.folder))

    def _deployed(self, addresses: list[str], identity: str, files: int) -> Deployed:
        counts = (("files", files),) if files else ()
        address = ", ".join(filter(None, addresses))
        return Deployed(what="docs", address=address, identity=identity, counts=counts, left_out=self.missing)
