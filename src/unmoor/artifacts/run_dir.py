"""The run folder, ``.unmoor/<tag>/``: the built files, the proofs and the journal of a tag.

It is a cache and a record. The truth is what the surfaces hold. Its documents count only if they are vouched for,
since anyone may have put the folder there: a commit, another job, a download.

This module is long because every document of the folder is read and written in it.
"""

from __future__ import annotations

import os
import re
import shutil
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from unmoor import advice
from unmoor.artifacts import manifest as manifests
from unmoor.artifacts.belief import Belief
from unmoor.artifacts.files import SIGNATURES, describe_file, is_intact, signature_beside
from unmoor.artifacts.manifest import Manifest
from unmoor.artifacts.merge import Handover, merge_manifests, merge_proofs
from unmoor.errors import Conflict, Incomplete
from unmoor.filesystem.files import atomic_writer, is_safe_name, read_regular, sha256_of, write_atomic
from unmoor.filesystem.safe_folder import OWN, make_folder, names_in, open_in_place, open_regular, remove
from unmoor.products import Asset, File, Proof
from unmoor.products.sboms import SUFFIX
from unmoor.util.decode import decode_json
from unmoor.util.secret_scan import token_in
from unmoor.util.values import replace

BUILT = "built.json"
"""The record of the built files, before they are proven: a manifest that is not complete yet."""
IMAGES = "images.json"
"""The record of the images of the release."""
BUILT_IMAGES = "built-images.json"
"""The record of the built images, before they are proven."""
PROVENANCE = "provenance.json"
"""How the files were made, as a statement that is not signed. It repeats what a manifest says."""
_PROOFS = "proofs"
_ADDING = threading.Lock()
_LOGS = "logs"
# In characters.
_LONGEST_LOG = 50_000_000
_MAX_PROOFS = 100
# The names that `unmoor.filesystem.files.atomic_writer` and the stage ``dists`` give to what is not complete yet.
_HALF_WRITTEN = re.compile(r"\.[0-9a-f]{16}\.part|\.dists-[0-9a-f]{16}")
_CONTAINED = {
    manifests.NAME: (BUILT, f"{_PROOFS}/prove-dists.json", f"{_PROOFS}/rebuild.json"),
    IMAGES: (BUILT_IMAGES, f"{_PROOFS}/prove-images.json"),
}
"""What a complete document was made from."""


@dataclass(frozen=True)
class RunFolder:
    """The paths and documents of a run folder. Creates nothing until something is written.

    Every document in it is read and written here, so that none counts without ``belief``.
    """

    path: Path
    belief: Belief = field(default_factory=Belief, compare=False)

    @classmethod
    def of(cls, project: Path, tag: str, belief: Belief | None = None) -> RunFolder:
        """The run folder of a tag in a project. A ``/`` in the tag is escaped."""
        return cls(project / OWN / tag.replace("/", "%2F"), belief or Belief())

    @property
    def dists(self) -> Path:
        """The folder of the built files: exactly those that the manifest names."""
        return self.path / "dists"

    @property
    def sboms(self) -> Path:
        """The folder of the bills of materials. What is in it counts if the manifest has its sha256."""
        return self.path / "sboms"

    def write_sbom(self, name: str, data: bytes) -> File:
        """Write a bill of materials atomically, and describe it."""
        self.open()
        write_atomic(self.sboms / name, data)
        return describe_file(self.sboms / name)

    @property
    def docs(self) -> Path:
        """The folder of the archive of the documentation. It counts if the manifest has its sha256."""
        return self.path / "docs"

    def documented_docs(self, files: Iterable[File]) -> tuple[Asset, ...]:
        """The documentation that was built with these files: that in the manifest, else in the record of the build.

        Raises `Unknown`.
        """
        ours = {(each.name, each.sha256) for each in files}
        for document in (self.read_manifest(), self._decode(BUILT)):
            artifacts = document.artifacts if document is not None else ()
            if document is not None and document.docs and ours == {(each.name, each.sha256) for each in artifacts}:
                return document.docs
        return ()

    def read_sbom(self, name: str) -> bytes | None:
        """Read a bill of materials, ``None`` if there is none."""
        return self._read(f"{self.sboms.name}/{name}")

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

        Raises `Refused`, as every read and write does, if a link is in the way; see `unmoor.filesystem.safe_folder`.
        """
        make_folder(self.path)
        ignore = self.path.parent / ".gitignore"
        if not ignore.exists():
            write_atomic(ignore, b"*\n")

    def sweep(self) -> None:
        """Remove what killed runs left half-written. Only for the run that holds the lock of the folder."""
        for folder in (self.path, self.dists, self.sboms, self.docs, self.assets, self.signatures, self.path / _PROOFS):
            for name in names_in(folder):
                if _HALF_WRITTEN.fullmatch(name):
                    remove(folder / name)

    def read_document(self, name: str) -> bytes | None:
        """Read a document if it is vouched for; ``None`` if it is absent or nothing vouches for it.

        Raises as `Belief.vouches_for` does, if a signature would have to decide.
        """
        data = self._read(name)
        return data if data is not None and self._vouched(name, data) else None

    def _vouched(self, name: str, data: bytes) -> bool:
        return self.belief.vouches_for(data, signature_beside(self.path / name))

    def write_document(self, name: str, data: bytes) -> None:
        """Write a document atomically. This account vouches for it from now on."""
        self.open()
        self.belief.remember(data, document=name)
        write_atomic(self.path / name, data)

    def unvouched(self) -> tuple[str, ...]:
        """The names of the documents here that nothing vouches for. Given digests find their documents on the way.

        Leaves out what a complete document contains that counts. If a document has a signature that does not count,
        its name is followed by why. Raises as `read_document` does.
        """
        found = {name: data for name in self._documents() if (data := self._read(name)) is not None}
        counting = {name for name, data in found.items() if self._vouched(name, data)}
        contained = {name for whole, parts in _CONTAINED.items() if whole in counting for name in parts}
        return tuple(self._named(name, data) for name, data in found.items() if name not in counting | contained)

    def _named(self, name: str, data: bytes) -> str:
        fault = self.belief.signature_fault(data, signature_beside(self.path / name))
        return f"{name} (its signature does not count: {fault})" if fault else name

    def _documents(self) -> tuple[str, ...]:
        """The names of the documents that may be here."""
        names = sorted(names_in(self.path / _PROOFS))[:_MAX_PROOFS]
        return (manifests.NAME, BUILT, IMAGES, BUILT_IMAGES, *(f"{_PROOFS}/{name}" for name in names))

    def _read(self, name: str) -> bytes | None:
        try:
            return read_regular(self.path / name, manifests.LIMIT)
        except FileNotFoundError:
            return None

    def read_manifest(self) -> Manifest | None:
        """Read the complete manifest, ``None`` if there is none that counts. Raises `Unknown` if it is broken."""
        return self._decode(manifests.NAME)

    def read_known(self) -> Manifest | None:
        """Read what names the files: the manifest, or the record of the build if the manifest is not complete yet."""
        return self.read_manifest() or self._decode(BUILT)

    def _decode(self, name: str) -> Manifest | None:
        data = self.read_document(name)
        return manifests.decode(data, where=str(self.path / name)) if data is not None else None

    def read_provenance(self) -> bytes | None:
        """Read the unsigned provenance, ``None`` if there is none. It counts if it says what the manifest says."""
        return self._read(PROVENANCE)

    def write_provenance(self, statement: bytes) -> None:
        """Write the unsigned provenance atomically."""
        self.open()
        write_atomic(self.path / PROVENANCE, statement)

    def documented_sboms(self, files: Iterable[File]) -> tuple[Asset, ...]:
        """The bills of materials of these files: those in the manifest, else those in the record of the build.

        What a document lists for other bytes of the same name is none of theirs. Raises `Unknown`.
        """
        ours = {(each.name, each.sha256) for each in files}
        for document in (self.read_manifest(), self._decode(BUILT)):
            artifacts = document.artifacts if document is not None else ()
            same = {f"{each.name}{SUFFIX}" for each in artifacts if (each.name, each.sha256) in ours}
            if document is not None and (found := tuple(each for each in document.sboms if each.name in same)):
                return found
        return ()

    def write_manifest(self, manifest: Manifest) -> None:
        """Write the complete manifest."""
        self.write_document(manifests.NAME, manifests.encode(manifest))

    def write_build(self, manifest: Manifest) -> None:
        """Write the record of the built files."""
        self.write_document(BUILT, manifests.encode(manifest))

    def add_to_build(self, change: Callable[[Manifest], Manifest]) -> None:
        """Change what names the files, if anything does, and write it as the record of the build.

        Stages that run side by side add what they made. One at a time reads and writes, so that none loses another's.
        """
        with _ADDING:
            known = self.read_known()
            if known is not None:
                self.write_build(change(known))

    def forget_build(self) -> None:
        """Remove the documents that name files: as long as one is there, the files count as complete."""
        for name in (manifests.NAME, BUILT):
            remove(self.path / name)

    def take(self, legs: Sequence[Handover]) -> None:
        """Copy files that other machines built, each leg by its own manifest, which must be vouched for.

        Raises `Refused` if nothing vouches for a manifest, `Incomplete` if a file or manifest is missing, `Conflict`
        if a file has other bytes, two legs disagree or this folder already holds other files, and `Unknown` if a
        manifest is broken.
        """
        data = [leg.read(self.belief) for leg in legs]
        decoded = [manifests.decode(each, where=str(leg.manifest)) for leg, each in zip(legs, data, strict=True)]
        read = [(leg, leg.with_proofs(each, self.belief)) for leg, each in zip(legs, decoded, strict=True)]
        whole = merge_manifests(read)
        known = self.read_known()
        if known is not None and set(known.artifacts) != set(whole.artifacts):
            raise Conflict(
                "this folder already holds other files of the tag",
                where=str(self.path),
                next_step=advice.REMOVE_OTHER_FILES(),
                retryable=True,
            )
        for leg, manifest in read:
            for file in manifest.dists(leg.dists).files:
                self._copy(file, self.dists)
            for file in manifest.sbom_files(leg.sboms):
                self._copy(file, self.sboms)
            for file in manifest.docs_files(leg.docs):
                self._copy(file, self.docs)
        if known is None and len(data) == 1 and read[0][1] is decoded[0]:
            self.write_document(manifests.NAME, data[0])
        else:
            self._add_handed_over(known or whole, whole)

    def _add_handed_over(self, known: Manifest, whole: Manifest) -> None:
        """Record merged files, and proofs and bills of materials that are not known yet."""
        # A proof made here covers at least the digests that were handed over.
        own = {proof.name: set(proof.subjects) for proof in known.proofs}
        new = [proof for proof in whole.proofs if not own.get(proof.name, set()) >= set(proof.subjects)]
        named = {each.name for each in known.sboms}
        sboms = [each for each in whole.sboms if each.name not in named]
        docs = known.docs or whole.docs
        if known is whole or new or sboms or docs != known.docs:
            merged = tuple(sorted((*known.sboms, *sboms), key=lambda each: each.name))
            proofs = merge_proofs((*known.proofs, *new))
            self.write_build(replace(known, proofs=proofs, sboms=merged, docs=docs))

    def _copy(self, file: File, into: Path) -> None:
        """Copy a handed-over file if it has the bytes that its manifest names."""
        if not file.path.is_file():
            raise Incomplete(
                f"{file.name} is missing",
                where=str(file.path.parent),
                next_step=advice.HAND_OVER_EVERY_FILE(),
                retryable=False,
            )
        if not is_intact(file):
            raise Conflict(
                f"{file.name} is sha256 {sha256_of(file.path)}, and the manifest says {file.sha256}",
                where=str(file.path.parent),
                next_step=advice.HAND_OVER_EVERY_FILE(),
            )
        with open_regular(file.path) as source, atomic_writer(into / file.name) as target:
            shutil.copyfileobj(source, target)

    def read_proof(self, name: str) -> Proof | None:
        """Read the proof that a stage left here, ``None`` if there is none that counts or it cannot be read."""
        data = self.read_document(f"{_PROOFS}/{name}.json") if is_safe_name(name) else None
        if data is None:
            return None
        try:
            proof = decode_json(data, Proof)
        except ValueError:
            return None
        return proof if proof.name == name else None

    def proofs(self, name: str) -> Iterator[Proof]:
        """The proofs of a stage: the one it left here, then those in the documents about files. Raises `Unknown`."""
        known = (self.read_proof(name), *(proof for proof in self.documented_proofs() if proof.name == name))
        return (proof for proof in known if proof is not None)

    def documented_proofs(self) -> Iterator[Proof]:
        """Every proof in the manifest and in the record of the build. Raises `Unknown`."""
        documents = (self.read_manifest(), self._decode(BUILT))
        return (proof for each in documents if each is not None for proof in each.proofs)

    def write_proof(self, proof: Proof) -> None:
        """Write a proof atomically."""
        import msgspec

        self.write_document(f"{_PROOFS}/{proof.name}.json", msgspec.json.encode(proof))

    @contextmanager
    def open_log(self, name: str) -> Iterator[Callable[[str], None]]:
        """Open the log of a program and yield a function that writes one line, without what looks like a secret.

        A log of that name is replaced. Only its user can read it. Nothing reads it again.
        """
        self.open()
        with os.fdopen(open_in_place(self.log(name), mode=0o600, empty=True), "w", encoding="utf-8") as stream:
            left = _LONGEST_LOG

            def write(line: str) -> None:
                nonlocal left
                if left > 0:
                    left -= len(line)
                    secret = token_in(line)
                    text = f"[a line with {secret} is left out]" if secret else line
                    stream.write(f"{text}\n" if left > 0 else "[the rest is left out]\n")
                    stream.flush()

            yield write

    def log(self, name: str) -> Path:
        """The path of a log."""
        return self.path / _LOGS / name

    def remove_logs(self) -> None:
        """Remove the logs of earlier runs."""
        remove(self.path / _LOGS)

    def write_asset(self, name: str, data: bytes) -> Path:
        """Write a text asset of the release and return its path."""
        self.open()
        path = self.assets / name
        write_atomic(path, data)
        return path

    @property
    def signatures(self) -> Path:
        """The folder of the signatures. What is in it counts once it has been verified, whoever put it there."""
        return self.path / SIGNATURES

    def read_signature(self, name: str) -> bytes | None:
        """Read a signature, ``None`` if there is none."""
        return self._read(f"{SIGNATURES}/{name}")

    def write_signature(self, name: str, data: bytes) -> Path:
        """Write a signature atomically and return its path."""
        self.open()
        path = self.signatures / name
        write_atomic(path, data)
        return path

    def leftovers(self, names: Sequence[str]) -> tuple[str, ...]:
        """The files in ``dists`` that are not in ``names``."""
        return tuple(name for name in names_in(self.dists) if name not in names)
