"""Compare the version that a wheel's modules say they have with that of the release."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from unmoor.dists import inspect
from unmoor.dists.checks.examine import DistFindings
from unmoor.dists.checks.rules import By, CheckRule, Problem, violation
from unmoor.dists.main_modules import main_modules, versions_in_wheel
from unmoor.errors import InvalidDist
from unmoor.products import Release
from unmoor.util.text import clean
from unmoor.versioning import pep440

MODULE = CheckRule(
    name="module-version",
    refuses="a wheel whose own module has a `__version__` other than the release's, written there and not computed",
    by=By.UNMOOR,
    warns=True,
)
RULES = (MODULE,)


def check_file(findings: DistFindings, tracked: Iterable[str], release: Release) -> Iterator[Problem]:
    """Report each ``__version__`` of a module with the project's name that is another one, with its file and line.

    ``tracked`` are the paths that git tracks, to name the file where it can be corrected.
    """
    if not findings.versioned:
        return
    wheel = findings.file.path
    try:
        found = set(versions_in_wheel(wheel, main_modules(release.project, inspect.modules(wheel))))
    except InvalidDist:
        return  # other rules report it
    for written in sorted(found, key=str):
        if pep440.is_other_version(written.text, release.version):
            homes = [path for path in tracked if f"/{path}".endswith(f"/{written.path}")]
            path = homes[0] if len(homes) == 1 else written.path
            yield violation(
                MODULE,
                f"{clean(path)}, line {written.line} says version {clean(written.text, 60)}, but the release is"
                f" {release.version}: write it there, too, or let the module read its metadata",
            )
