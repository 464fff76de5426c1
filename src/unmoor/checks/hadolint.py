"""hadolint on each Dockerfile."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import msgspec

from unmoor.checks.linters import LintFinding, as_problems, ask, copies, no_answer, read_all, require_program
from unmoor.checks.model import CheckContext, CheckGroup, CheckLevel, CheckProblem, RepositoryCheck, skip
from unmoor.checks.selected_files import files_to_check
from unmoor.util.text import clean

# As a file of a name that ends otherwise, such as Dockerfile.j2, may be a template.
_DOCKERFILE: Final = re.compile(
    r"(?:.*/)?(?:(?:Docker|Container)file(?:[.-](?!dockerignore|j2|jinja2?|in|tmpl|template|md|rst|txt|py)[\w-]+)?"
    r"|[\w.-]+\.[Dd]ockerfile)"
)
_SETTINGS: Final = (".hadolint.yaml", ".hadolint.yml")
_NO_DOCKERFILE: Final = "DL1000"
_REPORTED: Final = frozenset({"error", "warning"})


class _Finding(msgspec.Struct, frozen=True):
    """What hadolint writes about a line (``--format json``)."""

    code: str
    file: str
    level: str
    line: int
    message: str


def check_dockerfiles(context: CheckContext) -> Iterator[CheckProblem]:
    """Ask hadolint. Its errors and warnings count, by the project's settings. Raises `NotApplicable`, `Unknown`."""
    names = files_to_check(context, lambda name: bool(_DOCKERFILE.fullmatch(name)))
    files = read_all(context, names)
    if not files:
        skip("there is no Dockerfile to check")
    programs = context.linters()
    program = require_program(programs, "hadolint")
    numbered = {f"{number}.Dockerfile": name for number, name in enumerate(files)}
    written = {number: files[name] for number, name in numbered.items()} | read_all(context, _SETTINGS)
    with copies(written) as folder:
        args = [program, "--no-color", "--no-fail", "--format", "json", *numbered]
        found = ask(programs, args, folder, list[_Finding])
    if strange := next((each.file for each in found if each.file not in numbered), ""):
        raise no_answer(program, f"it names a file {clean(strange, 60)}")
    yield from as_problems(
        LintFinding(
            rule=each.code,
            what=each.message,
            path=numbered[each.file],
            line=max(each.line, 0),
            level=CheckLevel.CRITICAL if each.code == _NO_DOCKERFILE else CheckLevel.WARNING,
        )
        for each in found
        if each.level in _REPORTED
    )


CHECK: Final = RepositoryCheck(
    id="hadolint",
    group=CheckGroup.FAST,
    level=CheckLevel.WARNING,
    title="hadolint, if it is installed, accepts each Dockerfile",
    reads="Dockerfiles and .hadolint.yaml",
    remedy="correct the line, or ignore the rule in .hadolint.yaml",
    run=check_dockerfiles,
)
