"""Whether a signature that verifies was made by the workflow run that made a release."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from unmoor.util.text import clean

if TYPE_CHECKING:
    from unmoor.ports.signer import Identity, VerifiedSignature

ISSUER = "https://token.actions.githubusercontent.com"
"""The issuer of the ID tokens of GitHub Actions, as certificates name it."""
WORKFLOWS = ".github/workflows/"
"""The folder of a repository's own workflows."""


class TaggedCommit(Protocol):
    """A tag and the full commit that it names, such as those of a `Release`."""

    @property
    def tag(self) -> str:
        """The tag."""

    @property
    def commit(self) -> str:
        """The commit; if it is not known it is empty, and equal to none."""


def signed_by_release(verified: VerifiedSignature, release: TaggedCommit, *, repository_id: str, workflow: str) -> str:
    """Compare who signed with who releases this tag. Return what differs, empty if nothing does.

    ``repository_id`` is the repository's number: anybody can make a new repository of a name that became free.
    ``workflow`` is the path of the workflow file that signs, such as ``.github/workflows/release.yml``, or
    ``owner/name/PATH`` for one of another repository. The repository's present name is not compared, so a signature
    stays good when the repository moves.
    """
    signer = verified.identity
    ref = f"refs/tags/{release.tag}"
    file, _, at = signer.workflow.partition("@")
    is_own = file.startswith(f"{_site(file)}{signer.repository}/")
    compared = (
        ("issuer", signer.issuer, ISSUER),
        ("repository number", signer.repository_id, repository_id),
        ("workflow", workflow_path(signer), workflow),
        ("ref", signer.ref, ref),
        # A reusable workflow of another repository has a ref of its own.
        ("ref of the workflow", at if is_own else ref, ref),
        ("commit", signer.commit, release.commit),
    )
    return "; ".join(
        f"the {what} is {clean(found, 200) or 'missing'}, expected {expected or 'a known one'}"
        for what, found, expected in compared
        if not expected or found != expected
    )


def workflow_path(signer: Identity) -> str:
    """The path of the workflow file in its repository, ``owner/name/PATH`` if that is not the run's own."""
    file, _, _ = signer.workflow.partition("@")
    site = _site(file)
    return file.removeprefix(f"{site}{signer.repository}/").removeprefix(site)


def _site(address: str) -> str:
    """The scheme and host of an address, with a slash at the end."""
    scheme, _, rest = address.partition("://")
    return f"{scheme}://{rest.partition('/')[0]}/"
