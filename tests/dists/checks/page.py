"""The reference page of the rules: ``python -m tests.dists.checks.page`` writes it, a test compares it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tests.dists.checks.corpus import CASES, WARNED

from unmoor.dists.checks import RULES, By, CheckRule

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "reference" / "checks.md"

ELSEWHERE = {
    "archive-members": "tests/dists/checks/test_limits.py::test_members",
    "archive-total": "tests/dists/checks/test_limits.py::test_total",
    "file-changed": "tests/stages/test_check_dists.py::test_changed_bytes",
    "file-twin": "tests/stages/test_check_dists.py::test_files_together",
    "files-none": "tests/stages/test_check_dists.py::test_files_together",
    "files-sdists": "tests/stages/test_check_dists.py::test_files_together",
    "files-stray": "tests/stages/test_check_dists.py::test_files_together",
    "project-size": "tests/dists/checks/test_limits.py::test_project",
    "tag-project": "tests/stages/test_check_dists.py::test_name_and_version_are_the_tags",
    "tag-version": "tests/stages/test_check_dists.py::test_name_and_version_are_the_tags",
    "tracked-data": "tests/dists/checks/test_tracked.py::test_wheel_lacks_tracked_files",
    "tracked-modules": "tests/dists/checks/test_tracked.py::test_wheel_lacks_tracked_files",
    "tracked-package": "tests/dists/checks/test_tracked.py::test_wheel_lacks_tracked_files",
    "untracked-module": "tests/dists/checks/test_tracked.py::test_wheel_holds_deleted_module",
    "untracked-secret": "tests/dists/checks/test_tracked.py::test_untracked_secret_is_refused",
}
"""The tests of rules that need more than one bad file."""

CAUSES = {
    By.INDEX: "PyPI refuses it",
    By.UPLOADER: "twine refuses it, or sends something else",
    By.INSTALLERS: "pip or uv cannot install it",
    By.UNMOOR: "it is not the release, or readers of the file would disagree",
}

HEAD = """\
# Checks

What `check-dists` looks at in every built file before anything leaves the machine. All problems of all files are told
at once, each with its rule in brackets; a rule that only warns hinders nobody. No rule can be waived: what PyPI would
refuse cannot be released, and the rest are integrity.

The index of a rehearsal refuses what PyPI refuses, by other code; a test feeds every bad file of the corpus to both.
*corpus* are the cases of `tests/dists/checks/test_corpus.py::test_refused`, or of `test_warned` where the rule warns.

A wheel for the machine's own Linux (`linux_x86_64`) is tested by `prove-dists` all the same and never uploaded: make a
wheel for many Linux systems with cibuildwheel or `auditwheel repair`. A private index may take it: its table in the
[world file](world-file.md) says so with `platforms = "any"`. PyPI also refuses names that are too similar to
other projects' or reserved, which only the first upload tells, and file names that were used and deleted.

What else goes wrong with releases, and which stage handles it, stands under [failures](failures.md).

"""


def cause(rule: CheckRule) -> str:
    """Why a rule is there."""
    return (
        f"warns: {CAUSES[rule.by]}"
        if rule.warns and rule.by is By.UNMOOR
        else "warns"
        if rule.warns
        else CAUSES[rule.by]
    )


def tested(rule: CheckRule) -> str:
    """The test of a rule."""
    cases = [case.name for case in (*CASES, *WARNED) if case.rule == rule.name]
    return f"corpus: {', '.join(cases)}" if cases else f"`{ELSEWHERE[rule.name]}`"


def rows() -> Iterator[str]:
    """One row a rule."""
    yield "| rule | what is refused | why | test |"
    yield "| --- | --- | --- | --- |"
    for rule in RULES:
        cells = (f"`{rule.name}`", rule.refuses, cause(rule), tested(rule))
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def page() -> str:
    """The whole page."""
    return HEAD + "\n".join(rows()) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
