"""I2: no public release page lacks an asset: each is uploaded, with the size and digest of what the server serves."""

from __future__ import annotations

from collections.abc import Iterator

from unmoor.filesystem.files import sha256_of
from unmoor.rehearsal.invariants.effects import FORGE, Effect
from unmoor.rehearsal.invariants.evidence import Finding
from unmoor.rehearsal.invariants.facts import Facts
from unmoor.rehearsal.invariants.stores import ForgePage


def incomplete_pages(facts: Facts) -> Iterator[Finding]:
    """Look at every public page, and at what was there when that of the tag became public."""
    for page in facts.pages:
        if not page.draft:
            yield from _broken(facts, page)
    yield from _early(facts.effects)


def _broken(facts: Facts, page: ForgePage) -> Iterator[Finding]:
    for asset in page.assets:
        path = facts.evidence.world / "forge" / "assets" / str(asset.id)
        if asset.state != "uploaded" or asset.digests is None:
            yield Finding(f"{asset.name} is {asset.state}, not uploaded", page.tag)
        elif not path.is_file():
            yield Finding(f"{asset.name} has no bytes", page.tag)
        elif (path.stat().st_size, sha256_of(path)) != (asset.digests.size, asset.digests.sha256):
            yield Finding(f"{asset.name} has other bytes than {asset.digests.sha256}", page.tag)
    if page.tag != facts.expected.tag:
        return
    held = {asset.name: asset.digests.sha256 for asset in page.assets if asset.digests is not None}
    names = [asset.name for asset in page.assets]
    for name in dict.fromkeys((*facts.expected.files, *facts.expected.assets)):
        tested = facts.expected.files.get(name)
        if name not in names:
            yield Finding(f"lacks {name}", page.tag)
        elif tested and name in held and held[name] != tested:
            yield Finding(f"{name} has {held[name]}; tested: {tested}", page.tag)


def _early(effects: tuple[Effect, ...]) -> Iterator[Finding]:
    """Assets that came, or went, while the page was public."""
    is_public = False
    for effect in effects:
        if effect.surface != FORGE:
            continue
        if effect.what == "page":
            is_public = effect.final
        elif is_public:
            change = "came when" if effect.adds else "was removed while"
            yield Finding(f"{effect.what} {change} the page was public already", effect.request.where)
