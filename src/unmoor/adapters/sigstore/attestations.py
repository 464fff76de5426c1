"""The two encodings of one signature: a Sigstore bundle, and the attestation that an index takes (PEP 740).

``pypi-attestations`` converts them. It also signs and verifies, but against the public instance alone. It calls itself
an implementation detail of the index, so only this module and the predicate type in `unmoor.provenance` use it.
"""

from __future__ import annotations

from unmoor.adapters.sigstore.reading import bounded, read_bundle, readable
from unmoor.ports.signer import Bundle


def to_attestation(bundle: Bundle) -> bytes:
    """Return a bundle of a statement as an attestation, which is a JSON object. Raises `Unknown` for anything else."""
    from pypi_attestations import Attestation

    read = read_bundle(bundle)
    with readable("the signature"):
        return Attestation.from_bundle(read).model_dump_json().encode()


def to_bundle(attestation: bytes) -> Bundle:
    """Return an attestation as a bundle. Raises `Unknown` if it is not one. Checks no signature."""
    from pypi_attestations import Attestation

    with readable("the attestation"):
        return Attestation.model_validate_json(bounded(attestation)).to_bundle().to_json().encode()


def provenance_bundles(provenance: bytes) -> tuple[Bundle, ...]:
    """Return the attestations that an index serves of a file, as bundles.

    Raises `Unknown` if it is not a provenance object of PEP 740. Checks no signature.
    """
    from pypi_attestations import Provenance

    with readable("what the index serves as attestations"):
        read = Provenance.model_validate_json(provenance)
        each = [attestation for bundle in read.attestation_bundles for attestation in bundle.attestations]
        return tuple(bounded(attestation.to_bundle().to_json().encode()) for attestation in each)
