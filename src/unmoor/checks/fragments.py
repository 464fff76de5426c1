"""News fragments: named so that towncrier takes them, and there where code changed."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from typing import Final

import msgspec

from unmoor import advice
from unmoor.checks.model import CheckContext, CheckGroup, CheckLevel, CheckProblem, RepositoryCheck, skip
from unmoor.errors import ConfigError, UnmoorError
from unmoor.project import read_facts
from unmoor.project.files import table
from unmoor.util.text import clean, list_some
from unmoor.versioning import pep440
from unmoor.versioning.fragment_names import (
    folders_of,
    ignored_of,
    in_folders,
    is_fragment,
    is_ignored,
    kinds_of,
    looks_like_fragment,
)
from unmoor.versioning.tag_scheme import Naming

_CODE: Final = frozenset(
    {"py", "pyi", "pyx", "pxd", "c", "cc", "cpp", "cxx", "h", "hpp", "rs", "f", "f90", "cu", "java", "js", "ts"}
)
_NO_CODE: Final = frozenset(
    {"test", "tests", "testing", "doc", "docs", "example", "examples", "sample", "samples", "bench", "benches"}
    | {"benchmark", "benchmarks", "tools", "ci", "scripts", ".github", ".ci", "changelog.d", "newsfragments"}
)
_NO_CODE_FILE: Final = re.compile(r"(test_.*|.*_test|conftest|noxfile|setup|fabfile|tasks|dodo)\.py")


class _Rules(msgspec.Struct, frozen=True, kw_only=True):
    """Towncrier's configuration, as far as names go. ``file`` is where it stands."""

    file: str
    folders: tuple[str, ...]
    kinds: frozenset[str]
    ignored: tuple[str, ...]

    def fragments(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """Those of the paths that are fragments."""
        return tuple(
            path
            for path in in_folders(names, self.folders)
            if not is_ignored(name := posixpath.basename(path), self.ignored) and is_fragment(name, self.kinds)
        )


def _rules(context: CheckContext) -> _Rules:
    """Read towncrier's configuration. Skips the check if there is none. Raises `ConfigError`."""
    files = context.files
    own = files.read("towncrier.toml") is not None
    file = "towncrier.toml" if own else "pyproject.toml"
    found = table(files.toml(file), "tool")
    if "towncrier" not in found and not own:
        skip("the project has no news fragments: towncrier is not set up")
    settings = table(found, "towncrier")
    package = str(settings.get("package") or table(files.pyproject, "project").get("name", ""))
    try:
        return _Rules(
            file=file, folders=folders_of(settings, package), kinds=kinds_of(settings), ignored=ignored_of(settings)
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ConfigError(
            f"towncrier's configuration is invalid: {clean(repr(error))}",
            where=context.from_top(file),
            next_step=advice.CHECK_TOWNCRIER(),
        ) from error


def _misnamed(context: CheckContext) -> Iterator[CheckProblem]:
    rules = _rules(context)
    kinds = list_some(sorted(clean(kind, 40) for kind in rules.kinds), 12)
    for path in in_folders(context.project_names, rules.folders):
        name = posixpath.basename(path)
        if is_ignored(name, rules.ignored) or is_fragment(name, rules.kinds) or not looks_like_fragment(name):
            continue
        what = f"towncrier ignores this file, because its name has no type of {clean(rules.file)}: {kinds}"
        yield CheckProblem(what=what, where=context.from_top(path), line=1)


def _missing(context: CheckContext) -> Iterator[CheckProblem]:
    rules = _rules(context)
    since, of = _since(context)
    here = f"{context.path}/" if context.path else ""
    changed = tuple(path.removeprefix(here) for path in context.source.changed(since) if path.startswith(here))
    code = [path for path in changed if _is_code(path)]
    # On a branch of its own a change has a fragment of its own; since the last release there is any.
    names = changed if of == "this branch" else context.project_names
    if code and not rules.fragments(tuple(path for path in names if path in set(context.project_names))):
        folder = clean(context.from_top(rules.folders[0]), 100)
        listed = list_some([clean(context.from_top(path), 100) for path in code], 3)
        yield CheckProblem(what=f"code changed ({listed}), and no fragment in {folder} tells users of it: {of}")


def _since(context: CheckContext) -> tuple[str, str]:
    """The commit to compare with: where the branch began, or else the last release. Skips the check without either."""
    head = context.head
    point = context.source.branch_point(context.default_branch() or "main")
    if point is not None and point != head:
        return point, "this branch"
    naming = Naming(
        configured=context.settings.tag_prefix, project=lambda: _name(context), in_folder=bool(context.path)
    )
    tags = context.git.tags()
    releases = {version: tag for tag, (_, version) in naming.known(tags).items()}
    last = pep440.highest_final(releases)
    if last is None:
        skip("nothing was released yet, so there is no change to tell of")
    return tags[releases[last]], f"since {clean(releases[last], 100)}"


def _name(context: CheckContext) -> str:
    try:
        return read_facts(context.files.read, project=context.settings.project).name
    except UnmoorError:
        return ""


def _is_code(path: str) -> bool:
    *folders, name = path.lower().split("/")
    return name.rpartition(".")[2] in _CODE and _NO_CODE.isdisjoint(folders) and _NO_CODE_FILE.fullmatch(name) is None


NAMES = RepositoryCheck(
    id="fragment-names",
    group=CheckGroup.FAST,
    level=CheckLevel.CRITICAL,
    title="Every news fragment has a name that towncrier takes, with a type of its configuration",
    reads="towncrier's configuration, and the names in its folders",
    remedy="rename the file, such as `12.feature.md`",
    run=_misnamed,
)
PRESENT = RepositoryCheck(
    id="fragments",
    group=CheckGroup.FAST,
    level=CheckLevel.WARNING,
    title="Where code changed, a news fragment tells users of it",
    reads="the files that changed on this branch, or since the last release; the names in towncrier's folders",
    remedy="add a fragment, or ignore the check for changes that no user notices",
    run=_missing,
)
