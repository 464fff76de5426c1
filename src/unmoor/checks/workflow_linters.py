"""actionlint and zizmor on the workflows of GitHub Actions. Both are asked nothing that needs the network."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from unmoor.checks.linters import LintFinding, as_problems, ask, copies, no_answer, read_all, require_program
from unmoor.checks.model import CheckContext, CheckGroup, CheckLevel, CheckProblem, RepositoryCheck, skip
from unmoor.util.text import clean

_WORKFLOW: Final = re.compile(r"\.github/workflows/[^/]+\.ya?ml")
# What a workflow can refer to, and the settings of both linters.
_BESIDE: Final = re.compile(r"\.github/.*\.(?:ya?ml|lock)|(?:.*/)?action\.ya?ml|\.?(?:zizmor|j?actionlint)\.ya?ml")
_OFF: Final = ("--shellcheck=", "--pyflakes=")


class _LineOfActionlint(msgspec.Struct, frozen=True):
    """What actionlint writes about a line (``-format '{{json .}}'``)."""

    message: str
    filepath: str
    line: int
    kind: str


class _Point(msgspec.Struct, frozen=True):
    row: int


class _Span(msgspec.Struct, frozen=True):
    start_point: _Point


class _Concrete(msgspec.Struct, frozen=True):
    location: _Span


class _File(msgspec.Struct, frozen=True):
    verbatim_path: str


class _Key(msgspec.Struct, frozen=True):
    local: _File = msgspec.field(name="Local")


class _Symbolic(msgspec.Struct, frozen=True):
    key: _Key
    annotation: str
    kind: str = "Primary"


class _Location(msgspec.Struct, frozen=True):
    symbolic: _Symbolic
    concrete: _Concrete


class _FindingOfZizmor(msgspec.Struct, frozen=True):
    """A finding as zizmor writes it (``--format json``). ``row`` counts from 0."""

    ident: str
    desc: str
    locations: tuple[_Location, ...]
    ignored: bool = False


def check_with_actionlint(context: CheckContext) -> Iterator[CheckProblem]:
    """Ask actionlint, or jactionlint for the rules of actionlint. Raises `NotApplicable`, `Unknown`."""
    names = _workflows(context)
    programs = context.linters()
    program = require_program(programs, "actionlint", "jactionlint")
    with copies(_beside(context)) as folder:
        # It looks for the settings and the called workflows in the repository, which a folder .git makes this.
        (folder / ".git").mkdir()
        profile = ["--profile", "correctness"] if program == "jactionlint" else []
        args = [program, "--format", "{{json .}}", "--no-color", *_OFF, *profile, *names]
        found = ask(programs, args, folder, list[_LineOfActionlint], fine=(0, 1))
    findings = [
        LintFinding(
            rule=each.kind,
            what=each.message,
            path=each.filepath.replace("\\", "/"),
            line=max(each.line, 0),
            level=CheckLevel.CRITICAL if each.kind == "syntax-check" else CheckLevel.WARNING,
        )
        for each in found
    ]
    yield from as_problems(_known(program, findings, names))


def check_with_zizmor(context: CheckContext) -> Iterator[CheckProblem]:
    """Ask zizmor, with its usual rules and the project's settings. Raises `NotApplicable`, `Unknown`."""
    names = _workflows(context)
    programs = context.linters()
    program = require_program(programs, "zizmor")
    files = _beside(context)
    with copies(files) as folder:
        options = ["--offline", "--no-progress", "--no-exit-codes", "--strict-collection", "--min-severity", "low"]
        found = ask(programs, [program, *options, "--format", "json", "."], folder, list[_FindingOfZizmor])
    findings = [_of_zizmor(program, each) for each in found if not each.ignored]
    yield from as_problems(each for each in _known(program, findings, tuple(files)) if _is_meant(context, each, names))


def _of_zizmor(program: str, found: _FindingOfZizmor) -> LintFinding:
    """Return the finding at its primary location. Raises `Unknown` if it has none at all."""
    if not found.locations:
        raise no_answer(program, f"a finding {clean(found.ident, 60)} has no location")
    place = next((each for each in found.locations if each.symbolic.kind == "Primary"), found.locations[0])
    path = place.symbolic.key.local.verbatim_path.replace("\\", "/")
    row = place.concrete.location.start_point.row
    return LintFinding(rule=found.ident, what=found.desc, path=posixpath.normpath(path), line=max(row + 1, 0))


def _workflows(context: CheckContext) -> tuple[str, ...]:
    """The workflows to check. Raises `NotApplicable` if there are none."""
    names = {name for name in context.source.names() if _WORKFLOW.fullmatch(name)}
    if context.staged:
        names &= set(context.source.changed(context.head))
    readable = read_all(context, sorted(names))
    return tuple(readable) or skip("there is no workflow to check")


def _beside(context: CheckContext) -> dict[str, bytes]:
    return read_all(context, (name for name in context.source.names() if _BESIDE.fullmatch(name)))


def _known(program: str, findings: Sequence[LintFinding], names: Sequence[str]) -> Sequence[LintFinding]:
    """The findings. Raises `Unknown` for one about a file that the linter was not given."""
    if strange := next((each.path for each in findings if each.path not in names), ""):
        raise no_answer(program, f"it names a file {clean(strange, 60)}")
    return findings


def _is_meant(context: CheckContext, finding: LintFinding, names: Sequence[str]) -> bool:
    """Whether a finding counts: before a commit only in the files that it changes."""
    return not context.staged or finding.path in names


ACTIONLINT: Final = RepositoryCheck(
    id="actionlint",
    group=CheckGroup.FAST,
    level=CheckLevel.WARNING,
    title="actionlint, if it is installed, accepts the workflows",
    reads="the workflows and actions, and .github/actionlint.yaml",
    remedy="correct the line, or ignore the rule in .github/actionlint.yaml",
    run=check_with_actionlint,
)
ZIZMOR: Final = RepositoryCheck(
    id="zizmor",
    group=CheckGroup.FAST,
    level=CheckLevel.WARNING,
    title="zizmor, if it is installed, finds no weakness in the workflows",
    reads="the workflows and actions, and zizmor.yml",
    remedy="correct the job, or ignore the finding in zizmor.yml",
    run=check_with_zizmor,
)
