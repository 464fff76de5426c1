"""The manifest: what a release consists of, as JSON. It is an asset of every release."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from unmoor import advice
from unmoor.core.waivers import Emergency, Gate
from unmoor.errors import Unknown
from unmoor.products import Asset, Dists, File, Proof, PushedImage, Release, Subject, Tool
from unmoor.util.decode import decode_json
from unmoor.util.text import clean

NAME = "manifest.json"
SCHEMA = 2
FORMER_SCHEMA = 1
"""The schema of manifests that also listed what was pushed, and so changed after they were written."""
SBOM = "sbom"
"""The stage that makes the bills of materials, which a manifest lists besides the files and their proofs."""
DOCS = "build-docs"
"""The stage that builds the documentation, whose archive a manifest lists as well."""
LIMIT = 10_000_000
PROOF = "prove-dists"
"""The proof that makes a manifest complete, if it covers every artifact. A complete manifest never changes."""


class Artifact(msgspec.Struct, frozen=True, kw_only=True):
    """One file of the release: sha256 in lower-case hexadecimal, size in bytes."""

    name: str
    kind: str
    sha256: str
    size: int


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """Version, commit, artifacts with digests and sizes, proofs, versions of the tools, and unusual decisions.

    Two manifests of one release are the same bytes: they hold no times, numbers of tests, local paths or host names.
    Images are not listed: they have a record of their own, since no image can be built twice with the same bytes.
    ``pushed`` is only in manifests of a former schema: ``pushed.json`` says now what the registries hold.

    ``sboms`` are the bills of materials of artifacts, omitted if there are none. Another day would give others.
    ``docs`` is the archive of the documentation, omitted if there is none.

    ``path`` is the project's folder in the repository, omitted for the top. ``settings`` is empty if the
    settings are the commit's own, else ``NAME sha256:DIGEST`` of the file that replaced them. ``emergency`` is the
    emergency in which the manifest was completed, omitted if there was none.
    """

    schema: int = SCHEMA
    project: str
    version: str
    tag: str
    commit: str
    repository: str
    prerelease: bool
    path: str = ""
    settings: str = ""
    artifacts: tuple[Artifact, ...]
    sboms: tuple[Asset, ...] = ()
    docs: tuple[Asset, ...] = ()
    pushed: tuple[PushedImage, ...] = ()
    proofs: tuple[Proof, ...] = ()
    tools: tuple[Tool, ...] = msgspec.field(default=())
    decisions: tuple[str, ...] = ()
    emergency: Emergency | None = None

    @classmethod
    def of(
        cls,
        release: Release,
        dists: Dists,
        proofs: tuple[Proof, ...] = (),
        sboms: tuple[Asset, ...] = (),
        *,
        docs: tuple[Asset, ...] = (),
        emergency: Emergency | None = None,
    ) -> Manifest:
        """Describe a release, its files, the proofs of them, what goes with them, and the emergency, if any."""
        return cls(
            project=release.project,
            version=release.version,
            tag=release.tag,
            commit=release.commit,
            repository=release.repository,
            prerelease=release.prerelease,
            path=release.path,
            settings=release.settings,
            artifacts=tuple(
                Artifact(name=file.name, kind="wheel" if file.is_wheel else "sdist", sha256=file.sha256, size=file.size)
                for file in dists.files
            ),
            sboms=tuple(sorted(sboms, key=lambda each: each.name)),
            docs=docs,
            proofs=tuple(sorted((proof.without_counts() for proof in proofs), key=lambda proof: proof.name)),
            tools=dists.tools,
            decisions=dists.decisions,
            emergency=emergency,
        )

    @property
    def is_former(self) -> bool:
        """Whether a former version of unmoor wrote it, which changed a manifest after it was written."""
        return self.schema == FORMER_SCHEMA

    def is_of(self, release: Release) -> bool:
        """Whether this is the manifest of that tag, version, commit and project folder."""
        ours = (self.tag, self.version, self.commit, self.path)
        return ours == (release.tag, release.version, release.commit, release.path)

    def unlike(self, release: Release) -> str:
        """Say what this manifest is of, for a message that it is not of ``release``."""
        theirs, ours = (self.tag, self.version, self.commit), (release.tag, release.version, release.commit)
        if theirs == ours:
            top = "the top of the repository"
            return (
                f"of the project in {clean(self.path) or top}, and not of that in {release.path or top}:"
                f" {release.tag} can be the release of one of them"
            )
        return f"of {clean(self.tag)} at commit {clean(self.commit)}, and not of {release.tag} at {release.commit}"

    def dists(self, folder: Path) -> Dists:
        """The files that this manifest names, as paths in a folder. Reads nothing."""
        files = (File(name=a.name, sha256=a.sha256, size=a.size, path=folder / a.name) for a in self.artifacts)
        return Dists(files=tuple(files), tools=self.tools, decisions=self.decisions)

    def sbom_files(self, folder: Path) -> tuple[File, ...]:
        """The bills of materials that this manifest lists, as paths in a folder. Reads nothing."""
        return tuple(File(name=a.name, sha256=a.sha256, size=a.size, path=folder / a.name) for a in self.sboms)

    def docs_files(self, folder: Path) -> tuple[File, ...]:
        """The archive of the documentation, if this manifest lists one, as a path in a folder. Reads nothing."""
        return tuple(File(name=a.name, sha256=a.sha256, size=a.size, path=folder / a.name) for a in self.docs)

    @property
    def wheels(self) -> tuple[Subject, ...]:
        """The wheels among the artifacts, by name and sha256."""
        return tuple(Subject(name=a.name, sha256=a.sha256) for a in self.artifacts if a.kind == "wheel")

    def is_complete(self, name: str) -> bool:
        """Whether the proof of that name covers every artifact."""
        proof = self.proof(name)
        return proof is not None and {(a.name, a.sha256) for a in self.artifacts} <= {
            (subject.name, subject.sha256) for subject in proof.subjects
        }

    def waives(self, gate: Gate) -> bool:
        """Whether the manifest was completed in an emergency that waived this gate."""
        return self.emergency is not None and gate in self.emergency.gates

    def proof(self, name: str) -> Proof | None:
        """The proof of that name, ``None`` if there is none."""
        return next((proof for proof in self.proofs if proof.name == name), None)


def encode(manifest: Manifest) -> bytes:
    """Encode as JSON with sorted keys, an indent of two, and a final newline."""
    import msgspec

    document = msgspec.to_builtins(manifest)
    for name in ("path", "pushed", "sboms", "docs", "emergency"):
        if not document.get(name):
            document.pop(name, None)
    for proof in document["proofs"]:
        for result in proof["results"]:
            result.pop("counts", None)
    return msgspec.json.format(msgspec.json.encode(document, order="sorted"), indent=2) + b"\n"


def decode(data: bytes, *, where: str) -> Manifest:
    """Decode JSON. Raises `Unknown` if it is no manifest that this version can read."""
    from unmoor.filesystem.files import is_safe_name

    try:
        manifest = decode_json(data[: LIMIT + 1], Manifest)
    except ValueError as error:
        raise Unknown(f"this is not a manifest: {error}", where=where, next_step=advice.REMOVE_FILE()) from error
    is_readable = manifest.schema in {SCHEMA, FORMER_SCHEMA}
    names = [*(each.name for each in manifest.artifacts), *(each.name for each in (*manifest.sboms, *manifest.docs))]
    if not is_readable or not all(map(is_safe_name, names)):
        raise Unknown(
            f"cannot read a manifest of schema {manifest.schema}, or with unsafe file names",
            where=where,
            next_step=advice.USE_VERSION_THAT_WROTE_IT(),
            retryable=False,
        )
    return manifest


def schema() -> dict[str, Any]:
    """The JSON schema of a manifest."""
    import msgspec

    return msgspec.json.schema(Manifest)
