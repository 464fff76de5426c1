"""What a person has to do first, if anything, before the same command can finish a release."""

from __future__ import annotations

from collections.abc import Iterator

from unmoor.publish.inventory import Extent, Inventory
from unmoor.util.text import clean


def how_to_finish(inventory: Inventory) -> tuple[str, ...]:
    """Return the steps before the release command, in order; none if it finishes the release on its own."""
    return tuple(_steps(inventory))


def _steps(inventory: Inventory) -> Iterator[str]:
    tag, commit, where = clean(inventory.release.tag), inventory.release.commit, inventory.tag
    if commit and where.error is None and where.remote is None:
        yield f"put the tag back: git push origin {commit}:refs/tags/{tag}"
    elif commit and where.error is None and where.remote != commit:
        yield (
            f"put the tag back: git push --force origin {commit}:refs/tags/{tag}; or leave this release as it is, and"
            " release the new commit as a new version"
        )
    full = [each for each in inventory.forge.drafts if each.assets]
    if len(full) > 1 or (full and inventory.forge.public is not None):
        yield f"delete by hand all drafts but the right one: {', '.join(clean(each.url) for each in full)}"
    if inventory.forge.public is not None and (lacking := _lacking(inventory)):
        yield (
            f"unmoor never changes a public release: attach {lacking} to it by hand, with the sha256 in the table;"
            " or release the next version"
        )
    if inventory.vouched is None and inventory.extent(inventory.index) in {Extent.SOME, Extent.ALL}:
        yield (
            "the rest has to come from the same build: go on where its .unmoor/TAG is, or give the digest that"
            " it printed (--manifest-sha256); otherwise the release can be finished only if a new build gives the same"
            " bytes. If it does not, release the next version"
        )


def _lacking(inventory: Inventory) -> str:
    """The files that the public release lacks, as far as a manifest lists them."""
    public, best = inventory.forge.public, inventory.best
    if public is None:
        return ""
    if best is None:
        return "the manifest"
    there = {asset.name for asset in public.assets if asset.uploaded}
    return ", ".join(clean(each.name) for each in best.manifest.artifacts if each.name not in there)
