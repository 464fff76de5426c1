"""Check the release object again: right before the first upload that cannot be undone, and as it becomes public.

A draft can change at any time: another run replaces it, or a person edits it on the forge's web page.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from unmoor import advice
from unmoor.advice import NextStep
from unmoor.core.stage import Output, StageContext, without_none
from unmoor.errors import Conflict, Incomplete
from unmoor.ports.clock import Clock
from unmoor.ports.forge import Forge, ForgeRelease
from unmoor.ports.poll import poll
from unmoor.products import Asset, Draft, Pushed
from unmoor.publish.asset_upload import find_release
from unmoor.publish.file_comparison import Match
from unmoor.publish.push_record import NAME
from unmoor.publish.release_assets import compare_asset, find_asset, is_foreign_dist

# Seconds between reads. The draft was read before in this run, so a list that lags behind shows it soon.
_PAUSES = (0.0, 1.0, 2.0, 4.0)


class DraftRecheck(msgspec.Struct, frozen=True, kw_only=True):
    """Checks that a draft still is what the stages before left, with every asset by digest.

    ``draft`` and ``pushed`` are the products of those stages. They are no inputs of the stage that holds this, since
    it looks for its own product without them. It has to wait for them: see `needs`.
    """

    draft: Output[Draft]
    pushed: Output[Pushed] | None
    forge: Forge
    clock: Clock

    @property
    def needs(self) -> tuple[Output[Draft] | Output[Pushed], ...]:
        """What must be there before `require_unchanged` can be called."""
        return without_none(self.draft, self.pushed)

    def require_unchanged(self, context: StageContext) -> None:
        """Read the draft. Raises `Conflict` if another run or a person changed it, and what `require_assets` raises.

        A release that was public when the stage ``draft`` looked may be public now.
        """
        draft = context[self.draft]
        there = find_draft(self.forge, self.clock, draft)
        if not there.draft and not draft.public:
            raise Conflict(
                f"somebody published the draft of {draft.tag} during this run, before its files were uploaded",
                where=there.url,
                next_step=advice.FIND_WHO_PUBLISHED(),
                retryable=True,
            )
        pushed = context[self.pushed] if self.pushed is not None else None
        require_assets(there, expected_assets(there, draft, pushed), self.forge)


def find_draft(forge: Forge, clock: Clock, draft: Draft) -> ForgeRelease:
    """Read the release object of a draft.

    Raises `Conflict` if another one took its place, `Incomplete` if it was deleted, and `Denied` and `Unknown`.
    """
    there = poll(lambda: find_release(forge, draft.tag, draft.id), waits=_PAUSES, clock=clock)
    if there is not None:
        return there
    others = forge.releases(draft.tag)
    if others:
        raise Conflict(
            f"the draft of this run (number {draft.id}) is gone, and there is another release of {draft.tag}"
            f" (number {others[0].id})",
            where=others[0].url,
            next_step=advice.FIND_OTHER_RUN(),
            retryable=True,
        )
    raise Incomplete(
        f"the draft of {draft.tag} (number {draft.id}) was deleted during this run",
        where=forge.address,
        next_step=advice.FIND_WHO_DELETED_DRAFT(),
    )


def expected_assets(forge_release: ForgeRelease, draft: Draft, pushed: Pushed | None) -> tuple[Asset, ...]:
    """What a release object must hold, with the record of what was pushed if the project has images.

    Raises `Incomplete` if a draft has no such record. One that was public before may have none.
    """
    if pushed is None or (pushed.record is None and not forge_release.draft):
        return draft.assets
    if pushed.record is None:
        raise Incomplete(f"the draft lacks {NAME}, which says what the registries hold", where=forge_release.url)
    return (*draft.assets, pushed.record)


def require_assets(forge_release: ForgeRelease, assets: Sequence[Asset], forge: Forge) -> None:
    """Check that a release object holds these assets by sha256, and no other distribution.

    Other assets are ignored. Raises `Conflict` for other bytes, `Incomplete` if assets are missing, and `Unknown`.
    """
    wrong = wrong_assets(forge_release, assets, forge)
    missing = missing_assets(forge_release, assets)
    kind = "draft" if forge_release.draft else "public release"
    lost = f"the {kind} lacks {', '.join(missing)}" if missing else ""
    if wrong:
        raise Conflict(
            "\n".join(filter(None, (f"the {kind} is not what was tested:", *wrong, lost))),
            where=forge_release.url,
            next_step=advice.FIND_WHO_CHANGED_DRAFT() if forge_release.draft else _repair(forge_release),
            retryable=True,
        )
    if missing:
        raise Incomplete(
            lost,
            where=forge_release.url,
            next_step=advice.FIND_WHO_REMOVED_FILE() if forge_release.draft else _repair(forge_release),
        )


def missing_assets(forge_release: ForgeRelease, assets: Sequence[Asset]) -> list[str]:
    """The names of the assets that a release object lacks, or holds as incomplete uploads."""
    held = {each.name for each in forge_release.assets if each.uploaded}
    return [asset.name for asset in assets if asset.name not in held]


def wrong_assets(forge_release: ForgeRelease, assets: Sequence[Asset], forge: Forge) -> list[str]:
    """Describe each asset with other bytes, and each distribution that is none of the assets. Raises `Unknown`."""
    wrong = []
    for asset in assets:
        there = find_asset(forge_release, asset.name)
        compared = compare_asset(there, asset.sha256, forge, size=asset.size)
        if compared.match is Match.DIFFERENT and there is not None:
            seen = f"sha256 {compared.seen}" if compared.seen else f"{there.size} bytes"
            wrong.append(f"{asset.name} is {seen} there, but sha256 {asset.sha256} was attached")
    ours = {asset.name for asset in assets}
    alien = (each.name for each in forge_release.assets if is_foreign_dist(each, ours))
    return [*wrong, *(f"{name} is a distribution that is not of this release" for name in alien)]


def _repair(forge_release: ForgeRelease) -> NextStep:
    if forge_release.immutable:
        return advice.RELEASE_NEW_VERSION(why="an immutable release cannot be changed")
    return advice.ATTACH_RIGHT_FILE()
