"""What the forge itself attests of an immutable release: the tag, its object, and every asset."""

from __future__ import annotations

from collections.abc import Mapping

from unmoor.errors import UnmoorError
from unmoor.ports.forge import Forge, ForgeRelease, ForgeTag
from unmoor.ports.signer import ForgeStatement, StrangersVerifier
from unmoor.util.text import clean, count_of, list_some
from unmoor.verification.checks import CheckedItem, Mark, worst
from unmoor.verification.downloads import Downloads
from unmoor.verification.signers import ReleaseSource

NAME = "the forge's attestation"
_RELEASE = "https://in-toto.io/attestation/release/"


def check_forge_statement(
    release: ForgeRelease,
    tag: ForgeTag,
    held: Downloads,
    *,
    source: ReleaseSource,
    forge: Forge,
    verifier: StrangersVerifier,
    surface: str,
) -> CheckedItem:
    """Check the forge's own statement about an immutable release. If it made several, one has to be right."""

    def check(mark: Mark, note: str) -> CheckedItem:
        return CheckedItem(surface=surface, name=NAME, mark=mark, note=note)

    try:
        bundles = forge.release_attestations(tag)
    except UnmoorError as error:
        return CheckedItem.of_error(surface, NAME, error)
    if not bundles:
        return check(Mark.MISSING, "the release is immutable, and the forge attests nothing of it")
    results = []
    for bundle in bundles:
        try:
            statement = verifier.forge_statement(bundle)
            fault = _fault(statement, release, tag, held, source)
        except UnmoorError as error:
            results.append(CheckedItem.of_error(surface, NAME, error))
            continue
        if not fault:
            count = count_of(len(statement.subjects) - 1, "asset")
            return check(Mark.OK, f"the forge signed the tag's object and {count}")
        results.append(check(Mark.WRONG, fault))
    return next(each for each in results if each.mark is worst(results))


def _fault(
    statement: ForgeStatement, release: ForgeRelease, tag: ForgeTag, held: Downloads, source: ReleaseSource
) -> str:
    """What the statement says otherwise than what is there; empty if nothing."""
    if not statement.predicate_type.startswith(_RELEASE):
        return f"it is of the type {clean(statement.predicate_type, 100)}"
    said = statement.predicate
    compared = [("tag", str(said.get("tag", "")), release.tag)]
    if source.repository_id:
        compared.append(("repository number", str(said.get("repositoryId", "")), source.repository_id))
    wrong = [
        f"its {what} is {clean(found, 100) or 'missing'}, expected {expected}"
        for what, found, expected in compared
        if found != expected
    ]
    if wrong:
        return "; ".join(wrong)
    if not any(tag.object in digests.values() for _, digests in statement.subjects):
        return f"it is not about the tag's object {tag.object}"
    digests = {name: each["sha256"] for name, each in statement.subjects if "sha256" in each}
    return _asset_fault(digests, release, held)


def _asset_fault(digests: Mapping[str, str], release: ForgeRelease, held: Downloads) -> str:
    """Compare the digests of assets with what was downloaded, else with what the forge lists."""
    seen = {each.name: each.sha256 or "" for each in release.assets}
    seen |= {name: file.sha256 for name, file in held.files.items()}
    unlike = sorted(name for name in {*digests, *seen} if digests.get(name) != seen.get(name))
    return f"it says otherwise of {list_some([clean(name, 120) for name in unlike], 5)}" if unlike else ""
