"""The stage ``pypi``: upload the files to the index that everyone installs from. This cannot be undone."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Self

from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    canonicalize_name,
    parse_sdist_filename,
    parse_wheel_filename,
)

from unmoor.core.stage import Output, Publish, StageContext, without_none
from unmoor.errors import UnmoorError
from unmoor.ports.clock import Clock
from unmoor.ports.git import Git
from unmoor.ports.index import Index
from unmoor.ports.services import Services
from unmoor.products import Dists, Draft, Proof, Pushed, Release, Signed, SignedImages, Uploaded
from unmoor.publish.draft_recheck import DraftRecheck
from unmoor.publish.gates import Gates
from unmoor.publish.index_state import find_uploaded
from unmoor.publish.signatures import signatures_for
from unmoor.publish.tag_recheck import verify_tag_unmoved
from unmoor.publish.upload import upload
from unmoor.release_request import ReleaseRequest


@dataclass(frozen=True, kw_only=True)
class UploadIndex(Publish[Uploaded]):
    """Uploads the tested files to the index. ``deadline`` is in seconds; ``recheck`` reads the draft right before."""

    name: str = "pypi"
    release: Output[Release]
    dists: Output[Dists]
    index: Index
    clock: Clock
    git: Git
    recheck: DraftRecheck
    signed: Output[Signed] | None = None
    deadline: float = 1800.0

    @classmethod
    def of(
        cls,
        _request: ReleaseRequest,
        services: Services,
        *,
        release: Output[Release],
        dists: Output[Dists],
        draft: Output[Draft],
        pushed: Output[Pushed] | None,
        signed: Output[Signed] | None,
        signed_images: Output[SignedImages] | None,
        gates: Gates,
        staged: Output[Uploaded] | None,
        staged_proof: Output[Proof] | None,
    ) -> Self:
        """Build the stage for a request.

        Every gate has its own parameter without a default, so that a forgotten gate is a type error.
        ``pushed`` is ``None`` for a project without images, ``signed_images`` if none are signed; ``staged`` and
        ``staged_proof`` are ``None`` if no staging index is used or it is advisory.
        """
        recheck = DraftRecheck(draft=draft, pushed=pushed, forge=services.forge, clock=services.clock)
        return cls(
            release=release,
            dists=dists,
            index=services.index,
            clock=services.clock,
            git=services.git,
            recheck=recheck,
            signed=signed,
            after=without_none(*gates.outputs, *recheck.needs, signed_images, staged, staged_proof),
        )

    def plan(self) -> str:
        """Say where the files would go."""
        return f"upload the wheels, then the sdist, to {self.index.name}: this cannot be taken back"

    def find(self, context: StageContext) -> Uploaded | None:
        """Look for every file by its hash."""
        return find_uploaded(self.index, context[self.release], context[self.dists])

    def make(self, context: StageContext) -> Uploaded:
        """Check the draft and the tag once more, upload what is missing, and read it back."""
        release, dists = context[self.release], context[self.dists]
        try:
            self.recheck.require_unchanged(context)
            verify_tag_unmoved(self.git, release)
        except UnmoorError as error:
            raise error.amended(also=f"this run sent nothing to {self.index.name}") from error
        return upload(
            self.index,
            release,
            dists,
            clock=self.clock,
            say=context.say,
            deadline=self.deadline,
            signatures=signatures_for(self.index, context[self.signed], dists) if self.signed else None,
        )

    def remedy(self, product: Uploaded) -> str:
        """Say how to yank the version, which a person has to do on the index's web page."""
        address = management_url(self.index.page, product)
        return (
            f"Nothing can be taken back from {product.index}, and the file names can never be used again."
            " To keep installers from choosing this version, yank it (there is no API for that):"
            f" open {address}, log in as an owner, choose 'Options', then 'Yank', and give the reason."
            " Then release a corrected version under a new number."
        )


def management_url(page: str, product: Uploaded) -> str:
    """The URL to manage a version: PyPI's form of it if ``page`` has PyPI's form, else ``page`` itself."""
    project, version = _project_and_version(product)
    if page.rstrip("/").endswith("/project/{project}/{version}"):
        page = page.replace("/project/{project}/{version}", "/manage/project/{project}/release/{version}")
    return page.replace("{project}", project).replace("{version}", version)


def _project_and_version(product: Uploaded) -> tuple[str, str]:
    """The project and version in the files' names. The index may hold others than wheels and sdists."""
    for name in (file.name for file in product.files):
        with suppress(InvalidWheelFilename, InvalidSdistFilename):
            owner, version, *_ = parse_wheel_filename(name) if name.endswith(".whl") else parse_sdist_filename(name)
            return canonicalize_name(owner), str(version)
    return "", ""
