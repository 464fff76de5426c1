"""Put pages onto a branch, find them there, and take them back, whoever else pushes to it meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from unmoor import advice
from unmoor.deploy.docs.archive import tree_of, unpack
from unmoor.deploy.docs.layout import CUSTOM, VERSIONS, Placement, change_back, change_for, is_placed
from unmoor.errors import Cause, Conflict, Refused, Rejected, Unknown, UnmoorError
from unmoor.filesystem.temporary import temporary_folder
from unmoor.ports.failure import failure
from unmoor.ports.git_writer import PushOutcome, PushState
from unmoor.ports.pages import PagesBranch, PagesChange, PagesWork
from unmoor.util.values import replace

_MOST_TRIES: Final = 5


class DeployedPages(msgspec.Struct, frozen=True, kw_only=True):
    """Pages as they are on a branch: the address of their folder, the id of their tree, and their number."""

    address: str
    tree: str
    files: int


class BranchDeployment(msgspec.Struct, frozen=True, kw_only=True):
    """A branch to deploy to. ``say`` reports what happens meanwhile."""

    pages: PagesBranch
    say: Callable[[str], None] = lambda _: None

    def find(self, archive: Path, placement: Placement) -> DeployedPages | None:
        """Find these pages, ``None`` if they are not in each of their folders. Sends nothing.

        The tree of ``placement`` is worked out here. Raises `Conflict` if the folder of a version holds other pages.
        """
        with temporary_folder() as folder:
            return self._found(self.pages.open(folder), archive, placement)

    def check(self, archive: Path, placement: Placement, *, title: str, pushes: bool) -> None:
        """Raise what would stop `deploy` now, and send nothing.

        ``pushes``: the login of this run is the one that deploys, so git asks the remote whether it may push.
        """
        with temporary_folder() as scratch:
            for attempt in range(_MOST_TRIES):
                work = self._open(scratch, attempt)
                if self._found(work, archive, placement) is not None:
                    return
                tree, _ = tree_of(archive, like=work.state.commit)
                change = self._change(work, replace(placement, tree=tree), title)
                if not pushes or self._push(work, change, scratch / f"after-{attempt}", dry_run=True):
                    return
        raise self._always_moved()

    def deploy(self, archive: Path, placement: Placement, *, title: str) -> DeployedPages:
        """Put these pages into their folders with one commit, on top of whatever the branch holds at that moment.

        A push that is too late, or without an answer, is settled by another look at the branch. Raises `Rejected` if
        the remote refuses it, and as `find` does.
        """
        with temporary_folder() as scratch:
            site = scratch / "site"
            site.mkdir()
            unpack(archive, site)
            for attempt in range(_MOST_TRIES):
                work = self._open(scratch, attempt)
                if (found := self._found(work, archive, placement)) is not None:
                    return found
                tree, _ = tree_of(archive, like=work.state.commit)
                if work.add(site) != tree:
                    raise Unknown(
                        "git stores other bytes than the archive holds",
                        where=self.pages.where,
                        next_step=advice.CHECK_OBJECTS(),
                        retryable=False,
                    )
                self._push(work, self._change(work, replace(placement, tree=tree), title), scratch / f"after-{attempt}")
            with temporary_folder() as folder:
                if (found := self._found(self.pages.open(folder), archive, placement)) is not None:
                    return found
        raise self._always_moved()

    def take_back(self, tree: str) -> str:
        """Give every folder that holds this tree what it held before. Returns what was done, in words.

        Raises `Unknown` if no commit of the branch says what that was, and as `deploy` does.
        """
        for _ in range(_MOST_TRIES):
            with temporary_folder() as scratch:
                work = self._open(scratch, 0)
                if tree not in {entry.id for entry in work.state.entries.values()}:
                    return f"{self.pages.where} no longer had these pages"
                former = work.former(tree)
                if former is None:
                    raise Unknown(
                        f"no commit of the branch says what was there before tree {tree}",
                        where=self.pages.where,
                        next_step=advice.REVERT_DOCS_BY_HAND(),
                        retryable=False,
                    )
                versions = work.read(VERSIONS)
                with self._naming_the_branch():
                    change = change_back(work.state, former, tree, versions)
                if change is None:
                    return f"{self.pages.where} no longer had these pages"
                if self._push(work, change, scratch / "after"):
                    return f"{self.pages.where}: {former.folder}/ is as it was before"
        raise self._always_moved()

    def _open(self, scratch: Path, attempt: int) -> PagesWork:
        folder = scratch / f"try-{attempt}"
        folder.mkdir()
        return self.pages.open(folder)

    def _found(self, work: PagesWork, archive: Path, placement: Placement) -> DeployedPages | None:
        tree, count = tree_of(archive, like=work.state.commit)
        placement = replace(placement, tree=tree)
        with self._naming_the_branch():
            placed = is_placed(work.state, placement)
        if not placed:
            return None
        custom = work.read(CUSTOM)
        top = self.pages.address(work.state, custom)
        return DeployedPages(address=f"{top}{placement.folder}/" if top else "", tree=tree, files=count)

    def _change(self, work: PagesWork, placement: Placement, title: str) -> PagesChange:
        versions = work.read(VERSIONS)
        with self._naming_the_branch():
            return change_for(work.state, placement, versions, title=title)

    def _push(self, work: PagesWork, change: PagesChange, folder: Path, *, dry_run: bool = False) -> bool:
        """Push a change. False if the branch moved meanwhile. Raises what stopped it otherwise."""
        outcome = work.push(change, dry_run=dry_run)
        if outcome.state is PushState.DONE:
            return True
        folder.mkdir()
        if self.pages.open(folder).state.commit == work.state.commit:
            raise self._error(outcome)
        self.say(f"{self.pages.where} has moved meanwhile: looking again")
        return False

    def _error(self, outcome: PushOutcome) -> UnmoorError:
        if outcome.state is PushState.REFUSED:
            return Rejected(
                f"the remote refuses the push: {outcome.reason}",
                where=self.pages.where,
                next_step=advice.ALLOW_DOCS_PUSH(),
                retryable=True,
            )
        what = f"git push failed: {outcome.reason}"
        return failure(Cause.LOST, what, where=self.pages.where, otherwise=advice.ALLOW_DOCS_PUSH())

    def _always_moved(self) -> Unknown:
        return Unknown(f"somebody else pushed to it {_MOST_TRIES} times in a row", where=self.pages.where)

    @contextmanager
    def _naming_the_branch(self) -> Iterator[None]:
        """Say in an error of a decision which branch it is about."""
        try:
            yield
        except (Conflict, Refused) as error:
            raise error.amended(where=self.pages.where) from error
