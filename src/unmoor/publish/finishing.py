"""What a person has to do first, if anything, before the same command can finish a release."""

from __future__ import annotations

from collections.abc import Iterator

from unmoor import advice
from unmoor.advice import NextStep
from unmoor.filesystem.commands import quote
from unmoor.publish.inventory import Extent, Inventory
from unmoor.util.text import clean


def how_to_finish(inventory: Inventory) -> tuple[NextStep, ...]:
    """Return the steps before the release command, in order; none if it finishes the release on its own."""
    return tuple(_steps(inventory))


def _steps(inventory: Inventory) -> Iterator[NextStep]:
    tag, commit, where = quote(clean(inventory.release.tag)), inventory.release.commit, inventory.tag
    if commit and where.error is None and where.remote is None:
        yield advice.PUT_TAG_BACK(commit=commit, tag=tag)
    elif commit and where.error is None and where.remote != commit:
        yield advice.FORCE_TAG_BACK(commit=commit, tag=tag)
    full = [each for each in inventory.forge.drafts if each.assets]
    if len(full) > 1 or (full and inventory.forge.public is not None):
        yield advice.DELETE_OTHER_DRAFTS(drafts=", ".join(clean(each.url) for each in full))
    if inventory.forge.public is not None and (lacking := lacking_assets(inventory)):
        yield advice.ATTACH_BY_HAND(lacking=lacking, tag=tag)
    if inventory.vouched is None and inventory.extent(inventory.index) in {Extent.SOME, Extent.ALL}:
        yield advice.GO_ON_WITH_BUILD()


def lacking_assets(inventory: Inventory) -> str:
    """The files that the public release lacks, as far as a manifest lists them; empty if it lacks none."""
    public, best = inventory.forge.public, inventory.best
    if public is None:
        return ""
    if best is None:
        return "the manifest"
    there = {asset.name for asset in public.assets if asset.uploaded}
    return ", ".join(clean(each.name) for each in best.manifest.artifacts if each.name not in there)
