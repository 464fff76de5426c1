"""Complete the documents at the end of a run, and give their sha256, which later jobs have to be told."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256

from unmoor.artifacts import manifest as manifests
from unmoor.artifacts.run_dir import IMAGES, RunFolder
from unmoor.core.events import Report
from unmoor.core.outcome import Failed
from unmoor.core.waivers import Emergency
from unmoor.products import BuiltDocs, Dists, Images, Proof, Release, Sboms
from unmoor.products.proof import REBUILD
from unmoor.publish.documents import complete
from unmoor.publish.emergencies import with_results

_PROOFS = ("prove-dists", REBUILD)
_STAGED = "prove-testpypi"
ON_THE_DRAFT = (IMAGES, manifests.NAME)
"""What another machine finds on the draft, if it is given the sha256. A proof is only handed from job to job."""


def write(report: Report, folder: RunFolder, emergency: Emergency | None = None) -> Mapping[str, str]:
    """Write the documents of what a run built and proved. Return the sha256 of each by file name, the manifest last.

    Writes nothing if the run did not get as far as its files, if their test failed, or if nothing vouches for them.
    """
    release, dists = report.product("tag"), report.product("dists")
    if not isinstance(release, Release) or not isinstance(dists, Dists) or not dists.vouched:
        return {}
    if any(report.outcome(name) is not None and report.product(name) is None for name in _PROOFS):
        return {}
    proofs = (proof for name in _PROOFS if isinstance(proof := report.product(name), Proof))
    image_proof = report.product("prove-images")
    images = report.product("images")
    sboms = report.product(manifests.SBOM)
    if sboms is None and isinstance(report.outcome(manifests.SBOM), Failed):
        return {}  # the next run still has to make them
    docs = report.product(manifests.DOCS)
    if docs is None and isinstance(report.outcome(manifests.DOCS), Failed):
        return {}
    products = {each.info.name: report.product(each.info.name) for each in report.stages}
    documents = complete(
        folder,
        release,
        dists,
        tuple(proofs),
        sboms=sboms if isinstance(sboms, Sboms) else None,
        docs=docs if isinstance(docs, BuiltDocs) else None,
        images=images if isinstance(images, Images) else None,
        image_proof=image_proof if isinstance(image_proof, Proof) else None,
        emergency=with_results(emergency, products) if emergency is not None else None,
    )
    documents.write(folder)
    return {**_proofs(report, folder), **documents.digests}


def _proofs(report: Report, folder: RunFolder) -> Mapping[str, str]:
    """The sha256 of each proof that the run has and that is a document of its own, which a job can hand over alone.

    One of the files that came with a manifest, as from a release that is public already, becomes such a document.
    """
    has = {name: proof for name in (*_PROOFS, _STAGED) if isinstance(proof := report.product(name), Proof)}
    for name in _PROOFS:
        if name in has and folder.read_document(f"proofs/{name}.json") is None:
            folder.write_proof(has[name])
    found = {f"{name}.json": folder.read_document(f"proofs/{name}.json") for name in has}
    return {name: sha256(data).hexdigest() for name, data in found.items() if data is not None}
