"""What a run will sign and what not, asked before anything is built."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from unmoor import advice
from unmoor.errors import Denied
from unmoor.ports.index import Index
from unmoor.ports.signer import Signing
from unmoor.products import Certainty, Finding, Release
from unmoor.publish.signatures import why_unsigned, why_withheld
from unmoor.util.text import clean

SURFACE = "signatures"


def probe_signing(
    signing: Signing | None,
    indexes: Iterable[Index],
    release: Release,
    *,
    images: Sequence[str] = (),
    required: bool,
    asks: bool,
) -> list[Finding]:
    """Return what will be signed and which indexes get signatures. ``images`` are the names of the images.

    ``asks``: get an ID token, which says who signs; without it, only what the environment says is reported. Raises
    `Denied` if something that is required cannot be signed, and `Unknown` if the CI does not answer.
    """
    credential = signing.signer.credential() if signing is not None else None
    if signing is None or credential is None or not credential.present:
        origin = credential.origin if credential is not None else "this world has no [signing]"
        if required:
            step = credential.remedy if credential is not None else advice.DESCRIBE_SIGNING()
            raise Denied(f'attestations = "required", but nothing can be signed: {origin}', next_step=step)
        return [_finding(f"nothing will be signed: {origin}")]
    if not asks:
        return [_finding(f"identity of {credential.origin}; no token requested", Certainty.UNPROVEN)]
    identity = signing.signer.identity()
    if why := why_unsigned(identity, release, required=required):
        return [_finding(f"nothing will be signed: {why}")]
    who = clean(identity.workflow, 300)
    found = [_finding(f"the files will be signed as {who}", Certainty.PROVEN)]
    if images:
        beside = f"a signature will be put beside each image on {', '.join(images)}"
        found.append(_finding(beside, Certainty.UNPROVEN, proven_by="sign-images"))
    for index in indexes:
        why = why_withheld(identity) or index.why_no_attestations()
        if why and required:
            raise Denied(
                f'attestations = "required", but {index.name} would refuse them: {why}',
                next_step=advice.PUBLISH_BY_TRUSTED_PUBLISHING(index=index.name),
            )
        if why:
            found.append(_finding(f"{index.name} gets the files without attestations: {why}"))
    return found


def _finding(detail: str, certainty: Certainty = Certainty.PROVEN, proven_by: str = "sign") -> Finding:
    return Finding(surface=SURFACE, certainty=certainty, detail=detail, proven_by=proven_by)
