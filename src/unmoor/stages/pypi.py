"""``pypi``: the files on the index that everybody installs from. From here on there is no way back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from packaging.utils import canonicalize_name, parse_sdist_filename, parse_wheel_filename

from unmoor.core.stage import Output, Publish, StageContext, present
from unmoor.ports.clock import Clock
from unmoor.ports.git import Git
from unmoor.ports.index import Index
from unmoor.ports.services import Services
from unmoor.products import Dists, Draft, Proof, Release, Uploaded
from unmoor.publish.gates import Gates
from unmoor.publish.index_state import find_uploaded
from unmoor.publish.tag_recheck import verify_tag_unmoved
from unmoor.publish.upload import upload
from unmoor.release_request import ReleaseRequest


@dataclass(frozen=True, kw_only=True)
class UploadIndex(Publish[Uploaded]):
    """Brings the tested files to the index. ``deadline`` in seconds."""

    name: str = "pypi"
    release: Output[Release]
    dists: Output[Dists]
    index: Index
    clock: Clock
    git: Git
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
        gates: Gates,
        staged: Output[Uploaded] | None,
        staged_proof: Output[Proof] | None,
    ) -> Self:
        """Build the stage for a request.

        Every gate has a parameter of its own and none has a default: one that is forgotten is a type error.
        ``staged`` and ``staged_proof`` are ``None`` where no staging index is used, or where it only advises.
        """
        return cls(
            release=release,
            dists=dists,
            index=services.index,
            clock=services.clock,
            git=services.git,
            after=present(*gates, draft, staged, staged_proof),
        )

    def plan(self) -> str:
        """Say where the files would go."""
        return f"upload the wheels, then the sdist, to {self.index.name}: this cannot be taken back"

    def find(self, context: StageContext) -> Uploaded | None:
        """Look for every file by its hash."""
        return find_uploaded(self.index, context[self.release], context[self.dists])

    def make(self, context: StageContext) -> Uploaded:
        """See that the tag still names the tested commit, send what is missing, and read it back."""
        release, dists = context[self.release], context[self.dists]
        verify_tag_unmoved(self.git, release)
        return upload(self.index, release, dists, clock=self.clock, say=context.say, deadline=self.deadline)

    def remedy(self, product: Uploaded) -> str:
        """Say how to yank: a person has to do it on the index's own page."""
        address = manage(self.index.page, product)
        return (
            f"Nothing can be taken back from {product.index}, and its file names never come free again."
            " To keep installers from choosing this version, yank it (there is no API for that):"
            f" open {address}, log in as an owner, choose 'Options', then 'Yank', and give the reason."
            " Then release a corrected version under a new number."
        )


def manage(page: str, product: Uploaded) -> str:
    """The address where a version is managed: PyPI's, where the page has PyPI's shape, else the page itself."""
    project, version = _what(product)
    if page.rstrip("/").endswith("/project/{project}/{version}"):
        page = page.replace("/project/{project}/{version}", "/manage/project/{project}/release/{version}")
    return page.replace("{project}", project).replace("{version}", version)


def _what(product: Uploaded) -> tuple[str, str]:
    """The project and version that the files' names speak of."""
    name = product.files[0].name
    owner, version, *_ = parse_wheel_filename(name) if name.endswith(".whl") else parse_sdist_filename(name)
    return canonicalize_name(owner), str(version)
