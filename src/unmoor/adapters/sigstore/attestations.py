"""The two encodings of one signature: a Sigstore bundle, and the attestation that an index takes (PEP 740).

``pypi-attestations`` converts them. It also signs and verifies, but against the public instance alone. It calls itself
an implementation detail of the index, so only this module and the predicate type in `unmoor.provenance` use it.
"""

from __future__ import annotations

from unmoor.adapters.sigstore.reading import bounded, read_bundle, readable
from unmoor.ports.index import AttestedBy, Publisher
from unmoor.ports.signer import Bundle
from unmoor.util.text import clean


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
    return tuple(bundle for each in read_provenance(provenance) for bundle in each.bundles)


def read_provenance(provenance: bytes) -> tuple[AttestedBy, ...]:
    """Return the same attestations by their publisher, as the index names it. Raises as `provenance_bundles` does."""
    from pypi_attestations import Provenance

    with readable("what the index serves as attestations"):
        read = Provenance.model_validate_json(provenance)
        return tuple(
            AttestedBy(
                publisher=_publisher(bundle.publisher),
                bundles=tuple(bounded(each.to_bundle().to_json().encode()) for each in bundle.attestations),
            )
            for bundle in read.attestation_bundles
        )


def _publisher(read: object) -> Publisher:
    """What a publisher of any kind says of itself, safe to print. Each kind has fields of its own."""

    def text(*names: str) -> str:
        return next((clean(str(value), 200) for name in names if (value := getattr(read, name, None))), "")

    return Publisher(
        kind=text("kind"),
        repository=text("repository"),
        workflow=text("workflow", "workflow_filepath"),
        environment=text("environment"),
    )
