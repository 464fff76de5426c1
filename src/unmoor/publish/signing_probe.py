"""What a run will sign and what not, asked before anything is built."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from unmoor import advice
from unmoor.artifacts import manifest as manifests
from unmoor.artifacts.run_dir import IMAGES
from unmoor.errors import Denied, Unknown
from unmoor.ports.forge import ForgeRelease
from unmoor.ports.index import Index
from unmoor.ports.key_signer import KeySigner
from unmoor.ports.signer import Identity, Signing
from unmoor.products import Certainty, Finding, Release
from unmoor.products.sboms import SUFFIX as SBOM
from unmoor.provenance.names import bundle_name, provenance_name
from unmoor.publish.release_assets import DISTS, SUMS
from unmoor.publish.signatures import no_identity, why_unsigned, why_withheld
from unmoor.util.text import clean

SURFACE = "signatures"
_TRIAL = b"a trial of the key, which is sent nowhere\n"


def probe_signing(
    signing: Signing | None,
    indexes: Iterable[Index],
    release: Release,
    *,
    images: Sequence[str] = (),
    required: bool,
    asks: bool,
    there: Callable[[], ForgeRelease | None],
) -> list[Finding]:
    """Return what will be signed and which indexes get signatures. ``images`` are the names of the images.

    ``asks``: get an ID token, which says who signs; without it, only what the environment says is reported. ``there``
    reads the release of the tag on the forge: one with all signatures is finished by a run that can make none. Raises
    `Denied` if something that is required cannot be signed, and `Unknown` if the CI does not answer.
    """
    credential = signing.signer.credential() if signing is not None else None
    if signing is None or credential is None or not credential.present:
        origin = credential.origin if credential is not None else "this world has no [signing]"
        if not required:
            return [_finding(f"nothing will be signed: {origin}")]
        if signing is None or credential is None:
            what = f'attestations = "required", but nothing can be signed: {origin}'
            raise Denied(what, next_step=advice.DESCRIBE_SIGNING())
        return _signed_already(no_identity(credential), None, indexes, release, there)
    if not asks:
        return [_finding(f"identity of {credential.origin}; no token requested", Certainty.UNPROVEN)]
    identity = signing.signer.identity()
    try:
        why = why_unsigned(identity, release, required=required)
    except Denied as error:
        return _signed_already(error, identity, indexes, release, there)
    if why:
        return [_finding(f"nothing will be signed: {why}")]
    who = clean(identity.workflow, 300)
    signs = _finding(f"the files will be signed as {who}", Certainty.PROVEN)
    beside = f"a signature will be put beside each image on {', '.join(images)}"
    unproven = [_finding(beside, Certainty.UNPROVEN, proven_by="sign-images")] if images else []
    return [signs, *unproven, *_indexes(identity, indexes, release, there if required else None)]


def lacks_signatures(there: ForgeRelease, release: Release) -> bool:
    """Whether a release on the forge lacks a signature, by the names of its assets; the stage ``sign`` verifies them.

    Names alone do not count for anything else.
    """
    has = {asset.name for asset in there.assets if asset.uploaded}
    files = [name for name in has if name.endswith(DISTS)]
    sboms = [name for name in has if name.endswith(SBOM)]
    lists = [SUMS, manifests.NAME, *({IMAGES} & has)]
    signed = [bundle_name(name) for name in (*files, *sboms, *lists)]
    return not files or not has.issuperset((*signed, provenance_name(release.project, release.version)))


def _signed_already(
    error: Denied,
    identity: Identity | None,
    indexes: Iterable[Index],
    release: Release,
    there: Callable[[], ForgeRelease | None],
) -> list[Finding]:
    """Let a run that cannot sign finish a release that is signed. Raises ``error`` for any other."""
    try:
        found = there()
    except (Denied, Unknown):
        raise error from None
    if found is None or lacks_signatures(found, release):
        raise error
    what = f"the release at {found.url} has its signatures already, and this run makes none: {error.what}"
    return [_finding(what, Certainty.UNPROVEN), *_indexes(identity, indexes, release, lambda: found)]


def _indexes(
    identity: Identity | None,
    indexes: Iterable[Index],
    release: Release,
    there: Callable[[], ForgeRelease | None] | None,
) -> list[Finding]:
    """Which indexes get the files without attestations. With ``there``, they are required: raises `Denied`.

    An index that has all files gets nothing any more.
    """
    withheld = why_withheld(identity) if identity is not None else ""
    found = []
    for index in indexes:
        why = withheld or index.why_no_attestations()
        if not why:
            continue
        if there is not None and not _has_all(index, release, there):
            raise Denied(
                f'attestations = "required", but {index.name} would refuse them: {why}',
                next_step=advice.PUBLISH_BY_TRUSTED_PUBLISHING(index=index.name),
            )
        certainty = Certainty.DOUBTFUL if withheld else Certainty.PROVEN
        found.append(_finding(f"{index.name} gets the files without attestations: {why}", certainty))
    return found


def _has_all(index: Index, release: Release, there: Callable[[], ForgeRelease | None]) -> bool:
    """Whether an index has all files of the release on the forge. What cannot be read counts as no."""
    try:
        found = there()
        files = {asset.name for asset in found.assets if asset.name.endswith(DISTS)} if found is not None else set()
        return bool(files) and files <= index.holding(release.project, release.version).names
    except (Denied, Unknown):
        return False


def probe_key(signer: KeySigner, *, asks: bool) -> list[Finding]:
    """Sign a text that goes nowhere, and verify it: only that proves that the key is there and open.

    ``asks``: do that; a job that sends nothing may lack the key. Raises as `KeySigner.sign` does.
    """
    if not asks:
        return [_finding(f"{signer.key} is to sign SHA256SUMS; not tried here", Certainty.UNPROVEN, "sign-sums")]
    if fault := signer.fault(_TRIAL, signer.sign(_TRIAL)):
        raise Denied(
            f"what {signer.key} signs does not verify: {fault}", next_step=advice.CHECK_SIGNING_KEY(key=signer.key)
        )
    return [_finding(f"SHA256SUMS will be signed with {clean(signer.key)}", proven_by="sign-sums")]


def _finding(detail: str, certainty: Certainty = Certainty.PROVEN, proven_by: str = "sign") -> Finding:
    return Finding(surface=SURFACE, certainty=certainty, detail=detail, proven_by=proven_by)
