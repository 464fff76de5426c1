"""The folder of one run: ``.unmoor/<tag>/``, where the built files, the proofs and the journal lie.

It is a cache and a record. What is true is what the surfaces hold.
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
from unmoor.util.files import atomic_writer, is_safe_name, read_regular, sha256_of, write_atomic

# Proofs are found side by side, and each is added to the one manifest.
_ADDING = threading.Lock()


@dataclass(frozen=True)
class RunFolder:
    """Where things lie. Nothing is made until something is written."""

    path: Path

    @classmethod
    def of(cls, project: Path, tag: str) -> RunFolder:
        """The folder of a tag in a project; ``/`` in the tag is escaped."""
        return cls(project / ".unmoor" / tag.replace("/", "%2F"))

    @property
    def dists(self) -> Path:
        """Where the built files lie: exactly those the manifest names."""
        return self.path / "dists"

    @property
    def journal(self) -> Path:
        """The journal."""
        return self.path / "journal.jsonl"

    @property
    def assets(self) -> Path:
        """Where the text assets of the release lie."""
        return self.path / "assets"

    @property
    def manifest(self) -> Path:
        """The manifest."""
        return self.path / manifests.NAME

    def open(self) -> None:
        """Make the folder, and see that git ignores everything under ``.unmoor``."""
        self.path.mkdir(parents=True, exist_ok=True)
        ignore = self.path.parent / ".gitignore"
        if not ignore.exists():
            write_atomic(ignore, b"*\n")

    def read_manifest(self) -> Manifest | None:
        """Read the manifest, ``None`` where there is none. Raises `Unknown` for one that is broken."""
        try:
            data = read_regular(self.manifest, manifests.LIMIT)
        except FileNotFoundError:
            return None
        return manifests.decode(data, where=str(self.manifest))

    def write_manifest(self, manifest: Manifest) -> None:
        """Write the manifest, whole or not at all."""
        self.open()
        write_atomic(self.manifest, manifests.encode(manifest))

    def take(self, legs: Sequence[Handover]) -> None:
        """Take over files that other machines built, each leg by the manifest that names its own.

        Raises `Incomplete` for a file or a manifest that is missing, `Conflict` for one with other bytes, where
        two legs are at odds, or where this folder holds other files already, `Unknown` for a manifest that is none.
        """
        said = [(leg, leg.read()) for leg in legs]
        whole = merge_manifests(said)
        known = self.read_manifest()
        if known is not None and set(known.artifacts) != set(whole.artifacts):
            raise Conflict(
                "this folder holds other files of the tag already",
                where=str(self.path),
                next_step="remove the folder if those are not meant, then run the same command again",
            )
        for leg, manifest in said:
            for file in manifest.dists(leg.dists).files:
                self._copy(file)
        if known is None:
            self.write_manifest(whole)
        else:
            # A proof that was made here, of as many digests, knows more than what it was made from.
            own = {proof.name: set(proof.subjects) for proof in known.proofs}
            new = [proof for proof in whole.proofs if not own.get(proof.name, set()) >= set(proof.subjects)]
            self.write_manifest(replace(known, proofs=merge_proofs((*known.proofs, *new))))

    def _copy(self, file: File) -> None:
        """Copy a file that was handed over, if its bytes are those of its manifest."""
        if not file.path.is_file():
            raise Incomplete(
                f"{file.name} is missing", where=str(file.path.parent), next_step="hand over every file of the manifest"
            )
        if not is_intact(file):
            raise Conflict(
                f"{file.name} is sha256 {sha256_of(file.path)}, and the manifest says {file.sha256}",
                where=str(file.path.parent),
                next_step="hand over the very files that were built",
            )
        with file.path.open("rb") as source, atomic_writer(self.dists / file.name) as target:
            shutil.copyfileobj(source, target)

    def read_proof(self, name: str) -> Proof | None:
        """Read the proof that a stage left here, ``None`` where there is none of that stage, or it cannot be read."""
        import msgspec

        if not is_safe_name(name):
            return None
        try:
            data = read_regular(self.path / "proofs" / f"{name}.json", manifests.LIMIT)
            proof = msgspec.json.decode(data, type=Proof)
        except (FileNotFoundError, msgspec.MsgspecError):
            return None
        return proof if proof.name == name else None

    def proofs(self, name: str) -> Iterator[Proof]:
        """The proofs of a stage that are known here: the one it left, then the manifest's. Raises `Unknown`."""
        manifest = self.read_manifest()
        known = (self.read_proof(name), manifest.proof(name) if manifest is not None else None)
        return (proof for proof in known if proof is not None)

    def write_proof(self, proof: Proof) -> None:
        """Write a proof, whole or not at all."""
        import msgspec

        self.open()
        write_atomic(self.path / "proofs" / f"{proof.name}.json", msgspec.json.encode(proof))

    def add_proof(self, proof: Proof) -> None:
        """Write a proof, and into the manifest, where there is one, beside the others, sorted by name."""
        with _ADDING:
            self.write_proof(proof)
            manifest = self.read_manifest()
            if manifest is not None:
                proofs = {each.name: each for each in (*manifest.proofs, proof)}
                self.write_manifest(replace(manifest, proofs=tuple(proofs[name] for name in sorted(proofs))))

    def write_asset(self, name: str, data: bytes) -> Path:
        """Write a text asset of the release and return where it lies."""
        self.open()
        path = self.assets / name
        write_atomic(path, data)
        return path

    def leftovers(self, names: Sequence[str]) -> tuple[str, ...]:
        """Files under ``dists`` that no one named."""
        if not self.dists.is_dir():
            return ()
        return tuple(sorted(path.name for path in self.dists.iterdir() if path.name not in names))
