"""Requirements that the settings want pinned: with ``==``, a hash or a commit."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from typing import Final

from unmoor.checks.model import CheckContext, CheckGroup, CheckLevel, CheckProblem, RepositoryCheck, skip
from unmoor.checks.patterns import matching
from unmoor.checks.pyproject import NAME
from unmoor.config.read_toml import parse
from unmoor.project.files import table
from unmoor.util.text import clean

_OPTION_AFTER: Final = re.compile(r"\s--?[A-Za-z].*$")
_INCLUDE: Final = re.compile(r"(?:-r|--requirements?)[=\s]?\s*(?P<path>\S+)$")
_OWN: Final = re.compile(r"\.?/?(\[[^\[\]]*\])?")
_EXACT: Final = re.compile(r"[0-9a-f]{40}\b")


def _run(context: CheckContext) -> Iterator[CheckProblem]:
    patterns = context.settings.checks.pinned
    if not patterns:
        skip("the settings want nothing pinned: pinned in [tool.unmoor.checks]")
    # It reads every kind of list, and most projects have no such policy.
    from unmoor.project.test_needs.requirement_lines import numbered_lines

    paths: dict[str, None] = {}
    for pattern in patterns:
        found = matching(pattern, context.project_names)
        if not found:
            yield CheckProblem(what=f"there is no {clean(pattern)}, whose requirements shall be pinned")
        paths |= dict.fromkeys(found)
    pending = list(paths)
    for path in pending:
        if path == NAME:
            yield from _of_pyproject(context)
            continue
        for line, text in numbered_lines((context.files.read(path) or b"").decode("utf-8-sig", errors="replace")):
            if included := _INCLUDE.match(text):
                other = posixpath.normpath(posixpath.join(posixpath.dirname(path), included["path"]))
                if other not in pending and context.files.read(other) is not None:
                    pending.append(other)
            elif fault := _fault(text):
                yield CheckProblem(what=fault, where=context.from_top(path), line=line)


def _of_pyproject(context: CheckContext) -> Iterator[CheckProblem]:
    """Yield what is not pinned of the dependencies, extras and groups in pyproject.toml."""
    where = context.from_top(NAME)
    document = parse(context.files.read(NAME) or b"", where)
    project = table(document.table, "project")
    lists: dict[tuple[str, ...], object] = {("project", "dependencies"): project.get("dependencies")}
    for keys in (["project", "optional-dependencies"], ["dependency-groups"]):
        lists |= {(*keys, key): value for key, value in table(document.table, *keys).items()}
    for path, entries in lists.items():
        for entry in entries if isinstance(entries, list) else ():
            if isinstance(entry, str) and (fault := _fault(entry)):
                yield CheckProblem(what=fault, where=where, line=document.line_of(path) or None)


def _fault(text: str) -> str:
    """What keeps a requirement from being pinned; empty for one that is, and for an option."""
    from packaging.requirements import InvalidRequirement, Requirement

    plain = _OPTION_AFTER.sub("", text).strip()
    if plain.startswith("-") or not plain or _OWN.fullmatch(plain):
        return ""
    shown = clean(plain, 100)
    try:
        wanted = Requirement(plain)
    except InvalidRequirement:
        # An address or a path alone.
        fixed = _EXACT.search(plain) or "--hash=" in text or "://" not in plain
        return "" if fixed else f"{shown} is not pinned: it names no commit and no hash"
    if wanted.url is not None:
        fixed = _EXACT.search(wanted.url) or "#sha" in wanted.url or "--hash=" in text or "://" not in wanted.url
        return "" if fixed else f"{shown} is not pinned: its address names no commit and no hash"
    exact = [each for each in wanted.specifier if each.operator in {"==", "==="} and not each.version.endswith(".*")]
    return "" if exact else f"{shown} is not pinned with =="


CHECK = RepositoryCheck(
    id="pinned",
    group=CheckGroup.FAST,
    level=CheckLevel.CRITICAL,
    title="The requirements that the settings want pinned are pinned, and so are those that they include",
    reads="the files that `pinned` in `[tool.unmoor.checks]` names",
    remedy="pin with `==`, or compile the list: `uv pip compile`",
    run=_run,
)
