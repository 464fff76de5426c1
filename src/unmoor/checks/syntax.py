"""Every Python file has the syntax of the oldest Python that the project supports."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Final

from unmoor.checks.model import CheckContext, CheckGroup, CheckLevel, CheckProblem, CheckRemark, RepositoryCheck, skip
from unmoor.checks.python_sources import Parsed, PythonSource, SourceFault, read_source
from unmoor.checks.selected_files import files_to_check

_OLDEST: Final = 7
"""The oldest minor version of Python 3 that the parsers of today know."""
_NEWEST: Final = 15
"""The newest that ruff knows, and a current one that older ruffs know, too."""
_CURRENT: Final = 13
_MINOR: Final = re.compile(r"3\.([0-9]+)")
_TESTS: Final = frozenset({"test", "tests", "testing", "doc", "docs", "example", "examples", "bench", "benchmarks"})
_SAMPLES: Final = frozenset({"data", "testdata", "test_data", "fixtures", "cases", "samples", "snapshots", "inputs"})
_TEMPLATES: Final = re.compile(r"(?:^|[/_-])(?:templates?|cookiecutters?|skeletons?)(?:[/_-]|$)|[{][{%]")
_TEST_MODULE: Final = re.compile(r"(?:test_.*|.*_test|conftest|__init__)\.py")


def check_syntax(context: CheckContext) -> Iterator[CheckProblem | CheckRemark]:
    """Parse the files. Raises `NotApplicable` if there are none, `Unknown` if no parser gives an answer."""
    paths = files_to_check(context, lambda name: name.endswith(".py"))
    if not paths:
        skip("there are no Python files to check")
    read = [read_source(path, content) for path, content in context.source.read_many(paths).items()]
    undecoded = [each for each in read if isinstance(each, SourceFault)]
    version, minor = _version(context)
    parsed = _parse([each for each in read if isinstance(each, PythonSource)], minor, context)
    for each in sorted((*undecoded, *parsed.faults), key=lambda fault: fault.path):
        what = f"{each.what}" if each.is_newer or not version else f"{each.what} (Python {version})"
        yield CheckProblem(what=what, where=each.path, line=each.line or None, level=_level(each))
    if version and version != f"3.{minor}":
        yield CheckRemark(what=f"the project supports Python {version}; the oldest syntax that is checked is 3.{minor}")
    if parsed.unseen:
        yield CheckRemark(what=parsed.unseen)


def _version(context: CheckContext) -> tuple[str, int | None]:
    """The oldest Python that the project supports, empty if nothing says it, and the minor version to parse as."""
    from unmoor.project.pythons import oldest_python

    oldest = oldest_python(context.files)
    if not oldest:
        return "", None
    match = _MINOR.fullmatch(oldest)
    return oldest, max(int(match[1]), _OLDEST) if match is not None else _OLDEST


def _parse(sources: list[PythonSource], minor: int | None, context: CheckContext) -> Parsed:
    """Parse as a version; as a current one if it is ``None``. Raises `Unknown`."""
    from unmoor.checks import own_parser, ruff_parser

    programs = context.linters()
    if programs.find(("ruff",)) and (minor or 0) <= _NEWEST:
        faults = ruff_parser.parse(sources, minor or _CURRENT, programs)
        if faults is not None:
            return Parsed(faults=faults)
    return own_parser.parse(sources, minor, context.programs())


def _level(fault: SourceFault) -> CheckLevel:
    """What a fault means: some tests need newer syntax, and samples of tests and templates need not be Python."""
    path = PurePosixPath(fault.path)
    folders = {part.lower() for part in path.parts[:-1]}
    is_test = not folders.isdisjoint(_TESTS)
    if _TEMPLATES.search(fault.path) or (is_test and fault.is_newer):
        return CheckLevel.WARNING
    is_sample = not folders.isdisjoint(_SAMPLES) or not _TEST_MODULE.fullmatch(path.name)
    return CheckLevel.WARNING if is_test and is_sample else CheckLevel.CRITICAL


CHECK: Final = RepositoryCheck(
    id="syntax",
    group=CheckGroup.FAST,
    level=CheckLevel.CRITICAL,
    title="Every Python file has the syntax of the oldest Python that the project supports",
    reads="every .py file, requires-python and the classifiers",
    remedy="correct the line, or raise requires-python",
    run=check_syntax,
)
