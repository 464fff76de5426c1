"""What is wrong with one release, by the states of its surfaces that ``status`` shows. Pure.

What cannot be read is kept apart: it is neither a finding nor a sign that there is none. A finding that explains others
stands for them: a release that was never begun lacks each of its files, but that is one finding.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence

import msgspec

from unmoor import advice
from unmoor.advice import NextStep, join
from unmoor.filesystem.commands import quote
from unmoor.products.drift import DriftFinding, FindingId, NotKnown
from unmoor.products.surface_state import Item, State, SurfaceState
from unmoor.publish.compare import FORGE
from unmoor.publish.finishing import how_to_finish, lacking_assets
from unmoor.publish.inventory import IndexContent, Inventory
from unmoor.publish.surface_states import TAG
from unmoor.util.text import clean, list_some

_SHOWN = 3


class TagDrift(msgspec.Struct, frozen=True, kw_only=True):
    """What was found at one tag, and what could not be read."""

    tag: str
    findings: tuple[DriftFinding, ...] = ()
    unknown: tuple[NotKnown, ...] = ()


class TagRules(msgspec.Struct, frozen=True, kw_only=True):
    """Decides what is wrong with one release.

    ``floating`` are the floating tags of its images, and ``optional`` the images that only a machine with a container
    engine releases. ``command`` finishes the release, and ``highest`` the one that
    floating tags belong to. ``is_quarantined``: the index shows no file of the project, whatever it holds.
    """

    inventory: Inventory
    states: tuple[SurfaceState, ...]
    floating: Container[str]
    command: str
    highest: str
    optional: Container[str] = ()
    is_quarantined: bool = False

    def judge(self) -> TagDrift:
        """Return every finding, in the order of the surfaces, and what is unknown."""
        tag = self.inventory.release.tag
        unknown = tuple(
            NotKnown(surface=each.surface, why=each.note or _unknown_items(each), tags=(tag,))
            for each in self.states
            if each.state is State.UNKNOWN
        )
        return TagDrift(tag=tag, findings=tuple(self._findings()), unknown=unknown)

    def _findings(self) -> Iterator[DriftFinding]:
        unreleased = self._unreleased()
        if unreleased is not None:
            yield unreleased
        if not (self.inventory.forge.all or self._out()):
            return
        by_surface = {each.surface: each for each in self.states}
        yield from self._tag()
        if self.inventory.index.name in by_surface and not self.is_quarantined:
            yield from self._index(by_surface[self.inventory.index.name], is_begun=unreleased is not None)
        if unreleased is not None or self.inventory.forge.public is None:
            return
        if FORGE in by_surface:
            yield from self._forge(by_surface[FORGE])
        for held in self.inventory.images:
            if held.name in by_surface:
                yield from self._images(by_surface[held.name])

    def _unreleased(self) -> DriftFinding | None:
        """The finding for a release that no run has finished, if the forge says so."""
        inventory = self.inventory
        if inventory.forge.error is not None or inventory.forge.public is not None:
            return None
        drafts = [clean(each.url, 500) for each in inventory.forge.drafts]
        out = self._out()
        hidden = "; drafts cannot be seen without a token" if inventory.forge.hidden is not None else ""
        if out:
            what = f"there is no public release, but {list_some(out)} {'has' if len(out) == 1 else 'have'} a part of it"
            return self._finish("stopped", FORGE, f"{what}{_drafts(drafts)}{hidden}")
        if drafts:
            seen = "there is no public release" if inventory.errors else "nothing is public"
            return self._finish("draft-left", FORGE, f"{seen}{_drafts(drafts)}")
        if inventory.errors or inventory.tag.remote is None:
            return None  # what is not known may be there, and a tag that is only here was not meant to be released
        return self._finish("not-released", TAG, f"nothing of it is on any surface{hidden}")

    def _out(self) -> list[str]:
        """The names of the indexes and registries that hold anything of the release."""
        indexes = (self.inventory.index, self.inventory.staging)
        out = [each.name for each in indexes if each is not None and each.names]
        return out + [each.name for each in self.inventory.images if each.pushed or each.fixed]

    def _tag(self) -> Iterator[DriftFinding]:
        where, commit = self.inventory.tag, self.inventory.release.commit
        tag = quote(clean(self.inventory.release.tag))
        if where.error is not None or not commit or where.remote == commit:
            return
        if where.remote is None:
            what = f"the remote has no such tag; the release is of commit {commit[:12]}"
            yield self._found("tag-gone", TAG, what, advice.PUT_TAG_BACK(commit=commit, tag=tag))
        else:
            what = f"it names commit {clean(where.remote, 40)[:12]} on the remote, but {commit[:12]} was released"
            step = advice.FORCE_TAG_BACK(commit=commit, tag=tag)
            yield self._found("tag-moved", TAG, what, step, state=State.CONFLICTING)

    def _index(self, state: SurfaceState, *, is_begun: bool) -> Iterator[DriftFinding]:
        content = self.inventory.index
        other = _names(state.items, State.CONFLICTING)
        if other:
            step = advice.FIND_WHO_UPLOADED()
            yield self._found("index-differs", state.surface, f"other files: {other}", step, state=State.CONFLICTING)
        lacking = _names(state.items, State.INCOMPLETE)
        if not lacking and content.holding is not None and not content.names:
            lacking = "every file"
        if lacking and not is_begun and self.inventory.forge.public is not None:
            step = join([*self._steps(), advice.NEXT_VERSION_IF_DELETED()])
            yield self._found("index-lacks-files", state.surface, f"lacks {lacking}", step)
        yield from yanked(self.inventory.release.tag, content)

    def _forge(self, state: SurfaceState) -> Iterator[DriftFinding]:
        inventory = self.inventory
        other = _names(state.items, State.CONFLICTING)
        if other:
            step = advice.FIND_WHO_CHANGED_RELEASE()
            yield self._found("release-differs", FORGE, f"other files: {other}", step, state=State.CONFLICTING)
        elif state.note and inventory.best is not None:
            yield self._finish("release-differs", FORGE, state.note)
        lacking = lacking_assets(inventory) or _names(state.items, State.INCOMPLETE)
        if lacking and state.state is not State.UNKNOWN:
            step = advice.ATTACH_BY_HAND(lacking=lacking, tag=quote(clean(inventory.release.tag)))
            yield self._found("release-without-files", FORGE, f"lacks {lacking}", step)
        drafts = [clean(each.url, 500) for each in inventory.forge.drafts]
        if drafts:
            step = advice.DELETE_OTHER_DRAFTS(drafts=", ".join(drafts))
            yield self._found("draft-left", FORGE, f"it is public{_drafts(drafts)}", step)

    def _images(self, state: SurfaceState) -> Iterator[DriftFinding]:
        own = [each for each in state.items if each.name not in self.floating]
        stale = [
            each
            for each in state.items
            if each.name in self.floating and each.state in {State.INCOMPLETE, State.CONFLICTING}
        ]
        if other := _names(own, State.CONFLICTING):
            step = advice.FIND_WHO_MOVED_VERSION()
            yield self._found("image-differs", state.surface, f"another image: {other}", step, state=State.CONFLICTING)
        if lacking := _names(own, State.INCOMPLETE):
            yield self._finish("image-missing", state.surface, f"lacks {lacking}", *self._engine(state.surface))
        if stale:
            what = "; ".join(f"{clean(each.name)}: {clean(each.note)}" for each in stale[:_SHOWN])
            worst = State.CONFLICTING if any(each.state is State.CONFLICTING for each in stale) else State.INCOMPLETE
            release = advice.RELEASE_IT(command=self.highest if worst is State.CONFLICTING else self.command)
            step = join([*self._engine(state.surface), release])
            yield self._found("image-tag-stale", state.surface, what, step, state=worst)

    def _engine(self, image: str) -> tuple[NextStep, ...]:
        return (advice.ON_MACHINE_WITH_ENGINE(),) if image in self.optional else ()

    def _finish(self, finding: FindingId, surface: str, what: str, *before: NextStep) -> DriftFinding:
        """A finding that the release command fixes, after the steps that a person has to take first."""
        return self._found(finding, surface, what, join([*before, *self._steps()]))

    def _steps(self) -> tuple[NextStep, ...]:
        return (*how_to_finish(self.inventory), advice.RELEASE_IT(command=self.command))

    def _found(
        self, finding: FindingId, surface: str, what: str, step: NextStep, *, state: State = State.INCOMPLETE
    ) -> DriftFinding:
        return found(self.inventory.release.tag, finding, what, step, surface=surface, state=state)


def found(
    tag: str, finding: FindingId, what: str, step: NextStep, *, surface: str, state: State = State.INCOMPLETE
) -> DriftFinding:
    """Return a finding, with the text and the ids of its next step."""
    return DriftFinding(
        tag=tag, finding=finding, surface=surface, state=state, what=what, next_step=str(step), advice=step.ids
    )


def yanked(tag: str, content: IndexContent) -> Iterator[DriftFinding]:
    """Yield the finding for a version of which files are yanked (PEP 592)."""
    if content.holding is None:
        return
    listed = [content.holding.listed(name) for name in content.names]
    names = [each.name for each in listed if each is not None and each.yanked]
    if names:
        what = "is yanked" if len(names) == len(content.names) else f"yanked: {_some(names)}"
        step = advice.UNYANK(page=clean(content.page, 500))
        yield found(tag, "yanked", what, step, surface=content.name)


def _names(items: Sequence[Item], state: State) -> str:
    """The names of the items in a state, empty if there are none."""
    return _some([each.name for each in items if each.state is state])


def _some(names: Sequence[str]) -> str:
    return list_some([clean(name) for name in names], _SHOWN) if names else ""


def _drafts(urls: Sequence[str]) -> str:
    if not urls:
        return ""
    return f", and there is a draft: {urls[0]}" if len(urls) == 1 else f", and there are drafts: {', '.join(urls)}"


def _unknown_items(state: SurfaceState) -> str:
    each = next((item for item in state.items if item.state is State.UNKNOWN), None)
    return f"{clean(each.name)}: {clean(each.note)}" if each is not None else "cannot be judged"
