"""Write the reference page of the rules with ``python -m tests.dists.checks.page``. A test compares it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tests.dists.checks.corpus import CASES, WARNED

from unmoor.dists.checks import RULES, CheckRule

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "reference" / "checks.md"

ELSEWHERE = {
    "archive-metadata-size": "tests/dists/checks/test_limits.py::test_metadata_size",
    "archive-members": "tests/dists/checks/test_limits.py::test_members",
    "archive-total": "tests/dists/checks/test_limits.py::test_total",
    "file-changed": "tests/stages/test_check_dists.py::test_changed_bytes",
    "file-twin": "tests/stages/test_check_dists.py::test_files_together",
    "files-none": "tests/stages/test_check_dists.py::test_files_together",
    "files-sdists": "tests/stages/test_check_dists.py::test_files_together",
    "files-stray": "tests/stages/test_check_dists.py::test_files_together",
    "module-version": "tests/dists/checks/test_versions.py::test_another_version_in_a_module",
    "project-size": "tests/dists/checks/test_limits.py::test_project",
    "tag-project": "tests/stages/test_check_dists.py::test_name_and_version_are_the_tags",
    "tag-version": "tests/stages/test_check_dists.py::test_name_and_version_are_the_tags",
    "tracked-data": "tests/dists/checks/test_tracked.py::test_wheel_lacks_tracked_files",
    "tracked-modules": "tests/dists/checks/test_tracked.py::test_wheel_lacks_tracked_files",
    "tracked-package": "tests/dists/checks/test_tracked.py::test_wheel_lacks_tracked_files",
    "untracked-module": "tests/dists/checks/test_tracked.py::test_wheel_holds_deleted_module",
    "wheel-platform-local": "tests/dists/checks/test_limits.py::test_platform",
    "untracked-secret": "tests/dists/checks/test_tracked.py::test_untracked_secret_is_refused",
}
"""The tests of rules that one bad file cannot cover."""

HEAD = """\
# Checks

`check-dists` checks every built file against these rules before anything leaves the machine. It reports all problems
of all files at once, each with its rule in brackets and whose rule it is. Rules that only warn never stop a release.
You cannot disable a rule: PyPI, twine or an installer would refuse the file, or it would not be the release you meant.

Only what PyPI itself refuses is called so. PyPI's own libraries are often older than the installed ones, and the rules
say where the two differ. What is *unmoor's own rule* would be accepted everywhere, but programs would read it
differently, or it is not what was built.

The index of a rehearsal refuses what PyPI refuses, with separate code. A test feeds every bad file of the corpus to
both. In the last column, *corpus* lists the cases of `tests/dists/checks/test_corpus.py::test_refused`, or of
`test_warned` if the rule warns.

A wheel for the machine's own Linux (`linux_x86_64`) is tested by `prove-dists` but never uploaded. To build wheels for
many systems, use [cibuildwheel](../how-to/wheels.md). A rehearsal takes one with a warning. For a private index
that accepts them, set `platforms = "any"` in its table in the [world file](world-file.md).

PyPI also refuses names that are reserved or too similar to another project's, which only the first upload shows, and
file names that were used and deleted.

For other failures, and the stage that handles each, see [failures](failures.md).

"""


def tested(rule: CheckRule) -> str:
    """The test that covers a rule."""
    cases = [case.name for case in (*CASES, *WARNED) if case.rule == rule.name]
    return f"corpus: {', '.join(cases)}" if cases else f"`{ELSEWHERE[rule.name]}`"


def rows() -> Iterator[str]:
    """One table row for each rule."""
    yield "| rule | what is refused | whose rule it is | test |"
    yield "| --- | --- | --- | --- |"
    for rule in RULES:
        cells = (f"`{rule.name}`", rule.refuses, rule.verdict, tested(rule))
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def page() -> str:
    """The whole page."""
    return HEAD + "\n".join(rows()) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
