"""The stage ``testpypi``: upload the files to an index that nobody installs from, before the real one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from unmoor.core.stage import NotUndone, Output, Push, StageContext, Undone
from unmoor.ports.clock import Clock
from unmoor.ports.git import Git
from unmoor.ports.index import Index
from unmoor.ports.services import Services
from unmoor.products import Dists, Draft, Release, Signed, Uploaded
from unmoor.publish.gates import Gates
from unmoor.publish.index_state import find_uploaded
from unmoor.publish.signatures import signatures_for
from unmoor.publish.tag_recheck import verify_tag_unmoved
from unmoor.publish.upload import upload
from unmoor.release_request import ReleaseRequest


@dataclass(frozen=True, kw_only=True)
class UploadStaging(Push[Uploaded]):
    """Uploads the tested files to the staging index. ``deadline`` is in seconds."""

    name: str = "testpypi"
    release: Output[Release]
    dists: Output[Dists]
    index: Index
    clock: Clock
    git: Git
    signed: Output[Signed] | None = None
    deadline: float = 1800.0

    @classmethod
    def of(
        cls,
        request: ReleaseRequest,
        services: Services,
        *,
        release: Output[Release],
        dists: Output[Dists],
        index: Index,
        draft: Output[Draft],
        signed: Output[Signed] | None,
        gates: Gates,
    ) -> Self:
        """Build the stage for a request."""
        return cls(
            release=release,
            dists=dists,
            index=index,
            clock=services.clock,
            git=services.git,
            signed=signed,
            advisory=request.advisory,
            after=(*gates.outputs, draft),
        )

    def plan(self) -> str:
        """Say where the files would go."""
        return f"upload the wheels and the sdist to {self.index.name}, unless they are there already"

    def find(self, context: StageContext) -> Uploaded | None:
        """Look for every file by its hash."""
        return find_uploaded(self.index, context[self.release], context[self.dists])

    def make(self, context: StageContext) -> Uploaded:
        """Check that the tag still names the tested commit, upload what is missing, and read it back."""
        release, dists = context[self.release], context[self.dists]
        verify_tag_unmoved(self.git, release)
        return upload(
            self.index,
            release,
            dists,
            clock=self.clock,
            say=context.say,
            deadline=self.deadline,
            signatures=signatures_for(self.index, context[self.signed], dists) if self.signed else None,
        )

    def undo(self, product: Uploaded) -> Undone | NotUndone:
        """Leave the files: deleting them would gain nothing."""
        return NotUndone(
            f"{len(product.files)} files stay on {product.index}: their names could never be used again there,"
            " and nobody installs from it"
        )
