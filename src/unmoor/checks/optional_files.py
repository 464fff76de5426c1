"""Files whose absence is worth a warning: a README, a licence, a changelog, and what the settings name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from unmoor.checks.model import CheckContext, CheckGroup, CheckLevel, CheckProblem, RepositoryCheck
from unmoor.checks.patterns import matching
from unmoor.util.text import clean

_AUTO: Final = {
    "README": "README*|docs/README*|.github/README*",
    "licence": "LICEN[CS]E*|COPYING*|LICEN[CS]ES/*",
    "changelog": "CHANGE*|HISTORY*|NEWS*|RELEASE*|docs/CHANGE*|docs/HISTORY*|docs/NEWS*|docs/RELEASE*|docs/*/CHANGE*"
    "|doc/CHANGE*|doc/NEWS*|changelog.d/*|newsfragments/*|changes/*",
    ".gitignore": ".gitignore",
}


def _run(context: CheckContext) -> Iterator[CheckProblem]:
    optional = context.settings.checks.optional
    if optional != "auto":
        for pattern in optional:
            if not matching(pattern, context.project_names):
                yield CheckProblem(what=f"there is no {clean(pattern)}")
        return
    # In a folder of a repository, its top may have them for all projects.
    names = dict.fromkeys((*context.project_names, *context.top.names))
    for what, pattern in _AUTO.items():
        if not matching(pattern, names) and not (what == "changelog" and context.settings.changelog):
            yield CheckProblem(what=f"there is no {what}")


CHECK = RepositoryCheck(
    id="optional-files",
    group=CheckGroup.FAST,
    level=CheckLevel.WARNING,
    title="The project has a README, a licence, a changelog and a .gitignore, or what the settings name instead",
    reads="the list of files, `optional` in `[tool.unmoor.checks]`",
    remedy="add the file, or set `optional` in `[tool.unmoor.checks]`",
    run=_run,
)
