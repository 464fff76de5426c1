"""Changes that are not committed: a release takes the commit, so they would be missing from it."""

from __future__ import annotations

from collections.abc import Iterator

from unmoor.checks.model import CheckContext, CheckGroup, CheckLevel, CheckProblem, RepositoryCheck, skip
from unmoor.util.text import clean, count_of, list_some


def _run(context: CheckContext) -> Iterator[CheckProblem]:
    if context.staged:
        skip("the staged files are about to be committed")
    if context.head is None:
        yield CheckProblem(what="nothing is committed yet", level=CheckLevel.CRITICAL)
        return
    if changed := context.git.changed():
        names = list_some([clean(path, 100) for path in changed], 5)
        yield CheckProblem(what=f"{count_of(len(changed), 'tracked file')} not committed as they are: {names}")


CHECK = RepositoryCheck(
    id="uncommitted",
    group=CheckGroup.FAST,
    level=CheckLevel.WARNING,
    title="Every tracked file is committed as it is, since a release takes the commit",
    reads="git's status of tracked files",
    remedy="commit the changes, or put them aside: git stash",
    run=_run,
)
