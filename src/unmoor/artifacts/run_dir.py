"""The run folder, ``.unmoor/<tag>/``: the built files, the proofs and the journal of a tag.

It is a cache and a record. The truth is what the surfaces hold.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from unmoor.artifacts import manifest as manifests
from unmoor.artifacts.files import is_intact
from unmoor.artifacts.manifest import Manifest
from unmoor.artifacts.merge import Handover, merge_manifests, merge_proofs
from unmoor.errors import Conflict, Incomplete
from unmoor.products import File, Proof
from unmoor.util.decode import decode_json
from unmoor.util.files import atomic_writer, is_safe_name, read_regular, sha256_of, write_atomic
from unmoor.util.safe_folder import OWN, make_folder, names_in, open_regular

# Proofs are made in parallel, and each is added to the one manifest.
_ADDING = threading.Lock()


@dataclass(frozen=True)
class RunFolder:
    """The paths in a run folder. Creates nothing until something is written."""

    path: Path

    @classmethod
    def of(cls, project: Path, tag: str) -> RunFolder:
        """The run folder of a tag in a project. A ``/`` in the tag is escaped."""
        return cls(project / OWN / tag.replace("/", "%2F"))

    @property
    def dists(self) -> Path:
        """The folder of the built files: exactly those that the manifest names."""
        return self.path / "dists"

    @property
    def journal(self) -> Path:
        """The path of the journal."""
        return self.path / "journal.jsonl"

    @property
    def assets(self) -> Path:
        """The folder of the release's text assets."""
        return self.path / "assets"

    @property
    def manifest(self) -> Path:
        """The path of the manifest."""
        return self.path / manifests.NAME

    def open(self) -> None:
        """Create the folder, and make git ignore everything below ``.unmoor``.

        Raises `Refused`, as every read and write does, if a link is in the way; see `unmoor.util.safe_folder`.
        """
        make_folder(self.path)
        ignore = self.path.parent / ".gitignore"
        if not ignore.exists():
            write_atomic(ignore, b"*\n")

    def read_manifest(self) -> Manifest | None:
        """Read the manifest, ``None`` if there is none. Raises `Unknown` if it is broken."""
        try:
            data = read_regular(self.manifest, manifests.LIMIT)
        except FileNotFoundError:
            return None
        return manifests.decode(data, where=str(self.manifest))

    def write_manifest(self, manifest: Manifest) -> None:
        """Write the manifest atomically."""
        self.open()
        write_atomic(self.manifest, manifests.encode(manifest))

    def take(self, legs: Sequence[Handover]) -> None:
        """Copy files that other machines built, each leg by its own manifest.

        Raises `Incomplete` if a file or manifest is missing, `Conflict` if a file has other bytes, two legs
        disagree or this folder already holds other files, and `Unknown` if a manifest is broken.
        """
        read = [(leg, leg.read()) for leg in legs]
        whole = merge_manifests(read)
        known = self.read_manifest()
        if known is not None and set(known.artifacts) != set(whole.artifacts):
            raise Conflict(
                "this folder already holds other files of the tag",
                where=str(self.path),
                next_step="remove the folder if you do not need them",
                retryable=True,
            )
        for leg, manifest in read:
            for file in manifest.dists(leg.dists).files:
                self._copy(file)
        if known is None:
            self.write_manifest(whole)
        else:
            # A proof made here covers at least the digests that were handed over.
            own = {proof.name: set(proof.subjects) for proof in known.proofs}
            new = [proof for proof in whole.proofs if not own.get(proof.name, set()) >= set(proof.subjects)]
            self.write_manifest(replace(known, proofs=merge_proofs((*known.proofs, *new))))

    def _copy(self, file: File) -> None:
        """Copy a handed-over file if it has the bytes that its manifest names."""
        if not file.path.is_file():
            raise Incomplete(
                f"{file.name} is missing",
                where=str(file.path.parent),
                next_step="hand over every file of the manifest",
                retryable=False,
            )
        if not is_intact(file):
            raise Conflict(
                f"{file.name} is sha256 {sha256_of(file.path)}, and the manifest says {file.sha256}",
                where=str(file.path.parent),
                next_step="hand over exactly the files that were built",
            )
        with open_regular(file.path) as source, atomic_writer(self.dists / file.name) as target:
            shutil.copyfileobj(source, target)

    def read_proof(self, name: str) -> Proof | None:
        """Read the proof that a stage left here, ``None`` if there is none or it cannot be read."""
        if not is_safe_name(name):
            return None
        try:
            data = read_regular(self.path / "proofs" / f"{name}.json", manifests.LIMIT)
            proof = decode_json(data, Proof)
        except (FileNotFoundError, ValueError):
            return None
        return proof if proof.name == name else None

    def proofs(self, name: str) -> Iterator[Proof]:
        """The proofs of a stage: the one it left here, then the manifest's. Raises `Unknown`."""
        manifest = self.read_manifest()
        known = (self.read_proof(name), manifest.proof(name) if manifest is not None else None)
        return (proof for proof in known if proof is not None)

    def write_proof(self, proof: Proof) -> None:
        """Write a proof atomically."""
        import msgspec

        self.open()
        write_atomic(self.path / "proofs" / f"{proof.name}.json", msgspec.json.encode(proof))

    def add_proof(self, proof: Proof) -> None:
        """Write a proof, and add it to the manifest if there is one."""
        with _ADDING:
            self.write_proof(proof)
            manifest = self.read_manifest()
            if manifest is not None:
                proofs = {each.name: each for each in (*manifest.proofs, proof)}
                self.write_manifest(replace(manifest, proofs=tuple(proofs[name] for name in sorted(proofs))))

    def write_asset(self, name: str, data: bytes) -> Path:
        """Write a text asset of the release and return its path."""
        self.open()
        path = self.assets / name
        write_atomic(path, data)
        return path

    def leftovers(self, names: Sequence[str]) -> tuple[str, ...]:
        """The files in ``dists`` that are not in ``names``."""
        return tuple(name for name in names_in(self.dists) if name not in names)
