"""Judges the signatures of documents: the third reason to believe one, see `unmoor.artifacts.belief`.

A signature counts if it verifies, and if its certificate names this repository by number, the workflow that releases,
this tag and this commit. Who that is, is asked when the first signature verifies:

- the repository's number: the ID token of this run says it, else the forge;
- the workflow: the setting names it, else it is that of this run, else the only one at the commit that can sign.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from hashlib import sha256

import msgspec

from unmoor import advice
from unmoor.errors import BadSignature, Unknown
from unmoor.filesystem.commands import assign
from unmoor.ports.forge import Forge
from unmoor.ports.git import Git
from unmoor.ports.signer import Bundle, Identity, Signing
from unmoor.provenance.identity import WORKFLOWS, signed_by_release, workflow_path
from unmoor.provenance.release_workflow import is_workflow, signing_workflows
from unmoor.util.text import clean, list_some

VARIABLE = "UNMOOR_RELEASE_WORKFLOW"
"""The variable that sets ``release-workflow``: that of the commit cannot be changed any more."""


class NamedRelease(msgspec.Struct, frozen=True, kw_only=True):
    """The release that a certificate has to name."""

    tag: str
    commit: str


class _Expected(msgspec.Struct, frozen=True, kw_only=True):
    """Whose signatures count, of which release. ``undecided`` says why none counts, and what to do."""

    release: NamedRelease
    repository_id: str = ""
    workflow: str = ""
    undecided: str = ""


@dataclass(kw_only=True)
class ReleaseSignatures:
    """The signatures of the release of one tag. Safe to share between threads.

    ``repository`` is ``owner/name``; ``workflow`` is the path in the settings, empty if they name none.
    """

    tag: str
    repository: str
    workflow: str
    signing: Signing
    forge: Forge
    git: Git
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _expected: _Expected | None = field(default=None, repr=False)

    def fault(self, data: bytes, bundle: Bundle) -> str:
        """Why a signature of these bytes does not count; empty if it does.

        Raises `UnreadableSignature` for what is none, `Unknown`, `Denied` or `ConfigError` if the trusted keys, the
        identity of this run, or the repository's number cannot be read.
        """
        try:
            verified = self.signing.verifier.file(bundle, sha256(data).hexdigest())
        except BadSignature as error:
            return error.what
        with self._lock:
            if self._expected is None:
                self._expected = self._find_expected()
        expected = self._expected
        if expected.undecided:
            return expected.undecided
        return signed_by_release(
            verified, expected.release, repository_id=expected.repository_id, workflow=expected.workflow
        )

    def _find_expected(self) -> _Expected:
        release = NamedRelease(tag=self.tag, commit=self.git.tags().get(self.tag, ""))
        if not release.commit:
            why = f"this checkout has no tag {clean(self.tag)}, so which commit it has to name is not known"
            return _Expected(release=release, undecided=why)
        own = self._own_identity()
        number = own.repository_id if own is not None else self._number_by_forge()
        workflow = self.workflow or (workflow_path(own) if own is not None else "")
        undecided = ""
        if not workflow:
            workflow, undecided = self._workflow_at(release.commit)
        return _Expected(release=release, repository_id=number, workflow=workflow, undecided=undecided)

    def _workflow_at(self, commit: str) -> tuple[str, str]:
        """The only workflow at a commit that can sign, or why there is no such one and what to do."""
        git = self.git.at("")
        paths = [path for path in git.files(commit) if is_workflow(path)]
        found = signing_workflows({path: git.read(commit, path) for path in paths})
        if found.only:
            return found.only, ""
        possible = [*found.paths, *found.unread]
        why = "no workflow at its commit is started by tags and has 'id-token: write'"
        if found.paths:
            why = (
                f"tags start several workflows that have 'id-token: write': {list_some(list(map(clean, found.paths)))}"
            )
        if found.unread:
            why += f"; not readable: {list_some(list(map(clean, found.unread)))}"
        named = " or ".join(assign(VARIABLE, clean(each)) for each in possible or [f"{WORKFLOWS}FILE"])
        step = advice.NAME_RELEASE_WORKFLOW(choices=named)
        return "", f"it is not known which workflow makes the releases: {why}. {step}"

    def _own_identity(self) -> Identity | None:
        """The identity of this run, ``None`` if it has none or is a run of another repository."""
        if not self.signing.signer.credential().present:
            return None
        identity = self.signing.signer.identity()
        return identity if identity.repository.lower() == self.repository.lower() else None

    def _number_by_forge(self) -> str:
        number = self.forge.repository().id
        if not number:
            raise Unknown(
                "the forge does not say the repository's number, which signatures are compared by",
                where=self.forge.address,
                otherwise=advice.CHECK_RELEASE_BY_HAND(),
            )
        return number
